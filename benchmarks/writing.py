"""What our own loop for writing gives: `python -m benchmarks.writing [TASK ...]`, from the root of the repository.

Trains every writing cell of glue-lite once (default rate, one epoch), lets it answer the test rows by our loop and by
transformers' `generate`, and prints how many answers are the same, and the ratio of processor times. On one thread, in
the precision that a run takes.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from bench import catalog, plan, sources
from bench.learn import writing
from bench.learn.fit import open_learner
from bench.learner import Assignment
from bench.material import Material
from bench.plan import Cell

REPEATS = 3


def main(tasks: tuple[str, ...]) -> None:
    """Print a line a cell, then the sums."""
    torch.set_num_threads(1)
    cells = plan.make(catalog.suite("glue-lite"), plan.Request(tasks=tasks)).cells
    known, totals = writing.WRITTEN_HERE, [0, 0, 0.0, 0.0]
    for cell in cells:
        answer = _trained(cell)
        writing.WRITTEN_HERE = known
        ours, times = _answered(answer)
        writing.WRITTEN_HERE = frozenset()
        theirs, slow = _answered(answer)
        same = sum(a == b for a, b in zip(ours, theirs, strict=True))
        totals = [a + b for a, b in zip(totals, (same, len(ours), slow, times), strict=True)]
        print(f"{cell.key:36} {same:4} of {len(ours):4} the same  {slow / times:.2f} times as fast", flush=True)
    same, rows, slow, times = totals
    print(f"all: {same} of {rows} the same, {slow / times:.2f} times as fast")


def _trained(cell: Cell) -> Callable[[], list[Any]]:
    """The raw answers of a trained network to the test rows, whenever they are asked for."""
    splits = sources.load(cell.task, cell.source, data_dir=cell.data_dir, budget=cell.budget)
    material = Material(cell.task, splits)
    learner = open_learner(Assignment(
        task=cell.task, model=cell.model, method=cell.method, options=cell.options, budget=cell.budget,
        train=splits.train, validation=splits.validation, labels=material.labels,
    ))
    assert cell.method.rates is not None
    rate = cell.method.rates.scaled(cell.model.rate_factor * 6).default
    fitted = learner.fit(rate, 1, lambda found: 0.0, lambda point: True, 1)
    return lambda: list(fitted.predict(material.questions).predictions)


def _answered(answer: Callable[[], list[Any]]) -> tuple[list[Any], float]:
    """The answers, and the median seconds of processor that they took."""
    taken = []
    for _ in range(REPEATS):
        started = time.process_time()
        found = answer()
        taken.append(time.process_time() - started)
    return found, statistics.median(taken)


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or ("translation", "summarization"))
