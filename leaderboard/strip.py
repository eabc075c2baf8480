"""Where a score, its interval, its seeds and the floor lie on a small axis. Knows numbers, not how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass

from leaderboard.column import Entry, TaskView

MARGIN = 4.0
"""Percent of the axis left free at either end, so that marks at the ends are whole."""


@dataclass(frozen=True)
class Axis:
    """The range of scores that a task's cells share."""

    low: float
    high: float

    def place(self, score: float) -> float:
        """Percent from the left."""
        if self.high == self.low:
            return 50.0
        return round(MARGIN + (100 - 2 * MARGIN) * (score - self.low) / (self.high - self.low), 2)


@dataclass(frozen=True)
class Strip:
    """Places in percent from the left; None where a value is not known."""

    score: float
    low: float | None
    high: float | None
    seeds: tuple[float, ...]
    floor: float | None


def axis(view: TaskView) -> Axis:
    """The range that holds every score, interval, seed and the floor of a task; 0 to 100 when there is nothing."""
    values = [v for e in view.entries for v in (e.record.score, e.record.low, e.record.high) if v is not None]
    values += [s for e in view.entries if e.scored for s in e.record.seed_scores]
    values += [level.floor[1] for level in view.column.levels if level.floor is not None]
    return Axis(min(values), max(values)) if values else Axis(0.0, 100.0)


def strip(entry: Entry, line: Axis) -> Strip | None:
    """The places of one cell on the axis of its task, None without a score."""
    record = entry.record
    if record.score is None:
        return None
    return Strip(
        score=line.place(record.score),
        low=None if record.low is None else line.place(record.low),
        high=None if record.high is None else line.place(record.high),
        seeds=tuple(line.place(s) for s in record.seed_scores),
        floor=line.place(entry.level.floor[1]) if entry.level.floor else None,
    )
