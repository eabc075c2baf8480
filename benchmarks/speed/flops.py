"""What cells cannot do without: `python -m benchmarks.speed.flops PLAN.json RESULT.json` counts their matrix products.

Every training, evaluation and written text of a cell, as torch's `FlopCounterMode` sees them (two operations for each
multiplication with its addition, backward passes included); what is computed once and used again counts once.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import cell as cells
from bench import quiet, sources
from bench.material import Material
from bench.plan import Cell, Plan


def count(cell: Cell) -> dict[str, Any]:
    """Operations in matrix products while the cell is made, and the precision that they have.

    Raises RuntimeError for a cell that failed.
    """
    from torch.utils.flop_counter import FlopCounterMode

    from bench.learn.fit import open_learner

    splits = sources.load(cell.task, cell.source, data_dir=cell.data_dir, budget=cell.budget)
    with tempfile.TemporaryDirectory() as place, FlopCounterMode(display=False) as counter:
        made = cells.run(
            cell, open_learner, open_material=lambda: Material(cell.task, splits), study=Path(place) / "study.log"
        )
    if made.record.score is None:
        raise RuntimeError(f"{cell.key}: {made.record.outcome} {made.record.reason}")
    return {"flop": counter.get_total_flops(), "precision": made.record.provenance["precision"]}


def least_seconds(found: Mapping[str, Mapping[str, Any]], peaks: Mapping[str, float]) -> float:
    """Seconds that the products of all cells would take at `peaks`, in GFLOP/s by precision."""
    return sum(float(cell["flop"]) / (peaks[cell["precision"]] * 1e9) for cell in found.values())


def main(source: Path, target: Path) -> None:
    """Count every cell of the plan."""
    planned = Plan.loads(source.read_text())
    target.write_text(json.dumps({cell.key: count(cell) for cell in planned.cells}))


if __name__ == "__main__":
    quiet.hush()
    main(Path(sys.argv[1]), Path(sys.argv[2]))
