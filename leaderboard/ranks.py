"""The rank of every cell of a task with the ranks that it may truly have.

Knows panels of scores; no records, no layout.
"""

from __future__ import annotations

import numpy as np

from bench.metrics.metric import Array
from leaderboard.paired import Pairs, holm, pairs
from leaderboard.panel import Panel
from leaderboard.rank import Place


def places(panel: Panel, level: float = 0.95) -> tuple[Place, ...]:
    """A place for each cell of the panel, in its order.

    Cell j is compared with the c - 1 others, corrected within these: b are shown better, w worse, and its true rank
    lies between 1 + b and c - w with at least the given confidence (Mogstad, Romano, Shaikh and Wilhelm 2024,
    "Inference for ranks", marginal confidence sets). So the cells that may be the best hold the truly best one with
    that confidence. Quantiles of resampled ranks would not: they fail where cells are close (Hall and Miller 2009).
    """
    found = pairs(panel)
    ranks = average_ranks(-panel.sign * np.round(panel.values, 9))
    return tuple(_place(panel, found, j, float(ranks[j]), level) for j in range(len(panel.names)))


def average_ranks(values: Array) -> Array:
    """The ranks of values (c,), the lowest first, equals sharing the mean of theirs."""
    smaller = np.sum(values[None, :] < values[:, None], axis=1)
    equal = np.sum(values[None, :] == values[:, None], axis=1)
    return np.asarray(smaller + (equal + 1) / 2, dtype=np.float64)


def _place(panel: Panel, found: Pairs, j: int, average: float, level: float) -> Place:
    others = np.arange(len(panel.names)) != j
    told = holm(found.p[others, j]) < 1 - level
    ahead = found.ahead[others, j] > 0
    return Place(panel.names[j], average, 1 + int(np.sum(told & ahead)), len(panel.names) - int(np.sum(told & ~ahead)))
