"""`compare`: whether a run got worse than another, and what moved first. Changes neither run."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.commands import results
from bench.screen import Screen


def main(arguments: argparse.Namespace, screen: Screen) -> int:
    """Show the verdict and exit with its code.

    Raises StoreError where a run cannot be read, RequestError for a directory of earlier nights that is none.
    """
    from bench.commands import nights
    from leaderboard import report, sides
    from leaderboard.compare import compare

    base, head = (sides.read(results.directory(name)) for name in (arguments.base, arguments.head))
    for problem in (*base.problems, *head.problems):
        screen.warn(problem)
    earlier = nights.read(arguments.history) if arguments.history else []
    found = compare(base, head, [side for side in earlier if side.name not in (base.name, head.name)])
    screen.say(report.as_json(found).rstrip() if arguments.json else report.text(found))
    if arguments.out is not None:
        screen.tell(paths(report.write(found, arguments.out)))
    return found.exit_code


def paths(written: list[Path]) -> str:
    """Where the verdict lies, one file a line."""
    return "\n".join(f"  {path}" for path in written)
