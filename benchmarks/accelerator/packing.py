"""Several small cells on one accelerator at once: one run with more and more workers, each a process of its own."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.plan import Plan
from benchmarks.speed import grid, process

WORKERS, ROUNDS = (1, 2, 4, 8), 2
CELLS = tuple(
    f"{task}/{model}/{method}" for task in ("sentiment", "ner") for model in ("bert-mini", "gpt2-mini")
    for method in ("full", "freeze", "lora", "scratch")
)
"""Sixteen, so that every number of workers has as many cells each."""

MINIATURE_WORKERS, MINIATURE_ROUNDS = (2,), 1
MINIATURE_BUDGET = {"trials": 1, "seeds": (1,), "epochs": 1, "train_size": 16, "validation_size": 8, "test_size": 8}


@dataclass(frozen=True)
class Packed:
    """A run of all cells: seconds of wall time with its start, by round, and the largest peak of a cell in bytes."""

    workers: int
    cells: int
    walls: tuple[float, ...]
    peak: int | None


def measure(place: Path, *, miniature: bool) -> list[Packed]:
    """The run with each number of workers, beginning from nothing each time, in rounds.

    Raises RuntimeError where a cell failed.
    """
    workers, rounds = (MINIATURE_WORKERS, MINIATURE_ROUNDS) if miniature else (WORKERS, ROUNDS)
    budget = MINIATURE_BUDGET if miniature else {}
    planned = grid.cells(CELLS[:2] if miniature else CELLS, pruning=True, budget=budget)
    runs = [_run(planned, place, count) for count in order(workers, rounds)]
    return [_together([run for run in runs if run.workers == count]) for count in workers]


def order(workers: Sequence[int], rounds: int) -> list[int]:
    """The numbers of workers in the order of their runs: every other round backwards.

    So a machine that grows warmer or busier favours neither few workers nor many.
    """
    return [count for number in range(rounds) for count in (workers[::-1] if number % 2 else workers)]


def _together(runs: Sequence[Packed]) -> Packed:
    """The rounds of one number of workers as one."""
    peak = max((run.peak for run in runs if run.peak), default=None)
    return dataclasses.replace(runs[0], walls=tuple(wall for run in runs for wall in run.walls), peak=peak)


def _run(planned: Plan, place: Path, workers: int) -> Packed:
    source, out = place / "plan.json", place / "packed"
    source.write_text(planned.dumps())
    took = process.run(["benchmarks.speed.ours", str(source), "--out", str(out), "--workers", str(workers)])
    peaks = [cell.peak_memory for cell in grid.our_cells(out).values() if cell.peak_memory]
    shutil.rmtree(out)
    return Packed(workers, len(planned.cells), (took.wall,), max(peaks, default=None))
