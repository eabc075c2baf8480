"""One task of a board: its cells, compared with those that learnt from equally many rows. Knows records only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.floors import LEARNT
from bench.record import Names, Record
from leaderboard import health, rank, sizes, stats
from leaderboard.health import Finding, Severity
from leaderboard.rank import Mark, Marks, Place

Kind = Literal["floor", "baseline"]


@dataclass(frozen=True)
class Level:
    """What the cells of one task that learnt from the same number of rows (None: unknown) are read against.

    `floors` are the primary scores of trivial and cheap answers by name. `floor` is the best of the trivial ones,
    `baseline` of those that learn (`bench.floors.LEARNT`); `best` is the cells' best score.
    `basis` says in words what marks rest on: `rank.PAIRED` or `rank.OVERLAP`.
    """

    rows: int | None
    floors: tuple[tuple[str, float], ...]
    floor: tuple[str, float] | None
    baseline: tuple[str, float] | None
    best: float | None
    basis: str


@dataclass(frozen=True)
class Entry:
    """One cell of the grid as it is shown.

    `spread` is the sample standard deviation of the seeds' scores, `position` the place between floor (0) and best (1)
    of its `level`; `beaten` says that the score is no better than the floor, `unproven` that its interval reaches the
    floor or the cheap baseline. `mark`, too, compares within the level, as does `place`: the cell's rank with the ranks
    it may truly have, None where no answers are at hand to tell. `findings` are about the cell's health.
    """

    record: Record
    level: Level
    spread: float | None
    mark: Mark
    place: Place | None
    position: float | None
    beaten: bool
    unproven: bool
    findings: tuple[Finding, ...]

    @property
    def doubtful(self) -> bool:
        """Whether a finding puts the score in doubt."""
        return any(finding.severity is Severity.DOUBT for finding in self.findings)

    @property
    def words(self) -> tuple[str, ...]:
        """The findings, as `health.said` tells them."""
        return health.said(self.findings)

    @property
    def scored(self) -> bool:
        """Whether there is a score to show."""
        return self.record.score is not None


@dataclass(frozen=True)
class Column:
    """One task from one source, with a level for each number of training rows, the fewest first."""

    task: str
    source: str
    head: str
    metric: str
    higher_is_better: bool
    synthetic: bool
    levels: tuple[Level, ...]

    @property
    def origin(self) -> str:
        """The source, said to be synthetic where it is."""
        return f"{self.source}, synthetic" if self.synthetic else self.source


@dataclass(frozen=True)
class TaskView:
    """All cells of one column: those with the most training rows first, of these the best first, without a score last.

    `measures` starts with the primary one.
    """

    column: Column
    measures: tuple[str, ...]
    entries: tuple[Entry, ...]


def kind(name: str) -> Kind:
    """What the answer of that name is: a trivial one, or a cheap one that learns."""
    return "baseline" if name in LEARNT else "floor"


def view(group: Sequence[Record], places: Mapping[Names, Place]) -> TaskView:
    """The cells of one task from one source, with the places of those that could be compared on the same test rows."""
    by_rows: dict[int | None, list[Record]] = {}
    for record, rows in zip(group, sizes.train_rows(group), strict=True):
        by_rows.setdefault(rows, []).append(record)
    order = sorted(by_rows, key=sizes.fewest_first)
    marks = {rows: _marks(records, places) for rows, records in by_rows.items()}
    levels = [_level(rows, by_rows[rows], marks[rows].basis) for rows in order]
    column = _column(group, levels)
    entries = [e for level in levels[::-1] for e in _entries(by_rows[level.rows], marks[level.rows], places, level)]
    names = {name for r in group for name in r.scores or {}} - {column.metric}
    return TaskView(column, (column.metric, *sorted(names)), tuple(entries))


def _marks(records: Sequence[Record], places: Mapping[Names, Place]) -> Marks:
    standings = [rank.Standing(r.score, _interval(r)) for r in records]
    return rank.marks(standings, records[0].higher_is_better, [places.get(r.names) for r in records])


def _entries(
    records: Sequence[Record], marks: Marks, places: Mapping[Names, Place], level: Level
) -> list[Entry]:
    """The cells of one task and level, the best first."""
    entries = [_entry(r, m, places.get(r.names), level) for r, m in zip(records, marks.marks, strict=True)]
    sign = -1 if records[0].higher_is_better else 1
    return sorted(entries, key=lambda e: (0, sign * e.record.score) if e.record.score is not None else (1, 0.0))


def _interval(record: Record) -> stats.Interval | None:
    return None if record.low is None or record.high is None else (record.low, record.high)


def _level(rows: int | None, group: Sequence[Record], basis: str) -> Level:
    higher_is_better = group[0].higher_is_better
    floors = _floors(group)
    return Level(
        rows=rows,
        floors=floors,
        floor=_best([pair for pair in floors if pair[0] not in LEARNT], higher_is_better),
        baseline=_best([pair for pair in floors if pair[0] in LEARNT], higher_is_better),
        best=rank.best((r.score for r in group), higher_is_better),
        basis=basis,
    )


def _best(floors: Sequence[tuple[str, float]], higher_is_better: bool) -> tuple[str, float] | None:
    choose = max if higher_is_better else min
    return choose(floors, key=lambda pair: pair[1]) if floors else None


def _column(group: Sequence[Record], levels: Sequence[Level]) -> Column:
    first = group[0]
    return Column(
        task=first.task,
        source=first.source,
        head=first.head,
        metric=first.metric,
        higher_is_better=first.higher_is_better,
        synthetic=any(r.data.synthetic for r in group if r.data is not None),
        levels=tuple(levels),
    )


def _floors(group: Sequence[Record]) -> tuple[tuple[str, float], ...]:
    found: dict[str, list[float]] = {}
    for record in group:
        for name, scores in record.floors.items():
            if record.metric in scores:
                found.setdefault(name, []).append(scores[record.metric])
    choose = max if group[0].higher_is_better else min
    return tuple((name, choose(values)) for name, values in sorted(found.items()))


def _entry(record: Record, mark: Mark, place: Place | None, level: Level) -> Entry:
    floor = level.floor[1] if level.floor else None
    known = record.score is not None and floor is not None
    beaten = known and not rank.beats(record.score, floor, record.higher_is_better)  # type: ignore[arg-type]
    return Entry(
        record=record,
        level=level,
        spread=stats.sample_sd(record.seed_scores) if record.score is not None else None,
        mark=mark,
        place=place,
        position=None if beaten else rank.position(record.score, floor, level.best),
        beaten=beaten,
        unproven=any(_reaches(record, cheap[1]) for cheap in (level.floor, level.baseline) if cheap is not None),
        findings=health.findings(record),
    )


def _reaches(record: Record, cheap: float) -> bool:
    """Whether a score, or the worse end of its interval, is no better than a cheap answer's, taken as known."""
    if record.score is None:
        return False
    worse = record.low if record.higher_is_better else record.high
    return not rank.beats(record.score if worse is None else worse, cheap, record.higher_is_better)
