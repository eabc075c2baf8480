"""Where the scores of successive nights lie on a small chart. Knows numbers, not how they are drawn."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 100.0, 40.0
"""Of the chart, in the units of all places: x from the left, y from the top."""

MARGIN = 3.0
"""Left free on all four sides, so that marks at the ends are whole."""

SPAN = 2.0
"""Points that a chart spans at least: noise must not fill it."""

Place = tuple[float, float]


@dataclass(frozen=True)
class Spark:
    """Places of the nights with a score, and in `gaps` (x) of those without one.

    `levels` are the means between changes, from one place to another; `changes` (x) lie where a new level begins.
    `low` and `high` are the scores at the lower and upper end.
    """

    low: float
    high: float
    places: tuple[Place, ...]
    gaps: tuple[float, ...]
    levels: tuple[tuple[Place, Place], ...]
    changes: tuple[float, ...]


def spark(scores: Sequence[float | None], begins: Sequence[int] = ()) -> Spark | None:
    """The chart of one score a night, the oldest first; new levels begin at `begins`. None without any score."""
    known = [score for score in scores if score is not None]
    if not known:
        return None
    low, high = _ends(min(known), max(known))

    def x(night: float) -> float:
        return round(MARGIN + (WIDTH - 2 * MARGIN) * (night / (len(scores) - 1) if len(scores) > 1 else 0.5), 2)

    def y(score: float) -> float:
        return round(MARGIN + (HEIGHT - 2 * MARGIN) * (high - score) / (high - low), 2)

    levels = []
    for first, end in itertools.pairwise([0, *begins, len(scores)]):
        mine = [score for score in scores[first:end] if score is not None]
        if mine:
            level = y(sum(mine) / len(mine))
            levels.append(((x(max(0, first - 0.5)), level), (x(min(len(scores) - 1, end - 0.5)), level)))
    return Spark(
        low=low, high=high, levels=tuple(levels), changes=tuple(x(night - 0.5) for night in begins),
        places=tuple((x(night), y(score)) for night, score in enumerate(scores) if score is not None),
        gaps=tuple(x(night) for night, score in enumerate(scores) if score is None),
    )


def _ends(low: float, high: float) -> Place:
    """The range of the scores, widened on both sides where it is narrow."""
    missing = max(0.0, SPAN - (high - low)) / 2
    return low - missing, high + missing
