"""How often does the nightly verdict cry wolf, and what does it catch? By simulated nights.

    python -m benchmarks.nights [--nights 150] [--out benchmarks/nights.md]

The cells are those of a real run of the suite `glue-lite`, each with its own seeds' scores and training losses
(`seed_scores.json`). A night draws fresh seeds for every cell, of the same code or of a worse one, and is judged by the
very tests that `compare` makes. What a search adds when it lands on another rate is drawn besides.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import beta, norm

from bench.metrics.metric import Array
from bench.record import Cost, Data, Outcome, Record, Training
from leaderboard import costs
from leaderboard.alarms import Findings, Limits, of_costs, of_losses, of_scores
from leaderboard.shifts import Shift, known_variance
from leaderboard.verdict import Alarm

SCORES = Path(__file__).with_name("seed_scores.json")
SMOOTH = 0.5
"""Share of a drawn seed's variance that is normal; the rest is drawn from the real seeds, with their heavy tails."""

VARIES = 0.05
"""How much nights and cells vary in time by themselves, on a shared machine."""

MOVES = 0.4
"""How often a search lands on another rate."""


@dataclass(frozen=True)
class Cell:
    """A cell's name and how far its real seeds lay from their mean, in points and in logarithms of the loss."""

    key: str
    metric: str
    scores: Array
    losses: Array


def real() -> list[Cell]:
    """The cells of the real run."""
    rows = json.loads(SCORES.read_text(encoding="utf-8"))
    return [Cell(r["cell"], r["metric"], _residuals(r["scores"]), _residuals(r["loss"])) for r in rows]


def even(count: int, spread: float) -> list[Cell]:
    """Made-up cells whose seeds all have the same standard deviation; ten a task."""
    values = _residuals([-1.0, 0.0, 1.0])
    return [Cell(f"t{i // 10}/m{i % 10}/full", "accuracy", spread * values, 0.01 * values) for i in range(count)]


def _residuals(values: Sequence[float]) -> Array:
    array: Array = np.asarray(values, dtype=np.float64)
    around: Array = array - array.mean()
    return around


@dataclass(frozen=True)
class World:
    """Cells, how many seeds each has, and how much another rate moves a run, in standard deviations of a seed.

    `taught` is the number of earlier nights that say how much each cell varies.
    """

    cells: Sequence[Cell]
    seeds: int
    jump: float = 0.0
    taught: int = 0

    def night(self, rng: np.random.Generator, drops: Array) -> list[Alarm]:
        """The alarms of a night whose cells are worse by `drops` points, one a cell."""
        scores = [self._score(rng, cell, float(drop)) for cell, drop in zip(self.cells, drops, strict=True)]
        losses = [self._loss(rng, cell) for cell in self.cells]
        limits = Limits()
        found = Findings.of(scores, losses)
        return [*of_scores(found, limits), *of_losses(found, limits)]

    def _score(self, rng: np.random.Generator, cell: Cell, drop: float) -> Shift:
        jumps = self._jumps(rng, cell, 2 + self.taught)
        shift = self._shift(rng, cell, cell.scores, cell.metric, jumps[1] - jumps[0] - drop)
        earlier = draw(rng, cell.scores, self.taught * self.seeds).reshape(self.taught, self.seeds)
        return dataclasses.replace(shift, known=known_variance(list(earlier + jumps[2:, None])))

    def _jumps(self, rng: np.random.Generator, cell: Cell, count: int) -> Array:
        moved = rng.random(count) < MOVES
        jumps: Array = moved * rng.normal(0, self.jump * _spread(cell.scores), count)
        return jumps

    def _loss(self, rng: np.random.Generator, cell: Cell) -> Shift:
        return self._shift(rng, cell, 100 * cell.losses, f"loss of {cell.key.split('/')[0]}", 0.0)

    def _shift(self, rng: np.random.Generator, cell: Cell, residuals: Array, group: str, change: float) -> Shift:
        base, head = (draw(rng, residuals, self.seeds) for _ in range(2))
        task, model, method = cell.key.split("/")
        known = self.seeds > 1
        return Shift(
            key=cell.key, group=group, value=float(head.mean() - base.mean() + change), row_variance=0.0,
            seed_variance=float(base.var(ddof=1) + head.var(ddof=1)) / self.seeds if known else None,
            freedom=2.0 * (self.seeds - 1), scopes=(f"task {task}", f"model {model}", f"method {method}"),
        )


def _spread(residuals: Array) -> float:
    return float(residuals.std(ddof=1))


def draw(rng: np.random.Generator, residuals: Array, seeds: int) -> Array:
    """Scores of fresh seeds about 0: with the variance of the real ones, and partly their shape."""
    spread = _spread(residuals)
    real = residuals[rng.integers(len(residuals), size=seeds)] * np.sqrt(len(residuals) / (len(residuals) - 1))
    drawn: Array = np.sqrt(1 - SMOOTH) * real + np.sqrt(SMOOTH) * rng.normal(0, spread, seeds)
    return drawn


@dataclass(frozen=True)
class Share:
    """So many of so many nights, with the exact 95% interval of the share (Clopper and Pearson 1934), in percent."""

    count: int
    nights: int

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end."""
        low = beta.ppf(0.025, self.count, self.nights - self.count + 1) if self.count else 0.0
        high = beta.ppf(0.975, self.count + 1, self.nights - self.count) if self.count < self.nights else 1.0
        return 100 * float(low), 100 * float(high)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{100 * self.count / self.nights:.1f}% [{low:.1f}, {high:.1f}]"


def false_alarms(world: World, nights: int, seed: int = 0) -> Share:
    """How many nights of the same code raise any alarm about a score or a loss."""
    rng = np.random.default_rng(seed)
    none = np.zeros(len(world.cells))
    return Share(sum(bool(world.night(rng, none)) for _ in range(nights)), nights)


def caught_everywhere(world: World, drop: float, nights: int, seed: int = 0) -> Share:
    """How many nights on which every cell drops so many points are called worse."""
    rng = np.random.default_rng(seed)
    drops = np.full(len(world.cells), drop)
    return Share(sum(any(alarm.worse for alarm in world.night(rng, drops)) for _ in range(nights)), nights)


def caught_alone(world: World, drop: float, nights: int, seed: int = 0) -> Share:
    """How many nights on which one cell, another each night, drops so many points raise an alarm for that cell."""
    rng = np.random.default_rng(seed)
    hits = 0
    for night in range(nights):
        place = night % len(world.cells)
        drops = np.zeros(len(world.cells))
        drops[place] = drop
        hits += any(alarm.worse and alarm.scope == world.cells[place].key for alarm in world.night(rng, drops))
    return Share(hits, nights)


def any_false_alarm(world: World, nights: int, seed: int = 0) -> tuple[Share, Share]:
    """How many nights of the same code raise any alarm at all, and how many one that is not about a cost."""
    rng = np.random.default_rng(seed)
    count = len(world.cells)
    told = [(_slower(rng, 1.0, world.taught, count, VARIES), bool(world.night(rng, np.zeros(count))))
            for _ in range(nights)]
    return Share(sum(map(any, told)), nights), Share(sum(other for _, other in told), nights)


def at_best(cells: Sequence[Cell], seeds: int, drop: float) -> float:
    """The share of such drops of one cell that a test would catch which knew the noise of every cell exactly.

    It is that of normal seeds of two nights, at the level that `compare` tests single cells at, corrected for as many.
    """
    level = Limits().cell_level / len(cells)
    errors = np.array([_spread(cell.scores) for cell in cells]) * np.sqrt(2 / seeds)
    return float(norm.cdf(drop / np.maximum(errors, 1e-9) - norm.ppf(1 - level / 2)).mean())


def cost_alarms(nights: int, factor: float, taught: int, noise: float, cells: int = 60, seed: int = 0) -> Share:
    """How many nights are called slower where all cells take `factor` the time, after so many steady nights."""
    rng = np.random.default_rng(seed)
    return Share(sum(_slower(rng, factor, taught, cells, noise) for _ in range(nights)), nights)


def _slower(rng: np.random.Generator, factor: float, taught: int, cells: int, noise: float) -> bool:
    """Whether a night raises an alarm about its costs.

    A night as a whole is slow or fast by the share `noise`, and the training and the answering of a cell each by as
    much by itself, with the tails of Student's t of 4 degrees of freedom.
    """

    def timed(scale: float) -> dict[str, Record]:
        whole = scale * np.exp(noise * rng.standard_t(4))
        own = whole * np.exp(noise * rng.standard_t(4, (cells, 2)))
        return {f"t/m{i}/full": _costing(f"m{i}", float(train), float(answer)) for i, (train, answer) in enumerate(own)}

    earlier = [timed(1.0) for _ in range(taught)]
    return bool(of_costs(costs.changes(timed(1.0), timed(factor), earlier)))


ROWS = Data("bundled", "t", "0", None, 100, 100, 100)
BLANK = Record("t", "m", "full", "bundled", "encoder", "classify", "f", Outcome.OK, "accuracy", data=ROWS)


def _costing(model: str, seconds: float, answering: float) -> Record:
    """A record of a cell that took so many seconds to train on 100 examples, and so many to answer 100 rows."""
    final = Training(0, 1e-3, 1, "COMPLETE", 0.0, 0, (), 1, 100, 100, seconds, answering, scores={})
    cost = Cost(seconds + answering, seconds, answering, 100 / seconds, None, None)
    return dataclasses.replace(BLANK, model=model, finals=(final,), cost=cost)


def report(nights: int) -> str:
    """The tables as Markdown."""
    cells = real()
    parts = [
        "# What the nightly verdict raises, and what it catches\n\nWritten by `python -m benchmarks.nights --nights "
        f"{nights}`. Share of {nights:,} simulated nights (a third of them where catching is asked), with its exact "
        "95% interval. "
        f"A night draws fresh seeds for {len(cells)} cells whose seeds differ as those of a real run did; alarms are "
        "those of `leaderboard.alarms` at its limits.",
        "## A/A: the same code twice\n\nAny alarm at all: about a score, a training loss or a cost, in either "
        "direction; \"without costs\" leaves the last out. `jump`: "
        f"another rate, which a search finds on {100 * MOVES:.0f}% of nights, moves a run by so many standard "
        "deviations of a seed.\n\n" + _false_table(cells, nights),
        "## A/B: every cell is worse by so many points\n\n36 cells whose runs have a standard deviation of 0.4.\n\n"
        + _everywhere_table(nights // 3),
        "## A/B: one cell of 60 is worse by 3 points\n\nCaught means an alarm for that very cell. To be caught "
        "some 95 times in a hundred, a drop of 3 points needs five seeds that differ by half a point, or three of them "
        "and some 20 nights; ten seeds and some 20 nights where they differ by a point. In the real run they differ by "
        f"{_usual(cells):.1f} points in the median cell, and by more in others. The last column is what a test would "
        "catch that knew the noise of every cell: beyond it only more seeds help. Earlier nights count where their "
        "answers differ; a machine that repeats itself to the last digit teaches no noise.\n\n"
        + _alone_table(cells, nights // 3),
        "## Time\n\n60 cells; nights as a whole, and cells by themselves, vary by so much.\n\n"
        + _cost_table(nights // 3),
    ]
    return "\n\n".join(parts) + "\n"


def _usual(cells: Sequence[Cell]) -> float:
    """By how many points the seeds of the median cell differ, as a standard deviation."""
    return float(np.median([_spread(cell.scores) for cell in cells]))


def _add(lines: list[str], line: str) -> None:
    """Keep a line of a table, and show it: the whole takes minutes."""
    print(line, flush=True)
    lines.append(line)


def _false_table(cells: Sequence[Cell], nights: int) -> str:
    lines = ["| seeds | jump | earlier nights | nights with a false alarm | without costs |",
             "| ---: | ---: | ---: | ---: | ---: |"]
    for seeds, jump, taught in ((3, 0.0, 0), (3, 0.5, 0), (3, 1.0, 0), (5, 0.5, 0), (3, 0.5, 10), (3, 0.5, 20)):
        world = World(cells, seeds, jump, taught)
        shares = any_false_alarm(world, nights)
        _add(lines, f"| {seeds} | {jump:g} | {taught} | {shares[0]} | {shares[1]} |")
    return "\n".join(lines)


def _everywhere_table(nights: int) -> str:
    lines = ["| seeds | drop | caught |", "| ---: | ---: | ---: |"]
    for seeds in (1, 3):
        world = World(even(36, 0.4 * seeds**0.5), seeds)
        for drop in (0.5, 1.7):
            _add(lines, f"| {seeds} | {drop:g} | {caught_everywhere(world, drop, nights)} |")
    return "\n".join(lines)


def _alone_table(cells: Sequence[Cell], nights: int) -> str:
    lines = ["| seeds | seeds differ by | first night | after 20 nights | noise known exactly |",
             "| ---: | ---: | ---: | ---: | ---: |"]
    for seeds in (3, 5, 10):
        for spread, world in [(f"{s:g}", even(60, s)) for s in (0.5, 1.0)] + [("as in the real run", cells[:60])]:
            shares = [caught_alone(World(world, seeds, taught=taught), 3.0, nights) for taught in (0, 20)]
            best = f"{100 * at_best(world, seeds, 3.0):.0f}%"
            _add(lines, f"| {seeds} | {spread} | {shares[0]} | {shares[1]} | {best} |")
    return "\n".join(lines)


def _cost_table(nights: int) -> str:
    lines = ["| vary by | earlier nights | every cell takes | called slower |", "| ---: | ---: | ---: | ---: |"]
    for noise, taught, factors in ((VARIES, 0, (1, 2, 3)), (VARIES, 10, (1, 2, 3)), (VARIES / 5, 10, (1, 1.2, 1.5))):
        for factor in factors:
            share = cost_alarms(nights, factor, taught, noise)
            _add(lines, f"| {100 * noise:g}% | {taught} | {factor:g} times | {share} |")
    return "\n".join(lines)


def main() -> None:
    """Write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=150)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/nights.md"))
    arguments = parser.parse_args()
    arguments.out.write_text(report(arguments.nights), encoding="utf-8")


if __name__ == "__main__":
    main()
