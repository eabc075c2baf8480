"""`bench run` for the cells of a plan: `python -m benchmarks.speed.ours PLAN.json --out DIR [options of bench run]`.

All that the command does but reading what to run from its options and showing the board at its end: it looks at the
checkpoints, trains, mirrors to W&B, and publishes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench import options, quiet
from bench.commands import preflight, run
from bench.commands.outlook import Outlook
from bench.commands.request import Asked
from bench.plan import Plan
from bench.screen import Screen

if __name__ == "__main__":
    quiet.hush()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.ours", description=__doc__)
    parser.add_argument("plan", type=Path)
    options.run(parser)
    given = parser.parse_args()
    given.command_line = ""
    asked = Asked(Plan.loads(given.plan.read_text()), given.out)
    outlook = Outlook.of(asked.plan, asked.out, given.workers)
    preflight.check_checkpoints(outlook.to_do)
    summary, _ = run.make(given, asked, outlook, Screen())
    sys.exit(summary.exit_code)
