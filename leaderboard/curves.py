"""The values of curves, for each task and model: score by training rows, best score by trials. Knows no drawing.

The figures are those of the records, to the last digit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.record import Names, Record
from leaderboard.column import Entry, Level, TaskView
from leaderboard.frame import Board, method_order
from leaderboard.search import Search


@dataclass(frozen=True)
class Point:
    """A score with its 95% interval, None where it is not known, of a cell that learnt from so many rows."""

    rows: int
    score: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Curve:
    """The cells of one method, the fewest rows first.

    `place` is the method's place among all of the board, so that it can look the same in every panel.
    """

    method: str
    place: int
    points: tuple[Point, ...]

    @property
    def last(self) -> Point:
        """The point with the most rows that has a score, else the last one."""
        return next((point for point in self.points[::-1] if point.score is not None), self.points[-1])


@dataclass(frozen=True)
class Panel:
    """All curves of one task and model, in the order of the table. `floor` are pairs of rows and score."""

    task: str
    source: str
    model: str
    metric: str
    higher_is_better: bool
    floor: tuple[tuple[int, float], ...]
    curves: tuple[Curve, ...]


def panels(board: Board) -> tuple[Panel, ...]:
    """A panel for each task and model of which some method has scores from at least two numbers of training rows."""
    numbers = places(board)
    models = dict.fromkeys(line.model for line in board.lines)
    found = (_panel(view, model, numbers) for view in board.tasks for model in models)
    return tuple(panel for panel in found if any(_drawn(curve) for curve in panel.curves))


def places(board: Board) -> dict[str, int]:
    """The place of each method among all of the board: those that train more come first."""
    order = method_order(board.records)
    return {method: place for place, method in enumerate(sorted(order, key=lambda name: order[name]))}


def best_so_far(
    records: Sequence[Record], searches: Mapping[Names, Search], places: Mapping[str, int]
) -> Panel | None:
    """The best validation score by trials spent, for the cells of one task and model; None where nothing was searched.

    The points' rows are trials, and nothing is known of intervals.
    """
    found = [
        Curve(record.method, places[record.method],
              tuple(Point(spent, best, None, None) for spent, best in enumerate(searches[record.names].best_so_far, 1)))
        for record in records if searches[record.names].trials > 1
    ]
    if not any(_drawn(curve) for curve in found):
        return None
    first = records[0]
    ordered = tuple(sorted(found, key=lambda curve: curve.place))
    return Panel(first.task, first.source, first.model, first.metric, first.higher_is_better, (), ordered)


def _panel(view: TaskView, model: str, places: dict[str, int]) -> Panel:
    column = view.column
    by_method: dict[str, list[Entry]] = {}
    for entry in view.entries:
        if entry.record.model == model:
            by_method.setdefault(entry.record.method, []).append(entry)
    curves = (Curve(method, places[method], _points(entries)) for method, entries in by_method.items())
    return Panel(
        task=column.task, source=column.source, model=model, metric=column.metric,
        higher_is_better=column.higher_is_better, floor=_floor(column.levels),
        curves=tuple(sorted(curves, key=lambda curve: curve.place)),
    )


def _points(entries: Sequence[Entry]) -> tuple[Point, ...]:
    """One for each number of rows: two sizes beyond the data are the same rows, and one point."""
    points: dict[int, Point] = {}
    for entry in sorted(entries, key=lambda e: e.record.train_size or 0):
        rows, record = entry.level.rows, entry.record
        if rows is not None and (rows not in points or points[rows].score is None):
            points[rows] = Point(rows, record.score, record.low, record.high)
    return tuple(points[rows] for rows in sorted(points))


def _floor(levels: Sequence[Level]) -> tuple[tuple[int, float], ...]:
    return tuple((level.rows, level.floor[1]) for level in levels if level.rows is not None and level.floor is not None)


def _drawn(curve: Curve) -> bool:
    return sum(point.score is not None for point in curve.points) > 1
