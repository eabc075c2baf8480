"""`show`: the leaderboard of a run in the terminal, one of its cells in full, or all as JSON. Changes nothing."""

from __future__ import annotations

import argparse
import json

from bench.commands import results
from bench.screen import Screen
from bench.store import Store
from leaderboard import single, terminal


def main(arguments: argparse.Namespace, screen: Screen) -> int:
    """Show a run, or one of its cells.

    Raises StoreError where there is no run, NothingSelectedError where it has no records, UnknownNameError for a cell
    that it does not have.
    """
    from leaderboard import study, tables  # late: they take numpy

    run = results.directory(arguments.run)
    records = results.read(run, screen)
    chosen = [results.named(records, arguments.cell)] if arguments.cell is not None else records
    if chosen is not records and not arguments.json:
        screen.say(single.render(chosen[0]))
        return 0
    found = study.of(Store(run), records)
    if arguments.json:
        keys = {(record.key, record.source) for record in chosen}
        kept = (row for row, r in zip(tables.rows(found.board), found.board.records, strict=True)
                if (r.key, r.source) in keys)
        screen.say("\n".join(json.dumps(row) for row in kept))
        return 0
    screen.say(terminal.render(found.board, screen.width, screen.color, found.overall))
    gap = results.unfinished(run)
    if gap is not None:
        screen.say(f"\n{gap}")
    return 0
