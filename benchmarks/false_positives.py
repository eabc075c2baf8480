"""How often are cells told apart that do not differ?

    python -m benchmarks.false_positives [--boards 300] [--out benchmarks/false_positives.md]

Boards of six cells with the same true score, made as `benchmarks.coverage` makes them, answer the same test rows; every
finding of `leaderboard.paired` and `leaderboard.ranks` is then false.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.predictions import Answers
from benchmarks.coverage import SPREADS, World, worlds
from leaderboard.paired import holm, pairs
from leaderboard.panel import Panel, of_answers
from leaderboard.ranks import places

SEEDS = (1, 2, 3, 5)
CELLS = 6
ROWS = 200
INTRODUCTION = """# False findings among cells that do not differ

Written by `python -m benchmarks.false_positives`. {boards} boards of {cells} cells with the same true score on the same
{rows} rows, at the level of 5%: how often the first two cells are told apart (sampling error {error:.1f}); how often
any of the {pairs} pairs is, corrected by Holm's method; how often a cell is shown not to be the best."""


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
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boards", type=int, default=300)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/false_positives.md"))
    arguments = parser.parse_args()
    arguments.out.write_text(report(arguments.boards), encoding="utf-8")


if __name__ == "__main__":
    main()
