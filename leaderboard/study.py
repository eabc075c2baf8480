"""All that is said about a run, worked out once: what the board, its pages, its figures and the terminal show.

A pure function of records and the answers beside them. Knows no layout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bench.record import Names, Record
from bench.store import Store
from leaderboard import frame, overall, panel, ranks
from leaderboard.column import Level, TaskView
from leaderboard.frame import Board, Who
from leaderboard.overall import Overall
from leaderboard.panel import Panel
from leaderboard.rank import Place
from leaderboard.search import Search, search
from leaderboard.stats import Figure


@dataclass(frozen=True, eq=False)
class Group:
    """The cells of one task from one source that learnt from equally many rows: what is compared with each other.

    `records` are all of them, the best first, those without a score last. `panel` is None where no answers are kept;
    `left_out` says by key why a scored cell is not in it. `places` hold the ranks of those that are, `basis` says what
    marks rest on (`rank.PAIRED` or `rank.OVERLAP`). `floor` is the best of the trivial answers.
    """

    task: str
    source: str
    rows: int | None
    records: tuple[Record, ...]
    panel: Panel | None
    left_out: Mapping[str, str]
    places: Mapping[Names, Place]
    basis: str
    floor: tuple[str, float] | None


@dataclass(frozen=True, eq=False)
class Study:
    """A run's board with what its marks rest on; the same for the same records in any order.

    `groups` come in the order of the board's tasks and of their levels, `searches` has an entry for every record.
    `overall` has one entry for each training-set size at which several tasks can be compared.
    """

    board: Board
    groups: tuple[Group, ...]
    overall: tuple[Overall, ...]
    searches: Mapping[Names, Search]


def of(store: Store, records: Sequence[Record]) -> Study:
    """What the records and the answers that the store keeps say together.

    Raises ValueError where a cell has two records.
    """
    draft = frame.table(records)
    found = [_read(store, view, level) for view in draft.tasks for level in view.column.levels]
    places = {names: place for group in found for names, place in group.places.items()}
    several = overall.of(found)
    board = frame.table(records, places, _figures(several))
    levels = [level for view in board.tasks for level in view.column.levels]
    groups = tuple(replace(g, basis=level.basis) for g, level in zip(found, levels, strict=True))
    return Study(board, groups, several, {r.names: search(r) for r in board.records})


def _figures(several: Sequence[Overall]) -> dict[Who, Figure]:
    return {(a.model, a.method, o.size): a.score for o in several for a in o.aggregates if a.score is not None}


def _read(store: Store, view: TaskView, level: Level) -> Group:
    records = tuple(entry.record for entry in view.entries if entry.level.rows == level.rows)
    reading = panel.read(store, records)
    return Group(
        task=view.column.task,
        source=view.column.source,
        rows=level.rows,
        records=records,
        panel=reading.panel,
        left_out=reading.left_out,
        places={p.names: p for p in ranks.places(reading.panel)} if reading.panel is not None else {},
        basis=level.basis,
        floor=level.floor,
    )
