"""`compare`: whether a run got worse than another, and what moved first. Changes neither run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands import results
from bench.errors import RequestError
from bench.screen import Screen

if TYPE_CHECKING:
    from leaderboard.sides import Side


def main(arguments: argparse.Namespace, screen: Screen) -> int:
    """Show the verdict and exit with its code.

    Raises StoreError where a run cannot be read, RequestError for a directory that is no run or has no earlier nights.
    """
    from leaderboard import report
    from leaderboard.compare import compare

    base, head = (_read(results.directory(name)) for name in (arguments.base, arguments.head))
    for problem in (*base.problems, *head.problems):
        screen.warn(problem)
    earlier = _earlier(arguments.history, screen) if arguments.history else []
    found = compare(base, head, [side for side in earlier if side.name not in (base.name, head.name)])
    screen.say(report.as_json(found).rstrip() if arguments.json else report.text(found))
    if arguments.out is not None:
        screen.tell(paths(report.write(found, arguments.out)))
    return found.exit_code


def _read(run: Path) -> Side:
    """Raises RequestError for a directory with neither records nor a plan: it is likely not the one that was meant."""
    from leaderboard import sides

    side = sides.read(run)
    if not side.keys and side.night is None:
        raise RequestError(f"{run} holds no run: there are neither records nor a plan.")
    return side


def _earlier(history: Path, screen: Screen) -> list[Side]:
    """Raises RequestError for a directory without nights, as nothing could be learnt from it."""
    from bench.commands import nights

    found = nights.read(history, screen.warn)
    if not found:
        raise RequestError(f"{history} holds no nights, as `nightly` makes them (2031-05-04T02-30-00Z, ...).")
    return found


def paths(written: list[Path]) -> str:
    """Where the verdict lies, one file a line."""
    return "\n".join(f"  {path}" for path in written)
