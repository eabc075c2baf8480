"""How often does a cell's 95% interval hold the true score, and how many seeds does that take?

    python -m benchmarks.coverage [--cells 1000] [--out benchmarks/coverage.md]

Cells are simulated whose true score, over all seeds and all rows, is known; `bench.uncertainty` must not be told it.
Beside the interval in use stand a plain bootstrap over seeds and rows, the same with S - 1 seeds drawn (Rao and Wu
1988), and Satterthwaite's interval from the same two variances, to show what they would do.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from bench.metrics.metric import Array, Metric
from bench.score import METRICS
from bench.uncertainty import Spread, half_width, mean_variance, resampled_scores, shared_variance
from benchmarks import collapse

SEEDS = (1, 2, 3, 5, 10)
SPREADS = (0.0, 1.0, 2.0, 4.0)
"""Standard deviations of the seeds' true scores, in points."""
LEVEL = 0.95
SHARE = 0.6
"""How much of what decides a single answer is the row, the same for all seeds."""
BATCH = 50
"""Cells that are resampled together."""
POOL = 1000
"""Rows of the population from which the test sets of corpus metrics are drawn."""


@dataclass(frozen=True)
class Cell:
    """A simulated cell: the seeds' statistics, one (n, k) array each, and its true score."""

    statistics: tuple[Array, ...]
    truth: float


@dataclass(frozen=True)
class World:
    """Two answers of unlike quality to each row of a population, (m, k) statistics each; seeds mix them.

    A seed gives row i the good answer where sqrt(SHARE) row_i + sqrt(1 - SHARE) noise < ndtri(quality) + tau seed, all
    standard normal: rows are easy or hard for every seed, and seeds are better or worse on every row.
    """

    metric: Metric
    good: Array
    bad: Array
    quality: float

    def tau(self, points: float) -> float:
        """The spread of seeds, in standard deviations of the normal, that makes scores differ by so many points."""
        step = 0.01
        low, high = (self.at(np.array([self.quality + sign * step]))[0] for sign in (-1, 1))
        density = np.exp(-(ndtri(self.quality) ** 2) / 2) / np.sqrt(2 * np.pi)
        return float(points / ((high - low) / (2 * step)) / density)

    def at(self, shares: Array) -> Array:
        """The score on the whole population of seeds with these shares of good answers, shape of `shares`."""
        sums = shares[..., None] * self.good.mean(axis=0) + (1 - shares[..., None]) * self.bad.mean(axis=0)
        return self.metric.aggregate(sums)[self.metric.name]

    def truth(self, tau: float) -> float:
        """The mean score over all seeds."""
        middles = ndtri((np.arange(20_000) + 0.5) / 20_000)
        return float(self.at(ndtr(ndtri(self.quality) + tau * middles)).mean())

    def cells(self, rng: np.random.Generator, count: int, seeds: int, rows: int, points: float) -> Iterator[Cell]:
        """So many cells, each with test rows and seeds of its own."""
        tau = self.tau(points)
        truth = self.truth(tau)
        for _ in range(count):
            yield Cell(tuple(self.seeds(rng, seeds, rows, tau)), truth)

    def seeds(self, rng: np.random.Generator, count: int, rows: int, tau: float) -> list[Array]:
        """The statistics of so many seeds that answer the same test rows."""
        drawn = rng.integers(len(self.good), size=rows)
        hard = np.sqrt(SHARE) * rng.standard_normal(rows)
        noise = np.sqrt(1 - SHARE) * rng.standard_normal((count, rows))
        right = hard + noise < ndtri(self.quality) + tau * rng.standard_normal((count, 1))
        return [np.where(r[:, None], self.good[drawn], self.bad[drawn]) for r in right]


def worlds(names: Sequence[str], quality: float = 0.75) -> dict[str, World]:
    """A world for each metric named: a mean of outcomes, a ratio of sums, and BLEU and ROUGE of noisy texts."""
    return {name: World(METRICS[name], *_sides(name, np.random.default_rng(7)), quality) for name in names}


def _sides(name: str, rng: np.random.Generator) -> tuple[Array, Array]:
    """The statistics of good and of bad answers."""
    metric = METRICS[name]
    if name == "accuracy":
        right, wrong = metric.statistics(["yes", "no"], ["yes", "yes"])
        return right[None], wrong[None]
    if name == "entity_f1":
        true = rng.integers(0, 4, POOL)
        counts = [np.column_stack([rng.binomial(true, found), true, true]) for found in (0.95, 0.4)]
        return counts[0].astype(np.float64), counts[1].astype(np.float64)
    texts = [" ".join(f"w{int(word)}" for word in rng.zipf(1.3, rng.integers(6, 20)) % 400) for _ in range(POOL)]
    good, bad = (metric.statistics(_noisy(texts, rng, share), texts) for share in (0.1, 0.6))
    return good, bad


def _noisy(texts: Sequence[str], rng: np.random.Generator, share: float) -> list[str]:
    """The texts with a share of their words replaced."""
    return [" ".join(word if rng.random() > share else "other" for word in text.split()) for text in texts]


@dataclass(frozen=True)
class Held:
    """Percent of cells whose true score the interval held, by kind of interval, and the median width of the first."""

    shares: dict[str, float]
    width: float


def coverage(
    world: World, *, seeds: int, rows: int, points: float, cells: int, resamples: int = 400, seed: int = 0
) -> Held:
    """How often each kind of interval holds the truth."""
    rng = np.random.default_rng(seed)
    drawn = list(world.cells(rng, cells, seeds, rows, points))
    found: list[dict[str, tuple[float, float]]] = []
    for start in range(0, cells, BATCH):
        found += _intervals(world.metric, drawn[start : start + BATCH], rng, resamples)
    shares = {
        kind: 100 * float(np.mean([f[kind][0] <= c.truth <= f[kind][1] for f, c in zip(found, drawn, strict=True)]))
        for kind in found[0]
    }
    return Held(shares, float(np.median([high - low for low, high in (each["used"] for each in found)])))


def _intervals(
    metric: Metric, cells: Sequence[Cell], rng: np.random.Generator, resamples: int
) -> list[dict[str, tuple[float, float]]]:
    every = [array for cell in cells for array in cell.statistics]
    scores = resampled_scores(metric, every, resamples=resamples).reshape(resamples, len(cells), -1)
    points = np.array([metric.scores(array)[metric.name] for array in every]).reshape(len(cells), -1)
    rows = len(every[0])
    return [_kinds(scores[:, i], points[i], rows, rng) for i in range(len(cells))]


def _kinds(scores: Array, points: Array, rows: int, rng: np.random.Generator) -> dict[str, tuple[float, float]]:
    seeds, centre = len(points), float(points.mean())
    shared = shared_variance(np.atleast_2d(np.cov(scores, rowvar=False))) * rows / (rows - 1)
    spread = Spread(seeds, rows, mean_variance(points), max(0.0, shared))
    used, satterthwaite = half_width(spread, LEVEL), _satterthwaite(spread)
    return {
        "used": (centre - used, centre + used),
        "satterthwaite": (centre - satterthwaite, centre + satterthwaite),
        "bootstrap, S - 1": _percentile(scores, max(1, seeds - 1), rng),
        "bootstrap": _percentile(scores, seeds, rng),
    }


def _satterthwaite(spread: Spread) -> float:
    total = spread.seed_variance + spread.row_variance
    weight = spread.row_variance**2 / (spread.rows - 1)
    weight += spread.seed_variance**2 / (spread.seeds - 1) if spread.seeds > 1 else 0.0
    return float(np.sqrt(total) * stdtrit(total**2 / weight, (1 + LEVEL) / 2)) if weight else 0.0


def _percentile(scores: Array, drawn: int, rng: np.random.Generator) -> tuple[float, float]:
    chosen = rng.integers(scores.shape[1], size=(len(scores), drawn))
    low, high = np.quantile(np.take_along_axis(scores, chosen, axis=1).mean(axis=1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


INTRODUCTION = """# Coverage of 95% intervals

Written by `python -m benchmarks.coverage`. Percent of {cells:,} simulated cells whose interval holds the true score;
the sampling error of each figure is {error:.1f}. `used` is what `bench.uncertainty` gives, the others are what it is
not. Seeds differ by the given standard deviation of their true scores, in points."""
KINDS = ("used", "satterthwaite", "bootstrap, S - 1", "bootstrap")


def report(cells: int) -> str:
    """The tables as Markdown."""
    parts = [INTRODUCTION.format(cells=cells, error=100 * (LEVEL * (1 - LEVEL) / cells) ** 0.5)]
    made = worlds(("accuracy", "entity_f1", "bleu", "rougeL"))
    high = worlds(("accuracy",), 0.92)["accuracy"]
    for title, world, rows, spreads in (
        ("accuracy, true score near 75, 200 rows", made["accuracy"], 200, SPREADS),
        ("accuracy, true score near 92, 500 rows", high, 500, SPREADS),
        *((f"{name}, 300 rows", made[name], 300, SPREADS[::2]) for name in ("entity_f1", "bleu", "rougeL")),
    ):
        parts.append(_table(title, world, rows, spreads, cells))
    parts.append(collapse.section(cells))
    return "\n\n".join(parts) + "\n"


def _table(title: str, world: World, rows: int, spreads: Sequence[float], cells: int) -> str:
    lines = [f"| seeds | differ by | {' | '.join(KINDS)} | median width |", "|---:" * (len(KINDS) + 3) + "|"]
    for seeds in SEEDS:
        for points in spreads:
            held = coverage(world, seeds=seeds, rows=rows, points=points, cells=cells)
            shares = " | ".join(f"{held.shares[kind]:.1f}" for kind in KINDS)
            lines.append(f"| {seeds} | {points:g} | {shares} | {held.width:.1f} |")
    return f"## {title}\n\n" + "\n".join(lines)


def main() -> None:
    """Write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/coverage.md"))
    arguments = parser.parse_args()
    arguments.out.write_text(report(arguments.cells), encoding="utf-8")


if __name__ == "__main__":
    main()
