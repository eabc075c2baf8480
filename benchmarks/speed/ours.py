"""A run of ours as its own process, like `bench run`: `python -m benchmarks.speed.ours PLAN.json OUT`.

With `--profile`, unless `--plain`: a clock waits for a GPU at the end of each part of the work.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench import quiet, run
from bench.plan import Plan
from leaderboard import render

if __name__ == "__main__":
    quiet.hush()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.ours", description=__doc__)
    parser.add_argument("plan", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--workers", type=int, help="as of bench run")
    parser.add_argument("--plain", action="store_true", help="do not count where the time goes")
    asked = parser.parse_args()
    summary = run.run(
        Plan.loads(asked.plan.read_text()), asked.out, workers=asked.workers, profile=None if asked.plain else "times"
    )
    render.refresh(asked.out)
    sys.exit(summary.exit_code)
