"""`show`: the leaderboard of a run in the terminal, one of its cells in full, or all as JSON. Changes nothing."""

from __future__ import annotations

import argparse
import json

from bench.commands import results
from bench.screen import Screen
from bench.store import Store
from leaderboard import frame, single, terminal


def main(arguments: argparse.Namespace, screen: Screen) -> int:
    """Show a run, or one of its cells.

    Raises StoreError where there is no run, NothingSelectedError where it has no records, UnknownNameError for a cell
    that it does not have.
    """
    run = results.directory(arguments.run)
    records = results.read(run, screen)
    if arguments.cell is not None:
        records = [results.named(records, arguments.cell)]
    if arguments.json:
        screen.say("\n".join(json.dumps(row) for row in frame.as_rows(records)))
    elif arguments.cell is not None:
        screen.say(single.render(records[0]))
    else:
        from leaderboard import study  # late: it takes numpy, which single cells and JSON do without

        board = study.of(Store(run), records).board
        screen.say(terminal.render(board, screen.width, screen.color))
        gap = results.unfinished(run)
        if gap is not None:
            screen.say(f"\n{gap}")
    return 0
