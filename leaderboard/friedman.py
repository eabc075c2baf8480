"""Do lines differ over tasks, taking each task's ranking as one observation? What a critical-difference diagram shows.

Demsar 2006, "Statistical comparisons of classifiers over multiple data sets" (JMLR 7). Knows numbers and names only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.metrics.metric import Array


@dataclass(frozen=True)
class CriticalDifference:
    """Names with their mean ranks over tasks (1 is best), the best first.

    Mean ranks further apart than `difference` differ (Nemenyi). `cliques` are the largest groups, as first and last
    place in `names`, within which none do; the diagram draws a bar over each. `statistic` and `p` are Friedman's, of
    there being no difference at all; None with fewer than three names, for which there is no such test.
    """

    names: tuple[str, ...]
    ranks: tuple[float, ...]
    difference: float
    cliques: tuple[tuple[int, int], ...]
    statistic: float | None
    p: float | None
    tasks: int


def critical_difference(names: Sequence[str], scores: Array, level: float = 0.95) -> CriticalDifference:
    """From scores of shape (names, tasks), where more is better in every task and equals share a rank.

    The critical difference is q sqrt(k (k + 1) / (6 N)) for k names and N tasks, with q the quantile of the studentized
    range of k and infinitely many degrees of freedom over sqrt(2). Raises ValueError for fewer than two names or tasks,
    or an unknown score: say what a missing cell counts as before.
    """
    if scores.shape != (len(names), scores.shape[-1]) or min(scores.shape) < 2 or not np.isfinite(scores).all():
        raise ValueError(f"scores of shape {scores.shape}: give at least 2 names x 2 tasks, all finite.")
    from scipy.stats import friedmanchisquare, rankdata, studentized_range

    count, tasks = scores.shape
    ranks = rankdata(-scores, axis=0).mean(axis=1)
    order = np.lexsort((np.array(names), ranks))
    quantile = float(studentized_range.ppf(level, count, np.inf)) / np.sqrt(2)
    difference = float(quantile * np.sqrt(count * (count + 1) / (6 * tasks)))
    level_ranks = bool(np.ptp(scores, axis=0).any())
    test = friedmanchisquare(*scores) if count > 2 and level_ranks else None
    placed = [float(ranks[i]) for i in order]
    return CriticalDifference(
        tuple(names[i] for i in order), tuple(placed), difference, _cliques(placed, difference),
        float(test.statistic) if test else None, float(test.pvalue) if test else None, tasks,
    )


def _cliques(ranks: Sequence[float], difference: float) -> tuple[tuple[int, int], ...]:
    """Runs of at least two sorted ranks that lie within the difference and are part of no longer run."""
    found: list[tuple[int, int]] = []
    for first in range(len(ranks)):
        last = max(i for i, rank in enumerate(ranks) if rank - ranks[first] <= difference)
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return tuple(found)
