"""How many training rows each cell learnt from: only scores from equally many are compared. Knows records only."""

from __future__ import annotations

from collections.abc import Sequence

from bench.record import Record


def train_rows(records: Sequence[Record]) -> tuple[int | None, ...]:
    """The training rows of each record, None where nothing tells them.

    A cell that ended before its data were read has those of the other cells that were asked for the same size of the
    same data, else the size that was asked for.
    """
    read = {_asked(record): record.data.train for record in records if record.data is not None}
    return tuple(
        read.get(_asked(record), _asked(record)[2]) if record.data is None else record.data.train for record in records
    )


def several(records: Sequence[Record]) -> bool:
    """Whether the cells of some task learnt from different numbers of rows."""
    found: dict[tuple[str, str], set[int | None]] = {}
    for record, rows in zip(records, train_rows(records), strict=True):
        found.setdefault((record.task, record.source), set()).add(rows)
    return any(len(rows) > 1 for rows in found.values())


def fewest_first(rows: int | None) -> tuple[bool, int]:
    """The place of a number of rows among others; an unknown one comes last."""
    return rows is None, rows or 0


def _asked(record: Record) -> tuple[str, str, int | None]:
    size = record.budget.get("train_size")
    return record.task, record.source, size if isinstance(size, int) else None
