"""Do two cells differ? Paired comparisons on the same test rows, with seeds, and corrected for how many are made.

Knows panels of scores; no records, no layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bench.metrics.metric import Array
from bench.record import Names
from bench.uncertainty import reach
from leaderboard import cochran
from leaderboard.panel import Panel


@dataclass(frozen=True)
class Difference:
    """One cell less another, in points of their metric.

    `low` and `high` are the 95% interval, `p` the chance of a difference as large if there were none. `effect` is the
    difference in standard deviations of a single row's difference (Cohen's d_z for paired samples; Cohen 1988, 2.3.5),
    None where that is 0. `won` and `lost` are shares of the test rows on which the first cell scored better, or worse.
    With `one_seed` a cell had a single seed: then all this speaks for these very trainings, not for the methods.
    """

    one: Names
    other: Names
    value: float
    low: float
    high: float
    p: float
    effect: float | None
    won: float
    lost: float
    rows: int
    one_seed: bool


@dataclass(frozen=True, eq=False)
class Pairs:
    """Every cell of a panel (rows) against every other (columns), all (c, c).

    `ahead` is positive where the first is better, in points. Its variance has two parts: that of the cells' seeds, with
    `freedom` degrees, and that of the test rows, with `row_freedom`.
    """

    ahead: Array
    seeds: Array
    freedom: Array
    rows: Array
    row_freedom: int
    p: Array

    def reach(self, level: float) -> Array:
        """Half the widths of the differences' intervals."""
        return reach(self.seeds, self.freedom, self.rows, self.row_freedom, level)


@lru_cache(maxsize=16)
def pairs(panel: Panel) -> Pairs:
    """The comparisons of a panel's cells, not yet corrected; of one panel worked out once, for all who ask.

    A difference varies by either cell's seeds, which are drawn independently, and by the test rows, which are the same
    for both, by the paired bootstrap (Koehn 2004; with the variance over resamples rather than their tail, so that p
    has no smallest value when many comparisons are corrected for). The seeds have Welch's degrees of freedom; seeds and
    rows are joined by Cochran's t, as in the interval of a score (`bench.uncertainty.half_width`), so that p is below
    0.05 where the 95% interval leaves out 0. Satterthwaite's freedom for both together would be that of the rows
    wherever seeds agree by chance, as those of some cells of a large board do: see `benchmarks/false_positives.md`. A
    test of n paired rows cannot give less than 2^(1 - n), the p-value of the permutation test when one side wins every
    row.
    """
    seeds = panel.seed_variance[:, None] + panel.seed_variance[None, :]
    rows, row_freedom = of_difference(panel.shared), max(panel.rows - 1, 1)
    freedom = _welch(panel, seeds)
    ahead = panel.sign * (panel.values[:, None] - panel.values[None, :])
    p, half = np.ones(ahead.shape), np.triu_indices(len(ahead), k=1)
    found = cochran.p_values(np.abs(ahead)[half], seeds[half], freedom[half], rows[half], row_freedom)
    p[half] = p.T[half] = np.clip(found, 2.0 ** (1 - panel.rows), 1.0)
    return Pairs(ahead, seeds, freedom, rows, row_freedom, p)


def of_difference(covariance: Array) -> Array:
    """Variances of differences from a covariance matrix, none below 0; infinite where that is infinite."""
    variances = np.diag(covariance)
    with np.errstate(invalid="ignore"):
        found = variances[:, None] + variances[None, :] - 2 * covariance
    return np.where(np.isnan(found), np.inf, np.maximum(found, 0.0))


def _welch(panel: Panel, seeds: Array) -> Array:
    """Welch's degrees of freedom of sums of two variances (Welch 1947); 1 where both are 0 and it does not matter."""
    known = panel.seed_freedom > 0
    parts = np.divide(panel.seed_variance**2, panel.seed_freedom, out=np.zeros(len(seeds)), where=known)
    weight = parts[:, None] + parts[None, :]
    found: Array = np.divide(seeds**2, weight, out=np.ones(seeds.shape), where=weight > 0)
    return found


def holm(p: Sequence[float] | Array) -> Array:
    """Holm's adjusted p-values of a family, in their order (Holm 1979). Of (m, ...), families lie along axis 0.

    The i-th smallest of m is multiplied by m - i + 1, and no one falls below a smaller one's; the chance of even one
    false finding is then at most the level, however the comparisons depend on each other.
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, axis=0, kind="stable")
    weights = np.arange(len(values), 0, -1).reshape(-1, *[1] * (values.ndim - 1))
    steps = np.maximum.accumulate(np.take_along_axis(values, order, axis=0) * weights, axis=0)
    adjusted = np.empty(values.shape)
    np.put_along_axis(adjusted, order, np.minimum(steps, 1.0), axis=0)
    return adjusted


def compare(panel: Panel, one: Names, other: Names, level: float = 0.95) -> Difference:
    """Two cells of a panel. Raises KeyError for a cell that it does not have."""
    return _difference(panel, pairs(panel), panel.place(one), panel.place(other), level)


def _difference(panel: Panel, found: Pairs, i: int, j: int, level: float) -> Difference:
    value = float(panel.values[i] - panel.values[j])
    width = float(found.reach(level)[i, j])
    spread = float(np.sqrt(of_difference(panel.fixed)[i, j] * panel.rows))
    gaps = panel.sign * np.round(panel.examples[i] - panel.examples[j], 9)
    return Difference(
        one=panel.names[i], other=panel.names[j], value=value, low=value - width, high=value + width,
        p=float(found.p[i, j]),
        effect=value / spread if 0 < spread < np.inf else None,
        won=float(np.mean(gaps > 0)), lost=float(np.mean(gaps < 0)),
        rows=panel.rows, one_seed=1 in (panel.seeds[i], panel.seeds[j]),
    )
