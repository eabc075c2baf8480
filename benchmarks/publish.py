"""How long a board takes: `python -m benchmarks.publish [cells a task] [folder]`, from the root of the repository.

Makes a run of five tasks with that many cells each (200 by default), 3 seeds and 200 test rows, unless the folder has
one already, and tells the seconds of processor and of wall time that reading, studying and publishing it take.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from bench.store import Store
from leaderboard import render, study
from tests import fake_run


def main(cells: int, folder: Path) -> None:
    """Time the three stages of publishing the run in the folder, the last of which does the first two again."""
    if not (folder / "records").exists():
        fake_run.write(folder, cells, seeds=3, rows=200)
    store = Store(folder)
    start = _told("", None)
    records = store.records()
    start = _told(f"read {len(records)} records", start)
    study.of(store, records)
    start = _told("study them", start)
    with tempfile.TemporaryDirectory() as out:
        render.publish(folder, Path(out))
    _told("publish, all in all", start)


def _told(what: str, since: tuple[float, float] | None) -> tuple[float, float]:
    now = time.process_time(), time.perf_counter()
    if since is not None:
        print(f"{what}: {now[0] - since[0]:.1f} s of processor, {now[1] - since[1]:.1f} s")
    return now


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 200, Path(sys.argv[2] if len(sys.argv) > 2 else temporary))
