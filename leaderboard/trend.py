"""What a history of nights comes to: every night's verdict, the changes of level, and the course of every cell.

A pure function of the nights' files. Knows neither pages nor how a verdict is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.errors import StoreError
from bench.record import Record
from leaderboard import figures, report, said
from leaderboard.changes import Change, common
from leaderboard.shifts import ALL
from leaderboard.sides import Side, Standing
from leaderboard.spark import Spark, spark
from leaderboard.verdict import Verdict

BOARD = "leaderboard/leaderboard.html"
"""Where the board of a night lies in its directory."""


@dataclass(frozen=True)
class Night:
    """One night. `verdict` is None where it was stopped before it had one; `judged` of `cells` could be compared.

    `problem` says why a verdict that is there cannot be read.
    `unmeasured` says of which cells nothing can be said, and why; `accepted` who made it the base, and why. `board` is
    a path from the history to the night's leaderboard, None where it has none.
    """

    name: str
    verdict: Verdict | None
    judged: int
    cells: int
    cause: str | None
    alarms: tuple[str, ...]
    unmeasured: tuple[str, ...]
    accepted: str | None
    board: str | None
    problem: str | None = None

    @property
    def when(self) -> str:
        """The time it began."""
        return when(self.name)


@dataclass(frozen=True)
class Course:
    """A cell, or the mean over cells, by night. `now` says why it has no score tonight, None where it has one."""

    title: str
    metric: str
    last: float | None
    chart: Spark | None
    changes: tuple[Change, ...]
    now: str | None


@dataclass(frozen=True)
class Turn:
    """A night on which levels changed, the last night of those before, and what differs between them in some cell."""

    first: str
    last_good: str
    changes: tuple[Change, ...]
    environment: tuple[str, ...]


@dataclass(frozen=True)
class Trend:
    """A history: its nights, the changes of level and the courses of the cells by task; the latest nights first."""

    suite: str
    nights: tuple[Night, ...]
    turns: tuple[Turn, ...]
    overall: Course | None
    tasks: Mapping[str, tuple[Course, ...]]


def when(name: str) -> str:
    """The time that a night's name tells (UTC), as people write it."""
    day, _, time = name.partition("T")
    return f"{day} {time[:5].replace('-', ':')}"


def of(sides: Sequence[Side], changes: Sequence[Change], accepted: Mapping[str, str]) -> Trend:
    """The trend over nights, the oldest first; `accepted` has who accepted a night, and why, by its name."""
    keys = sorted({key for side in sides for key in side.keys})
    tasks: dict[str, list[Course]] = {}
    for key in keys:
        tasks.setdefault(key.partition("/")[0], []).append(_of_cell(key, sides, changes))
    suites = [side.night.suite for side in sides if side.night]
    return Trend(
        suite=suites[-1] if suites else "", overall=_overall(sides, changes),
        nights=tuple(_night(side, accepted.get(side.name)) for side in reversed(sides)),
        turns=_turns(changes), tasks={task: tuple(courses) for task, courses in tasks.items()},
    )


def _turns(changes: Sequence[Change]) -> tuple[Turn, ...]:
    """Changes by the night they came with, the latest first."""
    by_night: dict[str, list[Change]] = {}
    for change in changes:
        by_night.setdefault(change.first, []).append(change)
    return tuple(
        Turn(first, max(change.last_good for change in mine), tuple(mine),
             tuple(dict.fromkeys(words for change in mine for words in change.environment)))
        for first, mine in sorted(by_night.items(), reverse=True)
    )


def _night(side: Side, accepted: str | None) -> Night:
    board = f"{side.name}/{BOARD}" if (side.store.root / BOARD).is_file() else None
    blank = Night(side.name, None, 0, 0, None, (), (), accepted, board)
    try:
        found = said.read(side)
    except StoreError as error:
        return replace(blank, problem=str(error))
    if found is None:
        return blank
    return replace(
        blank, verdict=found.verdict, judged=found.judged, cells=found.cells, cause=found.cause,
        alarms=tuple(report.alarm_line(alarm) for alarm in found.alarms),
        unmeasured=tuple(report.unmeasured_lines(found.unmeasured)),
    )


def _of_cell(key: str, sides: Sequence[Side], changes: Iterable[Change]) -> Course:
    records = [side.records[key] if side.standing(key) is Standing.SCORED else None for side in sides]
    scores = [record.score if record else None for record in records]
    metric = next((record.metric for record in reversed(records) if record), "")
    now = sides[-1].standing(key)
    title = key.partition("/")[2].replace("/", " ")
    return _course(title, metric, scores, sides, [c for c in changes if c.scope == key], _why(now, sides[-1], key))


def _why(now: Standing, side: Side, key: str) -> str | None:
    if now is Standing.SCORED:
        return None
    record: Record | None = side.records.get(key)
    reason = f": {record.reason}" if record is not None and record.reason and now is not Standing.STALE else ""
    return figures.plain(f"tonight {now}{reason}")


def _overall(sides: Sequence[Side], changes: Iterable[Change]) -> Course | None:
    """How much better all cells were than on the first night, None where no night tells.

    A night that scored too few cells, as one that was stopped, is a night without a level.
    """
    told = common(sides)
    if not told:
        return None
    levels = [told[side.name].level if side.name in told else None for side in sides]
    tonight = told.get(sides[-1].name)
    by = f"by {tonight.cells} cells tonight" if tonight else "tonight too few cells"
    mine = [change for change in changes if change.scope == ALL]
    first = when(next(iter(told)))
    return _course(f"all cells, each against itself: points since {first}", by, levels, sides, mine, None)


def _course(
    title: str, metric: str, scores: Sequence[float | None], sides: Sequence[Side], changes: Sequence[Change],
    now: str | None,
) -> Course:
    names = [side.name for side in sides]
    return Course(
        title=title, metric=metric, last=scores[-1], changes=tuple(changes), now=now,
        chart=spark(scores, [names.index(change.first) for change in changes]),
    )
