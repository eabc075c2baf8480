"""Cells made in this process, with or without a lever.

    python -m benchmarks.ablation.child LEVER with|without RESULT.json CELL [CELL ...]

Writes seconds of wall and of processor time, imports left out, where they went, and the test scores of each cell by
seed.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import catalog, plan, pool, quiet, run, work
from bench.commands.request import with_budget
from bench.plan import Cell
from bench.store import Store
from benchmarks.ablation.levers import LEVERS

BUDGET = {"train_size": 160, "validation_size": 60, "test_size": 150, "seeds": (1, 2)}
"""What is smaller than in glue-lite, so that all levers take minutes."""


def cells(keys: Sequence[str], changes: Mapping[str, Any]) -> list[Cell]:
    """The cells of glue-lite with these keys, under BUDGET and the changes."""
    suite = with_budget(catalog.suite("glue-lite"), {**BUDGET, **changes})
    tasks, models, methods = zip(*(key.split("/") for key in keys), strict=True)
    made = {cell.key: cell for cell in plan.make(suite, plan.Request(tasks, models, methods)).cells}
    return [made[key] for key in keys]


def made(asked: Sequence[Cell], out: Path) -> dict[str, Any]:
    """Make the cells, as a worker does.

    Raises RuntimeError for a cell that fails.
    """
    wall, processor = time.perf_counter(), time.process_time()
    for cell in asked:
        work.do(work.Job(cell, out, run.LEARNER, {}, profile="times"))
    took = {"wall": time.perf_counter() - wall, "processor": time.process_time() - processor}
    scores = {}
    spent: Counter[str] = Counter()
    for record in Store(out).records():
        if record.score is None:
            raise RuntimeError(f"{record.key}: {record.outcome} {record.reason}")
        scores[record.key] = record.seed_scores
        spent.update({name: part.seconds for name, part in record.spent.items()})
    return {**took, "scores": scores, "spent": spent}


def main(name: str, side: str, target: Path, keys: Sequence[str]) -> None:
    """Make the cells and write what they took."""
    quiet.hush()
    lever, without = LEVERS[name], side == "without"
    for module in (*pool.PRELOADED, *pool.PRELOADED_FOR_LEARNING):
        importlib.import_module(module)
    work.one_thread()
    if without:
        lever.off()
    asked = cells(keys, lever.budget if without else {})
    with tempfile.TemporaryDirectory() as out:
        target.write_text(json.dumps(made(asked, Path(out))))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4:])
