"""Do the intervals of overall figures hold? `python -m benchmarks.overall > benchmarks/overall.md` takes minutes.

Simulates boards whose true scores are known: lines over five tasks, three seeds, rows that are easy or hard for all.
True is a line's mean place between the floor and the truly best score of each task.
"""

from __future__ import annotations

import string
from dataclasses import dataclass

import numpy as np

from bench.metrics.metric import Array
from leaderboard.aggregate import Contest, aggregates
from tests.answers import grid, panel

BOARDS = 150
TASKS, SEEDS, ROWS, FLOOR = 5, 3, 150, 20.0
DIFFER = 3.0
"""Standard deviation, in points, of what a task does to a line."""


@dataclass(frozen=True)
class World:
    """So many lines, the best of which is `apart` points ahead of the last, with seeds that differ by `spread`."""

    lines: int
    apart: float
    spread: float


WORLDS = (World(6, 0.0, 1.5), World(12, 15.0, 1.5), World(8, 60.0, 1.5), World(8, 8.0, 3.0))


def held(world: World, boards: int = BOARDS, seed: int = 0) -> dict[str, float]:
    """Percent of intervals that hold the truth: of all lines, of the truly best one, and of the one that looks best."""
    rng = np.random.default_rng(seed)
    found = [_board(world, rng) for _ in range(boards)]
    return {
        "all": 100 * float(np.mean([holds for holds, _, _ in found])),
        "best": 100 * float(np.mean([holds[np.argmax(truth)] for holds, truth, _ in found])),
        "looks best": 100 * float(np.mean([holds[np.argmax(seen)] for holds, _, seen in found])),
    }


def _board(world: World, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """For each line whether its interval holds, its true and its measured mean place."""
    tops = -np.linspace(0, world.apart, world.lines) + rng.normal(0, DIFFER, (TASKS, world.lines))
    above = np.maximum(50 + tops - FLOOR, 0.0)
    truth = np.mean(100 * above / above.max(axis=1, keepdims=True), axis=0)
    contests = [
        Contest(name, panel(grid(rng, world.lines, SEEDS, ROWS, seed_spread=world.spread, tops=own.tolist())), FLOOR)
        for name, own in zip(string.ascii_lowercase, tops, strict=False)
    ]
    figures = [line.score for line in aggregates(contests)]
    seen = np.array([(f.value, f.low, f.high) for f in figures if f is not None]).T
    return (seen[1] <= truth + 1e-9) & (truth <= seen[2] + 1e-9), truth, seen[0]


INTRO = f"""# Coverage of the intervals of overall figures

Written by `python -m benchmarks.overall`. Percent of 95% intervals of the mean place between floor (0) and best score
(100) that hold the truth, on {BOARDS} simulated boards of {TASKS} tasks, {SEEDS} seeds and {ROWS} rows; the sampling
error of a single line's is below 1.8. They are meant to hold at least as often as they say: the best score of a task
is measured too high, the more so the more lines are close to it.

| lines | best ahead of last by | seeds differ by | all lines | the best line | the line that looks best |
|---:|---:|---:|---:|---:|---:|"""


def main() -> None:
    """Print the table as Markdown."""
    print(INTRO)
    for world in WORLDS:
        rates = " | ".join(f"{rate:.1f}" for rate in held(world).values())
        print(f"| {world.lines} | {world.apart:g} | {world.spread:g} | {rates} |", flush=True)


if __name__ == "__main__":
    main()
