"""The rank of every cell of a task with the ranks that it may have, and which cells may be the best.

Knows panels of scores; no records, no layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.record import Names
from leaderboard import rank
from leaderboard.paired import Pairs, holm, pairs
from leaderboard.panel import Panel
from leaderboard.rank import Mark

PAIRED = "paired comparisons on the same test rows, corrected by Holm's method"
OVERLAP = "whether 95% intervals overlap, since not all answers of these cells are at hand"


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
    """A mark for each standing, and in words what it rests on."""

    marks: tuple[Mark, ...]
    basis: str


def places(panel: Panel, level: float = 0.95) -> tuple[Place, ...]:
    """A place for each cell of the panel, in its order.

    Cell j is compared with the c - 1 others, corrected within these: b are shown better, w worse, and its true rank
    lies between 1 + b and c - w with at least the given confidence (Mogstad, Romano, Shaikh and Wilhelm 2024,
    "Inference for ranks", marginal confidence sets). So the cells that may be the best hold the truly best one with
    that confidence. Quantiles of resampled ranks would not: they fail where cells are close (Hall and Miller 2009).
    """
    from scipy.stats import rankdata

    found = pairs(panel)
    ranks = rankdata(-panel.sign * np.round(panel.values, 9), method="average")
    return tuple(_place(panel, found, j, float(ranks[j]), level) for j in range(len(panel.names)))


def _place(panel: Panel, found: Pairs, j: int, average: float, level: float) -> Place:
    others = np.arange(len(panel.names)) != j
    told = holm(found.p[others, j]) < 1 - level
    ahead = found.ahead[others, j] > 0
    return Place(panel.names[j], average, 1 + int(np.sum(told & ahead)), len(panel.names) - int(np.sum(told & ~ahead)))


def marks(standings: Sequence[rank.Standing], higher_is_better: bool, found: Sequence[Place | None]) -> Marks:
    """The best scores are BEST, cells that may be the best as well TIED.

    `found` holds a place for each standing. Where one that has a score has none, all are judged by whether their
    intervals overlap the best one's, which is coarser; `basis` says which.
    """
    if any(place is None and s.score is not None for s, place in zip(standings, found, strict=True)):
        return Marks(rank.marks(standings, higher_is_better), OVERLAP)
    top = rank.best((s.score for s in standings), higher_is_better)
    return Marks(tuple(_mark(s, place, top) for s, place in zip(standings, found, strict=True)), PAIRED)


def _mark(standing: rank.Standing, place: Place | None, top: float | None) -> Mark:
    if standing.score is None or place is None:
        return Mark.NONE
    if standing.score == top:
        return Mark.BEST
    return Mark.TIED if place.may_be_best else Mark.NONE
