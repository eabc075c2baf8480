"""How time grows with rows, length, parameters, trials and cells: `python -m benchmarks.growth`, from the root.

Takes some minutes on one core and writes `benchmarks/growth.md`, unless only some axes are measured.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from bench import quiet, work
from benchmarks.growth import axis, grids, page, trainings
from benchmarks.growth.axis import Axis, Found
from benchmarks.speed import machine

PAGE = Path(__file__).resolve().parent.parent / "growth.md"
AXES = (*trainings.AXES, *grids.AXES)


def main() -> None:
    """Measure each axis, tell of it, and write the page."""
    asked = _arguments()
    _be_a_worker()
    before = os.getloadavg()[0]
    found = [_told(each, asked.rounds) for each in AXES if not asked.only or asked.only in each.name]
    if not asked.only:
        load = before, os.getloadavg()[0]
        PAGE.write_text(page.render(found, machine.describe(), load, trainings.TOKENS))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--only", metavar="WORD", help="the axes with this in their names; writes no page")
    parser.add_argument("--rounds", type=int, default=3, help="how often each size is measured")
    return parser.parse_args()


def _be_a_worker() -> None:
    """Go on in the environment that a worker has, which must be there before this process begins."""
    if any(os.environ.get(name) != value for name, value in work.ENVIRONMENT.items()):
        own = [sys.executable, "-m", "benchmarks.growth", *sys.argv[1:]]
        os.execve(sys.executable, own, {**os.environ, **work.ENVIRONMENT})
    quiet.hush()
    work.one_thread()


def _told(each: Axis, rounds: int) -> Found:
    with tempfile.TemporaryDirectory() as place:
        found = axis.measure(each, rounds, Path(place))
    print(page.line(found), end="", flush=True)
    return found


if __name__ == "__main__":
    main()
