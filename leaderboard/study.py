"""All that is said about a run, worked out once: what the board, its pages, its figures and the terminal show.

A pure function of records and the answers beside them. Knows no layout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.record import Names, Record
from bench.store import Store
from leaderboard import frame, overall, panel, ranks
from leaderboard.column import Level, TaskView
from leaderboard.frame import Board
from leaderboard.overall import Overall
from leaderboard.panel import Panel
from leaderboard.rank import Place
from leaderboard.search import Search, search


@dataclass(frozen=True, eq=False)
class Group:
    """The cells of one task from one source that learnt from equally many rows: what is compared with each other.

    `records` are all of them, the best first, those without a score last. `panel` is None where no answers are kept;
    `left_out` says by key why a scored cell is not in it. `places` hold the ranks of those that are, `basis` says what
    marks rest on (`rank.PAIRED` or `rank.OVERLAP`). `baselines` are the primary scores of trivial and cheap answers.
    """

    task: str
    source: str
    rows: int | None
    records: tuple[Record, ...]
    panel: Panel | None
    left_out: Mapping[str, str]
    places: Mapping[Names, Place]
    basis: str
    baselines: tuple[tuple[str, float], ...]


@dataclass(frozen=True, eq=False)
class Study:
    """A run's board with what its marks rest on; the same for the same records in any order.

    `groups` come in the order of the board's tasks and of their levels, `searches` has an entry for every record.
    `overall` has one entry for each training-set size at which several tasks were asked for.
    """

    board: Board
    groups: tuple[Group, ...]
    searches: Mapping[Names, Search]

    @cached_property
    def overall(self) -> tuple[Overall, ...]:
        """Lines over several tasks: worked out when first asked for, since not every reader wants it."""
        return overall.of([
            overall.Part((g.task, g.source), g.records, g.panel, _best_floor(self.board, g)) for g in self.groups
        ])


def of(store: Store, records: Sequence[Record]) -> Study:
    """What the records and the answers that the store keeps say together.

    Raises ValueError where a cell has two records.
    """
    draft = frame.table(records)
    readings = [(view, level, _read(store, view, level)) for view in draft.tasks for level in view.column.levels]
    places = {p.names: p for _, _, found in readings if found.panel is not None for p in ranks.places(found.panel)}
    board = frame.table(records, places)
    levels = [level for view in board.tasks for level in view.column.levels]
    groups = tuple(
        _group(view, level, found, places) for (view, _, found), level in zip(readings, levels, strict=True)
    )
    return Study(board, groups, {r.names: search(r) for r in board.records})


def _read(store: Store, view: TaskView, level: Level) -> panel.Reading:
    return panel.read(store, _records(view, level))


def _records(view: TaskView, level: Level) -> tuple[Record, ...]:
    return tuple(entry.record for entry in view.entries if entry.level.rows == level.rows)


def _group(view: TaskView, level: Level, found: panel.Reading, places: Mapping[Names, Place]) -> Group:
    records = _records(view, level)
    return Group(
        task=view.column.task,
        source=view.column.source,
        rows=level.rows,
        records=records,
        panel=found.panel,
        left_out=found.left_out,
        places={r.names: places[r.names] for r in records if r.names in places},
        basis=level.basis,
        baselines=level.floors,
    )


def _best_floor(board: Board, group: Group) -> float | None:
    column = next(c for c in board.columns if (c.task, c.source) == (group.task, group.source))
    level = next(level for level in column.levels if level.rows == group.rows)
    return level.floor[1] if level.floor else None
