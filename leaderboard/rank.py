"""Which scores of one column are best, which cannot be told apart from the best. Knows numbers only, no layout.

Two cells count as told apart when their 95% intervals do not overlap. That is stricter than a paired test: cells whose
intervals overlap may still differ, so a tie means "not shown to differ", never "shown to be equal".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from leaderboard.stats import Interval, overlap


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


def best(scores: Iterable[float | None], higher_is_better: bool) -> float | None:
    """The best known score, None when none is known."""
    known = [s for s in scores if s is not None]
    if not known:
        return None
    return max(known) if higher_is_better else min(known)


def marks(standings: Sequence[Standing], higher_is_better: bool) -> tuple[Mark, ...]:
    """A mark for each standing: all that equal the best are BEST, those whose interval overlaps one of theirs TIED."""
    top = best((s.score for s in standings), higher_is_better)
    leaders = [s.interval for s in standings if top is not None and s.score == top and s.interval is not None]
    return tuple(_mark(s, top, leaders) for s in standings)


def _mark(standing: Standing, top: float | None, leaders: Sequence[Interval]) -> Mark:
    if standing.score is None or top is None:
        return Mark.NONE
    if standing.score == top:
        return Mark.BEST
    interval = standing.interval
    tied = interval is not None and any(overlap(interval, leader) for leader in leaders)
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
