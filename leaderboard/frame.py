"""Turns records into the values of a board: columns, lines, marks, floors, costs, notes.

Knows records only. Must not know how a board is laid out or stored, and imports nothing heavy, so that `show` is quick.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.record import Names, Record
from leaderboard import column, notes, sizes
from leaderboard.column import Column, Entry, Kind, Level, TaskView
from leaderboard.rank import OVERLAP, Place
from leaderboard.stats import Figure

HEADS = ("classify", "regress", "tag", "span", "generate")
FAMILIES = ("encoder", "decoder", "encoder-decoder")

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

    `rows` are the training rows, None where they are not told apart on the board. `overall` is the mean place between
    floor (0) and best (100) over all tasks, None where that cannot be told.
    """

    model: str
    method: str
    family: str
    rows: int | None
    entries: tuple[Entry | None, ...]
    overall: Figure | None
    costs: Costs


@dataclass(frozen=True)
class FloorLine:
    """The best floor, or cheap baseline, of each column for lines with so many training rows, None for all lines."""

    kind: Kind
    rows: int | None
    floors: tuple[tuple[str, float] | None, ...]


@dataclass(frozen=True)
class Board:
    """Everything that a board shows, in the order in which it is shown; the same for the same records in any order.

    `overall` says whether any line has a figure over all tasks, `sized` whether lines are told apart by their training
    rows, because some task has cells with several numbers of them; `failures` are the cells without a score. `floors`
    are the lines of the floors, then those of the cheap baselines where there are any.
    """

    records: tuple[Record, ...]
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    floors: tuple[FloorLine, ...]
    tasks: tuple[TaskView, ...]
    failures: tuple[Entry, ...]
    overall: bool
    sized: bool
    notes: tuple[str, ...]


def table(
    records: Sequence[Record],
    places: Mapping[Names, Place] | None = None,
    overall: Mapping[Who, Figure] | None = None,
) -> Board:
    """The board of `records`, its marks by their places among those that they were compared with (`leaderboard.study`).

    Where cells have none, marks rest on the overlap of intervals. `overall` are lines' figures over all tasks. Raises
    ValueError when a cell has two records for the same source.
    """
    ordered = sorted(records, key=_place)
    _refuse_doubles(ordered)
    tasks = tuple(column.view(group, places or {}) for group in _groups(ordered))
    columns = tuple(view.column for view in tasks)
    sized = any(len(column.levels) > 1 for column in columns)
    lines = _lines(tasks, overall or {}, sized, method_order(ordered))
    return Board(
        records=tuple(ordered),
        columns=columns,
        lines=lines,
        floors=_floor_lines(columns, sized),
        tasks=tasks,
        failures=tuple(e for view in tasks for e in view.entries if not e.scored),
        overall=any(line.overall is not None for line in lines),
        sized=sized,
        notes=(*_coarse(columns), *notes.of(ordered)),
    )


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


def _coarse(columns: Sequence[Column]) -> list[str]:
    """Says where marks do not rest on paired comparisons."""
    names = [f"{c.task} ({c.source})" for c in columns if any(level.basis == OVERLAP for level in c.levels)]
    return [f"The marks of {', '.join(names)} rest on {OVERLAP}: that is coarser."] if names else []


Who = tuple[str, str, int | None]
"""Model, method and the training-set size that was asked for where the run has several."""
_Key = tuple[str, str, int | None, int]
"""Model, method and training rows of a line, and a number where the same is there more than once."""


def _lines(
    tasks: Sequence[TaskView], overall: Mapping[Who, Figure], sized: bool, methods: dict[str, tuple[float, str]]
) -> tuple[Line, ...]:
    found = [_by_line(view, sized) for view in tasks]
    heads = {key: entry.record.family for entries in found for key, entry in entries.items()}

    def place(key: _Key) -> tuple[Any, ...]:
        model, method, rows, number = key
        return _index(heads[key], FAMILIES), heads[key], model, sizes.fewest_first(rows), methods[method], number

    return tuple(
        _line(key, heads[key], tuple(entries.get(key) for entries in found), overall)
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


def _line(key: _Key, family: str, entries: tuple[Entry | None, ...], overall: Mapping[Who, Figure]) -> Line:
    model, method, rows, _ = key
    asked = {entry.record.train_size for entry in entries if entry is not None}
    whole = None not in entries and len(asked) == 1
    figure = overall.get((model, method, asked.pop())) if whole else None
    return Line(model, method, family, rows, entries, figure, _costs(entries))


def _floor_lines(columns: Sequence[Column], sized: bool) -> tuple[FloorLine, ...]:
    """The best floors, and the best cheap baselines if there are any, of all columns."""
    floors = _lines_of("floor", columns, sized, lambda level: level.floor)
    baselines = _lines_of("baseline", columns, sized, lambda level: level.baseline)
    return (*floors, *(line for line in baselines if any(line.floors)))


def _lines_of(
    kind: Kind, columns: Sequence[Column], sized: bool, pick: Callable[[Level], tuple[str, float] | None]
) -> tuple[FloorLine, ...]:
    """One line, or one for each number of training rows where these make a difference."""
    if not sized or all(len({pick(level) for level in column.levels}) == 1 for column in columns):
        return (FloorLine(kind, None, tuple(pick(column.levels[0]) for column in columns)),)
    found = [{level.rows: pick(level) for level in column.levels} for column in columns]
    order = sorted({rows for each in found for rows in each}, key=sizes.fewest_first)
    return tuple(FloorLine(kind, rows, tuple(each.get(rows) for each in found)) for rows in order)


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

