"""How much faster than the script that people write today: `python -m benchmarks.speed`, from the repository's root.

Runs both sides alternately and writes the tables into `benchmarks/README.md`; what was measured is kept in
`benchmarks/speed.json`, part by part, so that one part can be measured again. Needs Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import provenance
from bench.plan import Plan
from benchmarks.speed import flops, grid, machine, process, single, tables

HERE = Path(__file__).resolve().parent.parent
RESULTS, PAGE = HERE / "speed.json", HERE / "README.md"
PARTS = ("grid", "unpruned", "single", "whole", "counted")
"""`counted` are the products of the whole, which take their time but no quiet machine."""


def main() -> None:
    """Measure what is asked for, and write the page."""
    asked = _arguments()
    process.adopt_orphans()
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for part in asked.parts.split(","):
        before = os.getloadavg()[0]
        found = _single(asked) if part == "single" else _counted() if part == "counted" else _grid(asked, part)
        facts = {**machine.describe(), "peaks": {n: machine.peaks(int(n)) for n in _threads()}}
        results[part] = {"machine": facts, "load": (before, os.getloadavg()[0]), **found}
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        PAGE.write_text(tables.render(json.loads(RESULTS.read_text())))
    print(PAGE.read_text())


def _threads() -> list[str]:
    return [str(n) for n in sorted({1, provenance.cores()})]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--parts", default=",".join(PARTS[:3]), help=f"which of {', '.join(PARTS)}")
    parser.add_argument("--cells", help="these cells of glue-lite, as in ner/bert-mini/full,qa/t5-mini/lora")
    parser.add_argument("--rounds", type=int, default=2, help="how often both sides run")
    parser.add_argument("--sst2", metavar="DIR", help="rows for MiniLM: DIR/sentiment/{train,validation,test}.jsonl")
    return parser.parse_args()


def _grid(asked: argparse.Namespace, part: str) -> dict[str, Any]:
    """Both sides in turn. For the whole suite the peer does not run a second time, a cell on each core, and kernels are
    not timed: either would take about as long again."""
    names = None if part == "whole" else asked.cells.split(",") if asked.cells else grid.SAMPLE
    planned = grid.cells(names, pruning=part != "unpruned")
    rounds = []
    with tempfile.TemporaryDirectory() as place:
        bfloat16 = grid.precisions(planned, Path(place))
        for number in range(asked.rounds):
            rounds.append(asdict(grid.one_round(planned, Path(place), number, bfloat16, at_once=part != "whole")))
            print(f"round {number + 1}: {tables.ratios([rounds[-1]['peer']['wall']], [rounds[-1]['ours']['wall']])}")
        measured = {"rounds": rounds, "bfloat16": bfloat16}
        return measured if part == "whole" else {**measured, "work": _work(planned, Path(place), timed=True)}


def _counted() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        return {"work": _work(grid.cells(None, pruning=True), Path(place), timed=False)}


def _work(planned: Plan, place: Path, *, timed: bool) -> dict[str, Any]:
    """What the cells have to do, on all cores."""
    source = place / "plan.json"
    source.write_text(planned.dumps())
    return flops.of_plan(source, place, provenance.cores(), timed=timed)


def _single(asked: argparse.Namespace) -> dict[str, Any]:
    shapes = [*single.SHAPES, *([single.minilm(asked.sst2)] if asked.sst2 else [])]
    with tempfile.TemporaryDirectory() as place:
        found = single.measure([[shape] for shape in shapes], Path(place))
    return {"shapes": found}


if __name__ == "__main__":
    main()
