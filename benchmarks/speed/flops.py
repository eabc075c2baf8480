"""What cells cannot do without: `python -m benchmarks.speed.flops PLAN.json RESULT.json` counts their matrix products.

Every training, evaluation and written text of a cell (`benchmarks.speed.kernels`); what is computed once and used
again counts once. On one thread, in the environment of our workers, as they make them. With `--untimed` no kernel is
called again, which takes several times as long as the cell itself; `--part 2/3` is the second of three parts.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import cell as cells
from bench import quiet, sources, work
from bench.material import Material
from bench.plan import Cell, Plan
from benchmarks.speed import process


def count(cell: Cell, *, timed: bool = True) -> dict[str, Any]:
    """`Kernels` of all that is done while the cell is made, and the precision that its products have.

    Raises RuntimeError for a cell that failed.
    """
    from bench.learn.fit import open_learner
    from benchmarks.speed.kernels import counted

    splits = sources.load(cell.task, cell.source, data_dir=cell.data_dir, budget=cell.budget)
    with tempfile.TemporaryDirectory() as place:
        made, kernels = counted(lambda: cells.run(
            cell, open_learner, open_material=lambda: Material(cell.task, splits), study=Path(place) / "study.log"
        ), timed=timed)
    if made.record.score is None:
        raise RuntimeError(f"{cell.key}: {made.record.outcome} {made.record.reason}")
    return {**asdict(kernels), "precision": made.record.provenance["precision"]}


def least_seconds(found: Mapping[str, Mapping[str, Any]], peaks: Mapping[str, float]) -> float:
    """Seconds that the products of all cells would take at `peaks`, in GFLOP/s by precision."""
    return sum(float(cell["flop"]) / (peaks[cell["precision"]] * 1e9) for cell in found.values())


def alone(found: Mapping[str, Mapping[str, Any]], kind: str, cores: int) -> float | None:
    """Seconds that the kernels of this kind (`products`, `all`) of all cells take by themselves on so many cores, each
    made on one of them; None where they were not timed."""
    taken = [cell[kind] for cell in found.values()]
    return None if None in taken else sum(taken) / cores


def of_plan(source: Path, place: Path, parts: int, *, timed: bool) -> dict[str, Any]:
    """What `main` finds of the plan's cells, as many processes as parts at once; files go to `place`."""
    targets = [place / f"counts-{part}.json" for part in range(1, parts + 1)]
    flags = [] if timed else ["--untimed"]
    process.run_all([
        ["benchmarks.speed.flops", str(source), str(target), f"--part={part}/{parts}", *flags]
        for part, target in enumerate(targets, 1)
    ], parts, work.ENVIRONMENT)
    found: dict[str, Any] = {}
    for target in targets:
        found |= json.loads(target.read_text())
    return found


def main() -> None:
    """Count the cells of the plan, or of a part of it."""
    import torch

    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.flops", description=__doc__)
    parser.add_argument("plan", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--part", default="1/1")
    parser.add_argument("--untimed", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    part, parts = map(int, asked.part.split("/"))
    chosen = Plan.loads(asked.plan.read_text()).cells[part - 1 :: parts]
    asked.result.write_text(json.dumps({cell.key: count(cell, timed=not asked.untimed) for cell in chosen}))


if __name__ == "__main__":
    quiet.hush()
    main()
