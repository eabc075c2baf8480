"""Which precision the peer trains faster in: `python -m benchmarks.peer.precision RESULT.json CELL.json...`.

A user tries bfloat16 and keeps it where it pays. So a few steps of each cell are trained in either precision, in turn.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.peer import handed as told
from benchmarks.peer.__main__ import Cell, hush
from benchmarks.peer.handed import Handed

STEPS, ROUNDS = 24, 4
"""Optimizer steps of a try; the first round does not count."""


def seconds(cell: Cell) -> float:
    """How long a few steps take, without evaluations."""
    trainer = cell.trainer(1, 0, cell.handed.rates[2], keep_best=False)
    trainer.args.eval_strategy, trainer.args.max_steps = "no", STEPS
    started = time.perf_counter()
    trainer.train()
    return time.perf_counter() - started


def pays(handed: Handed) -> bool:
    """Whether bfloat16 is the faster one."""
    with tempfile.TemporaryDirectory() as out:
        cells = [Cell(dataclasses.replace(handed, bfloat16=kind), Path(out)) for kind in (False, True)]
        taken = [[seconds(cell) for cell in cells] for _ in range(ROUNDS)][1:]
    plain, short = (min(each[side] for each in taken) for side in range(2))
    return short < plain


def main(target: Path, sources: list[Path]) -> None:
    """Write for each cell whether bfloat16 pays."""
    target.write_text(json.dumps({str(source): pays(told.read(source)) for source in sources}))


if __name__ == "__main__":
    hush()
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
