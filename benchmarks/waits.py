"""What a user waits for when nothing trains: `python -m benchmarks.waits RUN`, from the repository's root.

RUN is the directory of a finished run of `glue-lite` (`python -m bench run --suite glue-lite`). Whole commands are
timed, several times in turn, and the page `benchmarks/waits.md` written.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.speed import machine

PAGE = Path(__file__).resolve().parent / "waits.md"
ROUNDS = 5
RANKS = 667
"""LoRA of so many ranks on five tasks and three models: 10,005 cells."""

TEXT = """\
# Waiting

What a user waits for when nothing trains, written by `python -m benchmarks.waits runs/glue-lite`: whole commands, from
the shell and back, the median of {rounds} with their range, after one round for nothing: its first run may publish anew
what another commit has made. The unchanged suite looks for fresh records of its
{cells} cells, finds them all, and publishes; that no record was written is checked.

Measured on: {machine}; load {before:.1f} before and {after:.1f} after.

| command | wall time |
| --- | ---: |
{rows}
"""


def commands(run: Path) -> Mapping[str, list[str]]:
    """What is timed, by what the page calls it."""
    suite = ["--suite", "glue-lite"]
    ranks = ",".join(f"lora[r={rank}]" for rank in range(1, RANKS + 1))
    return {
        "`bench --help`": ["--help"],
        "`bench plan --suite glue-lite`": ["plan", *suite],
        "`bench plan --suite glue-lite --methods lora[r=1],...`: 10,005 cells": ["plan", *suite, "--methods", ranks],
        "`bench run --suite glue-lite`, unchanged": ["run", *suite, "--out", str(run)],
        "`bench show`, the board": ["show", str(run)],
    }


def records(run: Path) -> dict[Path, int]:
    """When each record was written, in nanoseconds."""
    return {path: path.stat().st_mtime_ns for path in (run / "records").rglob("*.json")}


def _seconds(arguments: Sequence[str]) -> float:
    """How long one command takes.

    Raises CalledProcessError where it fails.
    """
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "bench", *arguments], check=True, capture_output=True)
    return time.perf_counter() - started


def main(run: Path) -> None:
    """Time the commands in turn, and write the page."""
    made = records(run)
    if not made:
        raise SystemExit(f"{run}: no records. Make the run first: python -m bench run --suite glue-lite --out {run}")
    before = os.getloadavg()[0]
    taken: dict[str, list[float]] = {}
    for number in range(ROUNDS + 1):
        for name, arguments in commands(run).items():
            seconds = _seconds(arguments)
            if number:
                taken.setdefault(name, []).append(seconds)
            if records(run) != made:
                raise SystemExit(f"{run}: was not a finished run of this version; it is now. Start again.")
    rows = [
        f"| {name} | {statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f}) |"
        for name, seconds in taken.items()
    ]
    told = ", ".join(f"{name} {value}" for name, value in machine.describe().items())
    PAGE.write_text(TEXT.format(
        rounds=ROUNDS, cells=len(made), machine=told, before=before, after=os.getloadavg()[0], rows="\n".join(rows),
    ))
    print(PAGE.read_text())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
