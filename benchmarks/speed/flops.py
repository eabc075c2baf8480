"""What cells cannot do without: `python -m benchmarks.speed.flops PLAN.json RESULT.json` counts their matrix products.

Every training, evaluation and written text of a cell (`benchmarks.speed.kernels`); what is computed once and used
again counts once. On one thread, in the environment of our workers, as they make them.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import cell as cells
from bench import quiet, sources
from bench.material import Material
from bench.plan import Cell, Plan


def count(cell: Cell) -> dict[str, Any]:
    """`Kernels` of all that is done while the cell is made, and the precision that its products have.

    Raises RuntimeError for a cell that failed.
    """
    from bench.learn.fit import open_learner
    from benchmarks.speed.kernels import counted

    splits = sources.load(cell.task, cell.source, data_dir=cell.data_dir, budget=cell.budget)
    with tempfile.TemporaryDirectory() as place:
        made, kernels = counted(lambda: cells.run(
            cell, open_learner, open_material=lambda: Material(cell.task, splits), study=Path(place) / "study.log"
        ))
    if made.record.score is None:
        raise RuntimeError(f"{cell.key}: {made.record.outcome} {made.record.reason}")
    return {**asdict(kernels), "precision": made.record.provenance["precision"]}


def least_seconds(found: Mapping[str, Mapping[str, Any]], peaks: Mapping[str, float]) -> float:
    """Seconds that the products of all cells would take at `peaks`, in GFLOP/s by precision."""
    return sum(float(cell["flop"]) / (peaks[cell["precision"]] * 1e9) for cell in found.values())


def alone(found: Mapping[str, Mapping[str, Any]], kind: str, cores: int) -> float:
    """Seconds that the kernels of this kind (`products`, `all`) of all cells take by themselves on so many cores, each
    made on one of them."""
    return sum(float(cell[kind]) for cell in found.values()) / cores


def main(source: Path, target: Path) -> None:
    """Count every cell of the plan."""
    import torch

    torch.set_num_threads(1)
    planned = Plan.loads(source.read_text())
    target.write_text(json.dumps({cell.key: count(cell) for cell in planned.cells}))


if __name__ == "__main__":
    quiet.hush()
    main(Path(sys.argv[1]), Path(sys.argv[2]))
