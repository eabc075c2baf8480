"""Do two cells differ? Paired comparisons on the same test rows, with seeds, and corrected for how many are made.

Knows panels of scores; no records, no layout.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.metrics.metric import Array
from bench.record import Names
from leaderboard.panel import Panel


@dataclass(frozen=True)
class Difference:
    """One cell less another, in points of their metric.

    `low` and `high` are the 95% interval, `p` the chance of a difference as large if there were none, `adjusted` the
    same within the family of comparisons that it was made in. `effect` is the difference in standard deviations of a
    single row's difference (Cohen's d_z for paired samples; Cohen 1988, 2.3.5), None where that is 0. `won` and `lost`
    are shares of the test rows on which the first cell scored better, or worse. With `one_seed` a cell had a single
    seed: then all this speaks for these very trainings, not for the methods.
    """

    one: Names
    other: Names
    value: float
    low: float
    high: float
    p: float
    adjusted: float
    effect: float | None
    won: float
    lost: float
    rows: int
    one_seed: bool


@dataclass(frozen=True, eq=False)
class Pairs:
    """Every cell of a panel (rows) against every other (columns), all (c, c).

    `ahead` is positive where the first is better, in points; `error` its standard error, with `freedom` degrees.
    """

    ahead: Array
    error: Array
    freedom: Array
    p: Array


def pairs(panel: Panel) -> Pairs:
    """The comparisons of a panel's cells, not yet corrected.

    The standard error has three parts: either cell's seeds, which are drawn independently, and the test rows, which are
    the same for both, by the paired bootstrap (Koehn 2004; with the variance over resamples rather than their tail, so
    that p has no smallest value when many comparisons are corrected for). Degrees of freedom are Welch and
    Satterthwaite's; p is Student's. A test of n paired rows cannot give less than 2^(1 - n), the p-value of the
    permutation test when one side wins every row.
    """
    from scipy.special import stdtr

    seeds = panel.seed_variance[:, None] + panel.seed_variance[None, :]
    rows = of_difference(panel.shared)
    error = np.sqrt(seeds + rows)
    freedom = _freedom(panel, rows)
    ahead = panel.sign * (panel.values[:, None] - panel.values[None, :])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.abs(ahead) / error
    p = 2 * stdtr(freedom, -np.where(ahead == 0, 0.0, ratio))
    return Pairs(ahead, error, freedom, np.clip(p, 2.0 ** (1 - panel.rows), 1.0))


def of_difference(covariance: Array) -> Array:
    """Variances of differences from a covariance matrix, none below 0; infinite where that is infinite."""
    variances = np.diag(covariance)
    with np.errstate(invalid="ignore"):
        found = variances[:, None] + variances[None, :] - 2 * covariance
    return np.where(np.isnan(found), np.inf, np.maximum(found, 0.0))


def _freedom(panel: Panel, rows: Array) -> Array:
    """Satterthwaite 1946: (sum of the variances)^2 over the sum of (variance^2 / degrees of freedom)."""
    parts = panel.seed_variance**2 / np.maximum(np.array(panel.seeds) - 1, 1)
    total = panel.seed_variance[:, None] + panel.seed_variance[None, :] + rows
    weight = parts[:, None] + parts[None, :] + rows**2 / max(panel.rows - 1, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = total**2 / weight
    return np.where(np.isfinite(found), found, max(panel.rows - 1, 1))


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


def against(panel: Panel, one: Names, level: float = 0.95) -> tuple[Difference, ...]:
    """A cell less each of the others, corrected within this family. Raises KeyError for a cell that is not there."""
    found, i = pairs(panel), panel.place(one)
    return corrected([_difference(panel, found, i, j, level) for j in range(len(panel.names)) if j != i])


def corrected(family: Sequence[Difference]) -> tuple[Difference, ...]:
    """The comparisons with p adjusted for their being made together."""
    adjusted = holm([d.p for d in family])
    return tuple(dataclasses.replace(d, adjusted=float(a)) for d, a in zip(family, adjusted, strict=True))


def _difference(panel: Panel, found: Pairs, i: int, j: int, level: float) -> Difference:
    from scipy.special import stdtrit

    value = float(panel.values[i] - panel.values[j])
    reach = float(stdtrit(found.freedom[i, j], (1 + level) / 2)) * float(found.error[i, j])
    spread = float(np.sqrt(of_difference(panel.fixed)[i, j] * panel.rows))
    gaps = panel.sign * np.round(panel.examples[i] - panel.examples[j], 9)
    p = float(found.p[i, j])
    return Difference(
        one=panel.names[i], other=panel.names[j], value=value, low=value - reach, high=value + reach, p=p, adjusted=p,
        effect=value / spread if 0 < spread < np.inf else None,
        won=float(np.mean(gaps > 0)), lost=float(np.mean(gaps < 0)),
        rows=panel.rows, one_seed=1 in (panel.seeds[i], panel.seeds[j]),
    )
