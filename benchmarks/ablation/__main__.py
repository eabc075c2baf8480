"""What each single lever gives: `python -m benchmarks.ablation`, from the repository's root.

Takes about half an hour and writes `benchmarks/ablation.md`, unless only some levers are measured. Needs Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import work
from benchmarks.ablation import child, page
from benchmarks.ablation.levers import LEVERS, Lever
from benchmarks.ablation.page import Measured, Side
from benchmarks.speed import machine, process

PAGE = Path(__file__).resolve().parent.parent / "ablation.md"
SIDES = ("with", "without")


def main() -> None:
    """Measure each lever, tell of it, and write the page."""
    asked = _arguments()
    process.adopt_orphans()
    before = os.getloadavg()[0]
    names = asked.levers.split(",") if asked.levers else list(LEVERS)
    found = [_told(name, cells.split(), asked.rounds) for name in names for cells in LEVERS[name].cells]
    if not asked.levers:
        load = before, os.getloadavg()[0]
        budget = ", ".join(f"{name} {value}" for name, value in child.BUDGET.items())
        PAGE.write_text(page.render(found, machine.describe(), load, budget))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation", description=__doc__)
    parser.add_argument("--levers", help=f"only some, which writes no page: {','.join(LEVERS)}")
    parser.add_argument("--rounds", type=int, default=2, help="how often each side runs")
    return parser.parse_args()


def _told(name: str, cells: Sequence[str], rounds: int) -> Measured:
    """Both sides in turn, the other one first in every second round."""
    taken: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for number in range(rounds):
        for side in SIDES if number % 2 == 0 else reversed(SIDES):
            taken[side].append(_taken(name, side, cells))
    found = Measured(LEVERS[name].what, cells, *(_side(taken[side]) for side in SIDES))
    print(page.line(found), end="", flush=True)
    return found


def _side(rounds: Sequence[dict[str, Any]]) -> Side:
    wall, processor = (tuple(each[kind] for each in rounds) for kind in ("wall", "processor"))
    return Side(wall, processor, rounds[0]["scores"], rounds[0]["spent"])


def _taken(name: str, side: str, cells: Sequence[str]) -> dict[str, Any]:
    """What the cells took on this side, in one process, or in one for each."""
    lever = LEVERS[name]
    if not lever.fresh:
        return _child(name, side, cells)
    each = [_child(name, side, [cell]) for cell in cells] if side == "without" else [_child(name, side, cells)]
    return {
        "wall": sum(one["whole"].wall for one in each), "processor": sum(one["whole"].processor for one in each),
        "scores": {key: scores for one in each for key, scores in one["scores"].items()},
        "spent": sum((Counter(one["spent"]) for one in each), Counter()),
    }


def _child(name: str, side: str, cells: Sequence[str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        target = Path(place) / "result.json"
        whole = process.run(
            ["benchmarks.ablation.child", name, side, str(target), *cells], environment(LEVERS[name], side)
        )
        return {**json.loads(target.read_text()), "whole": whole}


def environment(lever: Lever, side: str) -> dict[str, str]:
    """That of a worker, without what the lever leaves out on the side that is without it."""
    return {name: value for name, value in work.ENVIRONMENT.items() if side == "with" or name not in lever.unset}


if __name__ == "__main__":
    main()
