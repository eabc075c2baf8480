"""How often are cells told apart that do not differ?

    python -m benchmarks.false_positives [--boards 300] [--out benchmarks/false_positives.md]

Boards of six cells with the same true score, made as `benchmarks.coverage` makes them, answer the same test rows; every
finding of `leaderboard.paired` and `leaderboard.ranks` is then false.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import ndtri, stdtr

from bench.metrics.metric import Array
from bench.predictions import Answers
from bench.uncertainty import mean_variance
from benchmarks.coverage import SHARE, SPREADS, World, worlds
from leaderboard.paired import holm, of_difference, pairs
from leaderboard.panel import Panel, of_answers
from leaderboard.ranks import places

SEEDS = (1, 2, 3, 5)
CELLS = 6
ROWS = 200
LEVEL = 0.05
SIZES = (6, 15, 60)
"""Cells of the boards whose cells vary unlike."""
TYPICAL = 2.0
"""By how many points the seeds of a typical cell of these boards differ."""
WORLDS: Mapping[str, Callable[[np.random.Generator, int], Array]] = {
    "alike": lambda rng, cells: np.full(cells, TYPICAL),
    "unlike": lambda rng, cells: TYPICAL * np.exp(rng.normal(0, 0.7, cells)),
    "one in ten wild": lambda rng, cells: np.where(rng.random(cells) < 0.1, 5 * TYPICAL, TYPICAL),
    "one in five rigid": lambda rng, cells: np.where(rng.random(cells) < 0.2, 0.0, TYPICAL),
}
"""By how many points the seeds of each cell differ; 0 is a cell all of whose seeds give the very same answers."""

INTRODUCTION = """# False findings among cells that do not differ

Written by `python -m benchmarks.false_positives`. {boards} boards of {cells} cells with the same true score on the same
{rows} rows, at the level of 5%: how often the first two cells are told apart (sampling error {error:.1f}); how often
any of the {pairs} pairs is, corrected by Holm's method; how often a cell is shown not to be the best."""
UNLIKE = """## Boards whose cells vary unlike

{boards} boards of accuracies whose cells have the same true score, while their seeds do not vary alike: "unlike" is
a standard deviation of {typical:g} points times exp(0.7 z), z standard normal, for each cell; "wild" cells vary five
times as much as the others; "rigid" ones give the very same answers with every seed. How often a pair is told apart
(uncorrected), and how often a cell is told apart from any other, corrected within its own comparisons, as the ranks
are: by what is used, and by what was used before, Welch's and Satterthwaite's t from each cell's own variance alone.
Where a pair is told apart, the interval of its difference leaves out the truth: 100 less that is the coverage."""


@dataclass(frozen=True)
class Found:
    """Percent of boards with a false finding: between two cells, in the whole family; and of cells shown not best."""

    pair: float
    family: float
    marked: float


def found(world: World, *, seeds: int, points: float, boards: int, seed: int = 0) -> Found:
    """How often something is found where there is nothing."""
    rng = np.random.default_rng(seed)
    tau = world.tau(points)
    counts = np.array([_findings(_board(world, rng, seeds, tau)) for _ in range(boards)])
    return Found(*(100 * counts.mean(axis=0)).tolist())


def _board(world: World, rng: np.random.Generator, seeds: int, tau: float) -> Panel:
    every = world.seeds(rng, CELLS * seeds, ROWS, tau)
    answers = [Answers(number, "rows", array, np.zeros(ROWS)) for number, array in enumerate(every)]
    cells = {("task", f"model {i}", "full"): answers[i * seeds : (i + 1) * seeds] for i in range(CELLS)}
    return of_answers(world.metric, cells)


def _findings(panel: Panel) -> tuple[float, float, float]:
    p = pairs(panel).p
    family = holm(p[np.triu_indices(CELLS, 1)])
    return float(p[0, 1] < 0.05), float(family.min() < 0.05), float(np.mean([not x.may_be_best for x in places(panel)]))


@dataclass(frozen=True)
class Rates:
    """Percent of pairs told apart that do not differ, and of cells told apart from any other, corrected."""

    pairs: float
    cells: float


def unlike(
    spreads: Callable[[np.random.Generator, int], Array], *, cells: int, seeds: int, boards: int, seed: int = 0
) -> tuple[Rates, Rates]:
    """What is used, and Welch's and Satterthwaite's t, on boards whose cells vary by `spreads`."""
    rng, world = np.random.default_rng(seed), worlds(("accuracy",))["accuracy"]
    found = np.array([_rates(*_unlike_board(world, rng, spreads(rng, cells), seeds)) for _ in range(boards)])
    used, before = (100 * found.mean(axis=0)).tolist()
    return Rates(*used), Rates(*before)


def _unlike_board(world: World, rng: np.random.Generator, spreads: Array, seeds: int) -> tuple[Panel, Array]:
    """A panel of cells of the same true score, and their variances over seeds as each tells its own."""
    hard = np.sqrt(SHARE) * rng.standard_normal(ROWS)
    cells = {}
    for i, points in enumerate(spreads):
        tau = world.tau(points)
        noise = np.sqrt(1 - SHARE) * rng.standard_normal((seeds if points else 1, ROWS))
        # A seed's luck is averaged over, so that its mean, and not its middle, is the same for all cells.
        right = hard + noise < ndtri(world.quality) * np.sqrt(1 + tau**2) + tau * rng.standard_normal((len(noise), 1))
        arrays = [np.where(r[:, None], world.good[0], world.bad[0]) for r in np.resize(right, (seeds, ROWS))]
        cells["task", f"model {i}", "full"] = [Answers(n, "rows", a, np.zeros(ROWS)) for n, a in enumerate(arrays)]
    panel = of_answers(world.metric, cells)
    scores = [np.array([world.metric.scores(a.statistics)["accuracy"] for a in found]) for found in cells.values()]
    return panel, np.array([mean_variance(each) for each in scores])


def _rates(panel: Panel, own: Array) -> tuple[tuple[float, float], tuple[float, float]]:
    tables = (pairs(panel).p, _satterthwaite(panel, own))
    used, before = ((_share(p), _told(p)) for p in tables)
    return used, before


def _share(p: Array) -> float:
    return float(np.mean(p[np.triu_indices(len(p), 1)] < LEVEL))


def _told(p: Array) -> float:
    others = ~np.eye(len(p), dtype=bool)
    return float(np.mean([holm(row[keep]).min() < LEVEL for row, keep in zip(p, others, strict=True)]))


def _satterthwaite(panel: Panel, own: Array) -> Array:
    """p by one freedom for seeds and rows together, from each cell's own variance."""
    rows = of_difference(panel.shared)
    total = own[:, None] + own[None, :] + rows
    seeds = own**2 / (np.array(panel.seeds) - 1)
    weight = seeds[:, None] + seeds[None, :] + rows**2 / (panel.rows - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio, freedom = np.abs(panel.values[:, None] - panel.values[None, :]) / np.sqrt(total), total**2 / weight
    return np.where(total > 0, 2 * stdtr(freedom, -np.nan_to_num(ratio)), 1.0)


def report(boards: int) -> str:
    """The tables as Markdown."""
    error, count = 100 * (0.05 * 0.95 / boards) ** 0.5, CELLS * (CELLS - 1) // 2
    parts = [INTRODUCTION.format(boards=boards, cells=CELLS, rows=ROWS, error=error, pairs=count)]
    for name, world in worlds(("accuracy", "entity_f1")).items():
        lines = ["| seeds | differ by | one pair | any pair | not the best |", "|---:|---:|---:|---:|---:|"]
        for seeds in SEEDS:
            for points in SPREADS[::2] if name != "accuracy" else SPREADS:
                each = found(world, seeds=seeds, points=points, boards=boards)
                lines.append(f"| {seeds} | {points:g} | {each.pair:.1f} | {each.family:.1f} | {each.marked:.1f} |")
        parts.append(f"## {name}\n\n" + "\n".join(lines))
    return "\n\n".join([*parts, UNLIKE.format(boards=boards // 2, typical=TYPICAL), _unlike_table(boards // 2)]) + "\n"


def _unlike_table(boards: int) -> str:
    heads = ("seeds vary", "cells", "seeds", "a pair", "a cell", "before: a pair", "a cell")
    lines = [f"| {' | '.join(heads)} |", "|---|---:|---:|---:|---:|---:|---:|"]
    for name, spreads in WORLDS.items():
        for cells in SIZES:
            for seeds in SEEDS[1:]:
                used, before = unlike(spreads, cells=cells, seeds=seeds, boards=boards)
                shares = " | ".join(f"{share:.1f}" for share in (used.pairs, used.cells, before.pairs, before.cells))
                lines.append(f"| {name} | {cells} | {seeds} | {shares} |")
    return "\n".join(lines)


def main() -> None:
    """Write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boards", type=int, default=300)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/false_positives.md"))
    arguments = parser.parse_args()
    arguments.out.write_text(report(arguments.boards), encoding="utf-8")


if __name__ == "__main__":
    main()
