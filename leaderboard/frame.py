"""Turns records into the values of a board: columns, lines, marks, floors, costs, notes.

Knows records only. Must not know how a board is laid out or stored, and imports nothing heavy, so that `show` is quick.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.record import Names, Record
from leaderboard import column, notes, sizes, stats
from leaderboard.column import Column, Entry, TaskView
from leaderboard.rank import Place

HEADS = ("classify", "regress", "tag", "span", "generate")
FAMILIES = ("encoder", "decoder", "encoder-decoder")
FIELDS = (
    "task", "model", "method", "source", "outcome", "reason", "metric", "score", "low", "high", "seeds", "rate",
    "seconds", "peak_memory", "trainable_params", "total_params",
    "family", "head", "spread", "rate_at_edge", "trials", "synthetic", "train_rows",
)
"""The names of `as_rows`, in order."""


@dataclass(frozen=True)
class Costs:
    """What a line's cells cost together: the largest parameter counts and memory, the sum of the seconds.

    `complete` is False when a column's seconds are not known: then `seconds` is a lower bound.
    """

    trainable: int | None
    total: int | None
    seconds: float | None
    peak_memory: int | None
    complete: bool

    @property
    def share(self) -> float | None:
        """The part of the parameters that trains."""
        return self.trainable / self.total if self.trainable is not None and self.total else None


@dataclass(frozen=True)
class Line:
    """One model with one method: an entry for every column, None where there is no record.

    `rows` are the training rows, None where they are not told apart on the board.
    """

    model: str
    method: str
    family: str
    rows: int | None
    entries: tuple[Entry | None, ...]
    average: float | None
    costs: Costs


@dataclass(frozen=True)
class FloorLine:
    """The floors of all columns for lines with so many training rows, None for all lines."""

    rows: int | None
    floors: tuple[tuple[str, float] | None, ...]


@dataclass(frozen=True)
class Board:
    """Everything that a board shows, in the order in which it is shown; the same for the same records in any order.

    `averaged` says whether averages over the columns mean anything, `sized` whether lines are told apart by their
    training rows, because some task has cells with several numbers of them; `failures` are the cells without a score.
    """

    records: tuple[Record, ...]
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    floors: tuple[FloorLine, ...]
    tasks: tuple[TaskView, ...]
    failures: tuple[Entry, ...]
    averaged: bool
    sized: bool
    notes: tuple[str, ...]


def table(records: Sequence[Record], places: Mapping[Names, Place] | None = None) -> Board:
    """The board of `records`, its marks by their places among those that they were compared with (`leaderboard.study`).

    Where cells have none, marks rest on the overlap of intervals. Raises ValueError when a cell has two records for the
    same source.
    """
    ordered = sorted(records, key=_place)
    _refuse_doubles(ordered)
    tasks = tuple(column.view(group, places or {}) for group in _groups(ordered))
    columns = tuple(view.column for view in tasks)
    averaged = len(columns) > 1 and len({c.higher_is_better for c in columns}) == 1
    sized = any(len(column.levels) > 1 for column in columns)
    lines = _lines(tasks, averaged, sized, method_order(ordered))
    return Board(
        records=tuple(ordered),
        columns=columns,
        lines=lines,
        floors=_floor_lines(columns, sized),
        tasks=tasks,
        failures=tuple(e for view in tasks for e in view.entries if not e.scored),
        averaged=averaged,
        sized=sized,
        notes=notes.of(ordered, averaged, sum(line.average is None for line in lines)),
    )


def as_rows(records: Sequence[Record]) -> list[dict[str, Any]]:
    """One flat dictionary a cell, numbers unrounded, None where unknown; `seeds` are the seeds' scores."""
    ordered = sorted(records, key=_place)
    return [_row(record, rows) for record, rows in zip(ordered, sizes.train_rows(ordered), strict=True)]


def _row(record: Record, rows: int | None) -> dict[str, Any]:
    cost, parameters = record.cost, record.parameters
    others = {
        "outcome": str(record.outcome),
        "seeds": list(record.seed_scores),
        "seconds": cost.seconds if cost else None,
        "peak_memory": cost.peak_memory if cost else None,
        "trainable_params": parameters.trainable if parameters else None,
        "total_params": parameters.total if parameters else None,
        "spread": stats.sample_sd(record.seed_scores) if record.score is not None else None,
        "trials": len(record.trials),
        "synthetic": record.data.synthetic if record.data else None,
        "train_rows": rows,
    }
    return {name: others[name] if name in others else getattr(record, name) for name in FIELDS}


def _index(name: str, order: Sequence[str]) -> int:
    return order.index(name) if name in order else len(order)


def _place(record: Record) -> tuple[Any, ...]:
    return (_index(record.head, HEADS), record.task, record.source, _index(record.family, FAMILIES), record.family,
            record.model, record.method, record.train_size or 0)


def _refuse_doubles(ordered: Sequence[Record]) -> None:
    for one, other in itertools.pairwise(ordered):
        if _place(one) == _place(other):
            raise ValueError(f"two records of the cell {one.key} from source {one.source!r}; show one run at a time")


def _groups(ordered: Sequence[Record]) -> list[list[Record]]:
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in ordered:
        groups.setdefault((record.task, record.source), []).append(record)
    return list(groups.values())


def method_order(ordered: Iterable[Record]) -> dict[str, tuple[float, str]]:
    """Methods that train more come first (by their largest share), so that every model lists them in the same order."""
    shares: dict[str, float] = {}
    for record in ordered:
        parameters = record.parameters
        share = parameters.trainable / parameters.total if parameters and parameters.total else 0.0
        shares[record.method] = max(share, shares.get(record.method, 0.0))
    return {method: (-share, method) for method, share in shares.items()}


_Key = tuple[str, str, int | None, int]
"""Model, method and training rows of a line, and a number where the same is there more than once."""


def _lines(
    tasks: Sequence[TaskView], averaged: bool, sized: bool, methods: dict[str, tuple[float, str]]
) -> tuple[Line, ...]:
    found = [_by_line(view, sized) for view in tasks]
    heads = {key: entry.record.family for entries in found for key, entry in entries.items()}

    def place(key: _Key) -> tuple[Any, ...]:
        model, method, rows, number = key
        return _index(heads[key], FAMILIES), heads[key], model, sizes.fewest_first(rows), methods[method], number

    return tuple(
        _line(key, heads[key], tuple(entries.get(key) for entries in found), averaged)
        for key in sorted(heads, key=place)
    )


def _by_line(view: TaskView, sized: bool) -> dict[_Key, Entry]:
    """The cells of a task by the line they stand in. Two sizes beyond the data are the same rows, but two lines."""
    found: dict[_Key, Entry] = {}
    for entry in sorted(view.entries, key=lambda e: e.record.train_size or 0):
        who = (entry.record.model, entry.record.method, entry.level.rows if sized else None)
        number = next(number for number in itertools.count() if (*who, number) not in found)
        found[*who, number] = entry
    return found


def _line(key: _Key, family: str, entries: tuple[Entry | None, ...], averaged: bool) -> Line:
    scores = [e.record.score for e in entries if e is not None and e.record.score is not None]
    average = stats.mean(scores) if averaged and len(scores) == len(entries) else None
    return Line(key[0], key[1], family, key[2], entries, average, _costs(entries))


def _floor_lines(columns: Sequence[Column], sized: bool) -> tuple[FloorLine, ...]:
    """The floors below the table: one line, or one for each number of training rows where these make a difference."""
    if not sized or all(len({level.floor for level in column.levels}) == 1 for column in columns):
        return (FloorLine(None, tuple(column.levels[0].floor for column in columns)),)
    found = [{level.rows: level.floor for level in column.levels} for column in columns]
    order = sorted({rows for floors in found for rows in floors}, key=sizes.fewest_first)
    return tuple(FloorLine(rows, tuple(floors.get(rows) for floors in found)) for rows in order)


def _costs(entries: Sequence[Entry | None]) -> Costs:
    records = [e.record for e in entries if e is not None]
    parameters = [r.parameters for r in records if r.parameters is not None]
    costs = [r.cost for r in records if r.cost is not None]
    return Costs(
        trainable=max((p.trainable for p in parameters), default=None),
        total=max((p.total for p in parameters), default=None),
        seconds=sum(c.seconds for c in costs) if costs else None,
        peak_memory=max((c.peak_memory for c in costs if c.peak_memory is not None), default=None),
        complete=len(costs) == len(entries),
    )

