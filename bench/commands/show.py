"""`show`: the leaderboard of a run in the terminal, one of its cells in full, or all as JSON. Changes nothing."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from bench.commands import results
from bench.record import Record
from bench.screen import Screen
from bench.store import Store
from leaderboard import single, terminal


def main(arguments: argparse.Namespace, screen: Screen) -> int:
    """Show a run, or one of its cells.

    Raises StoreError where there is no run, NothingSelectedError where it has no records, UnknownNameError for a cell
    that it does not have.
    """
    run = results.directory(arguments.run)
    records = results.read(run, screen)
    chosen = results.named(records, arguments.cell) if arguments.cell is not None else None
    if arguments.json:
        screen.say(_as_json(run, records, chosen))
    elif chosen is not None:
        screen.say(single.render(chosen))
    else:
        screen.say(_board(run, records, screen))
    return 0


def _as_json(run: Path, records: Sequence[Record], chosen: Record | None) -> str:
    """One object a line for each cell, or for the chosen one, with its marks among all."""
    from leaderboard import study, tables

    board = study.of(Store(run), records).board
    rows = zip(board.records, tables.rows(board), strict=True)
    return "\n".join(json.dumps(row) for record, row in rows if chosen is None or record.names == chosen.names)


def _board(run: Path, records: Sequence[Record], screen: Screen) -> str:
    from leaderboard import study

    found = study.of(Store(run), records)
    gap = results.unfinished(run)
    board = terminal.render(found.board, screen.width, screen.color, found.overall)
    return board if gap is None else f"{board}\n\n{gap}"
