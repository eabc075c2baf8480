"""Turns records into the values of a board: columns, lines, marks, floors, costs, notes.

Knows records only. Must not know how a board is laid out or stored, and imports nothing heavy, so that `show` is quick.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.record import Record
from leaderboard import notes, rank, stats
from leaderboard.rank import Mark

HEADS = ("classify", "regress", "tag", "span", "generate")
FAMILIES = ("encoder", "decoder", "encoder-decoder")
FIELDS = (
    "task", "model", "method", "source", "outcome", "reason", "metric", "score", "low", "high", "seeds", "rate",
    "seconds", "peak_memory", "trainable_params", "total_params",
    "family", "head", "spread", "rate_at_edge", "trials", "synthetic",
)
"""The names of `as_rows`, in order."""


@dataclass(frozen=True)
class Entry:
    """One cell of the grid as it is shown.

    `spread` is the sample standard deviation of the seeds' scores, `position` the place between floor (0) and best (1)
    of the column; `beaten` says that the score is no better than the floor.
    """

    record: Record
    spread: float | None
    mark: Mark
    position: float | None
    beaten: bool

    @property
    def scored(self) -> bool:
        """Whether there is a score to show."""
        return self.record.score is not None


@dataclass(frozen=True)
class Column:
    """One task from one source. `floors` are the trivial answers' primary scores by name, `floor` the best of them."""

    task: str
    source: str
    head: str
    metric: str
    higher_is_better: bool
    synthetic: bool
    floors: tuple[tuple[str, float], ...]
    floor: tuple[str, float] | None
    best: float | None

    @property
    def origin(self) -> str:
        """The source, said to be synthetic where it is."""
        return f"{self.source}, synthetic" if self.synthetic else self.source


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
    """One model with one method: an entry for every column, None where there is no record."""

    model: str
    method: str
    family: str
    entries: tuple[Entry | None, ...]
    average: float | None
    costs: Costs


@dataclass(frozen=True)
class TaskView:
    """All cells of one column, the best first, those without a score last. `measures` starts with the primary one."""

    column: Column
    measures: tuple[str, ...]
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Board:
    """Everything that a board shows, in the order in which it is shown; the same for the same records in any order.

    `averaged` says whether averages over the columns mean anything; `failures` are the cells without a score.
    """

    records: tuple[Record, ...]
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    tasks: tuple[TaskView, ...]
    failures: tuple[Entry, ...]
    averaged: bool
    notes: tuple[str, ...]


def table(records: Sequence[Record]) -> Board:
    """The board of `records`. Raises ValueError when a cell has two records for the same source."""
    ordered = sorted(records, key=_place)
    _refuse_doubles(ordered)
    tasks = tuple(_task(group) for group in _groups(ordered))
    columns = tuple(view.column for view in tasks)
    averaged = len(columns) > 1 and len({c.higher_is_better for c in columns}) == 1
    lines = _lines(tasks, averaged, _method_order(ordered))
    return Board(
        records=tuple(ordered),
        columns=columns,
        lines=lines,
        tasks=tasks,
        failures=tuple(e for view in tasks for e in view.entries if not e.scored),
        averaged=averaged,
        notes=notes.of(ordered, averaged, sum(line.average is None for line in lines)),
    )


def as_rows(records: Sequence[Record]) -> list[dict[str, Any]]:
    """One flat dictionary a cell, numbers unrounded, None where unknown; `seeds` are the seeds' scores."""
    return [_row(record) for record in sorted(records, key=_place)]


def _row(record: Record) -> dict[str, Any]:
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
    }
    return {name: others[name] if name in others else getattr(record, name) for name in FIELDS}


def _index(name: str, order: Sequence[str]) -> int:
    return order.index(name) if name in order else len(order)


def _place(record: Record) -> tuple[Any, ...]:
    return (_index(record.head, HEADS), record.task, record.source, _index(record.family, FAMILIES), record.family,
            record.model, record.method)


def _refuse_doubles(ordered: Sequence[Record]) -> None:
    for one, other in itertools.pairwise(ordered):
        if _place(one) == _place(other):
            raise ValueError(f"two records of the cell {one.key} from source {one.source!r}; show one run at a time")


def _groups(ordered: Sequence[Record]) -> list[list[Record]]:
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in ordered:
        groups.setdefault((record.task, record.source), []).append(record)
    return list(groups.values())


def _task(group: Sequence[Record]) -> TaskView:
    column = _column(group)
    standings = [rank.Standing(r.score, _interval(r)) for r in group]
    marks = rank.marks(standings, column.higher_is_better)
    entries = [_entry(r, m, column) for r, m in zip(group, marks, strict=True)]
    sign = -1 if column.higher_is_better else 1
    entries.sort(key=lambda e: (0, sign * e.record.score) if e.record.score is not None else (1, 0.0))
    names = {name for r in group for name in r.scores or {}} - {column.metric}
    return TaskView(column, (column.metric, *sorted(names)), tuple(entries))


def _interval(record: Record) -> stats.Interval | None:
    return None if record.low is None or record.high is None else (record.low, record.high)


def _column(group: Sequence[Record]) -> Column:
    first = group[0]
    floors = _floors(group)
    floor = None
    if floors:
        choose = max if first.higher_is_better else min
        floor = choose(floors, key=lambda pair: pair[1])
    return Column(
        task=first.task,
        source=first.source,
        head=first.head,
        metric=first.metric,
        higher_is_better=first.higher_is_better,
        synthetic=any(r.data.synthetic for r in group if r.data is not None),
        floors=floors,
        floor=floor,
        best=rank.best((r.score for r in group), first.higher_is_better),
    )


def _floors(group: Sequence[Record]) -> tuple[tuple[str, float], ...]:
    found: dict[str, list[float]] = {}
    for record in group:
        for name, scores in record.floors.items():
            if record.metric in scores:
                found.setdefault(name, []).append(scores[record.metric])
    choose = max if group[0].higher_is_better else min
    return tuple((name, choose(values)) for name, values in sorted(found.items()))


def _entry(record: Record, mark: Mark, column: Column) -> Entry:
    floor = column.floor[1] if column.floor else None
    known = record.score is not None and floor is not None
    beaten = known and not rank.beats(record.score, floor, column.higher_is_better)  # type: ignore[arg-type]
    return Entry(
        record=record,
        spread=stats.sample_sd(record.seed_scores) if record.score is not None else None,
        mark=mark,
        position=None if beaten else rank.position(record.score, floor, column.best),
        beaten=beaten,
    )


def _method_order(ordered: Iterable[Record]) -> dict[str, tuple[float, str]]:
    """Methods that train more come first (by their largest share), so that every model lists them in the same order."""
    shares: dict[str, float] = {}
    for record in ordered:
        parameters = record.parameters
        share = parameters.trainable / parameters.total if parameters and parameters.total else 0.0
        shares[record.method] = max(share, shares.get(record.method, 0.0))
    return {method: (-share, method) for method, share in shares.items()}


def _lines(tasks: Sequence[TaskView], averaged: bool, methods: dict[str, tuple[float, str]]) -> tuple[Line, ...]:
    found = [{(e.record.model, e.record.method): e for e in view.entries} for view in tasks]
    heads = {key: entry.record.family for entries in found for key, entry in entries.items()}
    order = sorted(heads, key=lambda k: (_index(heads[k], FAMILIES), heads[k], k[0], methods[k[1]]))
    return tuple(_line(key, heads[key], tuple(entries.get(key) for entries in found), averaged) for key in order)


def _line(key: tuple[str, str], family: str, entries: tuple[Entry | None, ...], averaged: bool) -> Line:
    scores = [e.record.score for e in entries if e is not None and e.record.score is not None]
    average = stats.mean(scores) if averaged and len(scores) == len(entries) else None
    return Line(key[0], key[1], family, entries, average, _costs(entries))


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

