"""Several small cells on one accelerator at once: one run with more and more workers, each a process of its own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.plan import Plan
from benchmarks.speed import grid, process

WORKERS = (1, 2, 4, 8)
CELLS = tuple(
    f"{task}/{model}/{method}" for task in ("sentiment", "ner") for model in ("bert-mini", "gpt2-mini")
    for method in ("full", "freeze", "lora", "scratch")
)
"""Sixteen, so that every number of workers has as many cells each."""

MINIATURE_WORKERS = (2,)
MINIATURE_BUDGET = {"trials": 1, "seeds": (1,), "epochs": 1, "train_size": 16, "validation_size": 8, "test_size": 8}


@dataclass(frozen=True)
class Packed:
    """A run of all cells: seconds of wall time with its start, and the largest peak of a cell in bytes."""

    workers: int
    cells: int
    wall: float
    peak: int | None


def measure(place: Path, *, miniature: bool) -> list[Packed]:
    """The run with each number of workers, beginning from nothing each time.

    Raises RuntimeError where a cell failed.
    """
    budget = MINIATURE_BUDGET if miniature else {}
    planned = grid.cells(CELLS[:2] if miniature else CELLS, pruning=True, budget=budget)
    return [_run(planned, place, workers) for workers in (MINIATURE_WORKERS if miniature else WORKERS)]


def _run(planned: Plan, place: Path, workers: int) -> Packed:
    source, out = place / "plan.json", place / "packed"
    source.write_text(planned.dumps())
    took = process.run(["benchmarks.speed.ours", str(source), str(out), "--plain", "--workers", str(workers)])
    peaks = [cell.peak_memory for cell in grid.our_cells(out).values() if cell.peak_memory]
    shutil.rmtree(out)
    return Packed(workers, len(planned.cells), took.wall, max(peaks, default=None))
