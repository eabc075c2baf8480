"""A run of ours as its own process, like `bench run --profile`: `python -m benchmarks.speed.ours PLAN.json OUT`."""

from __future__ import annotations

import sys
from pathlib import Path

from bench import quiet, run
from bench.plan import Plan
from leaderboard import render

if __name__ == "__main__":
    quiet.hush()
    summary = run.run(Plan.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]), profile="times")
    render.refresh(Path(sys.argv[2]))
    sys.exit(summary.exit_code)
