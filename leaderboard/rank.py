"""Which scores of one column are best, which cannot be told apart from the best. Knows numbers only, no layout.

Marks rest on the ranks that cells may truly have, which paired comparisons give (`leaderboard.ranks`). Where these are
not at hand, on 95% intervals: two cells count as told apart when theirs do not overlap. That is stricter than a paired
test, so that a tie means "not shown to differ", never "shown to be equal".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bench.record import Names
from leaderboard.stats import Interval, overlap

PAIRED = "paired comparisons on the same test rows, corrected by Holm's method"
OVERLAP = "whether 95% intervals overlap, since not all answers of these cells are at hand"


class Mark(StrEnum):
    """How a score stands in its column."""

    BEST = "best"
    TIED = "tied"
    NONE = ""


@dataclass(frozen=True)
class Standing:
    """A score with its interval, both None where they are unknown."""

    score: float | None
    interval: Interval | None


@dataclass(frozen=True)
class Place:
    """A cell's rank by its score (1 is best, equals share the mean of their ranks) and the ranks it may truly have."""

    names: Names
    rank: float
    low: int
    high: int

    @property
    def may_be_best(self) -> bool:
        """Whether no other cell is shown to be better."""
        return self.low == 1


@dataclass(frozen=True)
class Marks:
    """A mark for each standing, and in words what it rests on: PAIRED or OVERLAP."""

    marks: tuple[Mark, ...]
    basis: str


def best(scores: Iterable[float | None], higher_is_better: bool) -> float | None:
    """The best known score, None when none is known."""
    known = [s for s in scores if s is not None]
    if not known:
        return None
    return max(known) if higher_is_better else min(known)


def marks(standings: Sequence[Standing], higher_is_better: bool, places: Sequence[Place | None]) -> Marks:
    """The best scores are BEST, cells that may be the best as well TIED.

    `places` holds a place for each standing. Where one that has a score has none, all are judged by whether their
    intervals overlap the best one's, which is coarser; `basis` says which.
    """
    top = best((s.score for s in standings), higher_is_better)
    if any(place is None and s.score is not None for s, place in zip(standings, places, strict=True)):
        leaders = [s.interval for s in standings if s.score == top and s.interval is not None]
        near = [_overlaps(s, leaders) for s in standings]
        return Marks(tuple(_mark(s, top, tied) for s, tied in zip(standings, near, strict=True)), OVERLAP)
    may = [place is not None and place.may_be_best for place in places]
    return Marks(tuple(_mark(s, top, tied) for s, tied in zip(standings, may, strict=True)), PAIRED)


def _overlaps(standing: Standing, leaders: Sequence[Interval]) -> bool:
    interval = standing.interval
    return interval is not None and any(overlap(interval, leader) for leader in leaders)


def _mark(standing: Standing, top: float | None, tied: bool) -> Mark:
    if standing.score is None:
        return Mark.NONE
    if standing.score == top:
        return Mark.BEST
    return Mark.TIED if tied else Mark.NONE


def beats(score: float, other: float, higher_is_better: bool) -> bool:
    """Whether `score` is strictly better than `other`."""
    return score > other if higher_is_better else score < other


def position(score: float | None, floor: float | None, top: float | None) -> float | None:
    """Where a score lies between floor (0) and best (1), cut to that range.

    None where one of them is unknown or the best does not differ from the floor; works for either direction.
    """
    if score is None or floor is None or top is None or top == floor:
        return None
    return min(1.0, max(0.0, (score - floor) / (top - floor)))
