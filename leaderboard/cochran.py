"""The p-values that belong to Cochran's t, of differences with two variances of unlike freedom. Knows numbers only."""

from __future__ import annotations

import numpy as np

from bench.metrics.metric import Array

STEPS = 6
"""Steps after which p has all the digits that are of use: Newton's double them, and the start is near."""
LEAST = 1e-30
"""The smallest p that is told from 0."""


def p_values(distance: Array, seeds: Array, freedom: Array, rows: Array, row_freedom: int) -> Array:
    """Two-sided p-values: at which level `bench.uncertainty.reach` would be just as wide as the distance.

    All arrays have one shape; variances are those of `reach`. Solved by Newton's method, kept between the p of
    either freedom alone, where the solution lies. 1 at no distance, and where a
    variance is infinite; 0 at a distance without any variance.
    """
    total = seeds + rows
    found = np.where((total == 0) & (distance > 0), 0.0, 1.0)
    asked = (distance > 0) & (total > 0) & np.isfinite(total)
    found[asked] = _solved(distance[asked], seeds[asked], freedom[asked], rows[asked], row_freedom)
    return found


def _solved(distance: Array, seeds: Array, freedom: Array, rows: Array, row_freedom: int) -> Array:
    from scipy.special import stdtr

    ratio, share = distance / np.sqrt(seeds + rows), seeds / (seeds + rows)
    ends = [np.log(np.maximum(2 * stdtr(f, -ratio), LEAST)) for f in (freedom, row_freedom)]
    low, high = np.minimum(*ends), np.maximum(*ends)
    log_p = share * ends[0] + (1 - share) * ends[1]
    for _ in range(STEPS):
        width, slope = _width(log_p, share, freedom, row_freedom)
        low, high = np.where(width > ratio, log_p, low), np.where(width > ratio, high, log_p)
        # In logarithms the width is all but straight where one of the two freedoms rules.
        log_p = log_p + np.log(ratio / width) * width / slope
        log_p = np.where((log_p >= low) & (log_p <= high), log_p, (low + high) / 2)
    return np.asarray(np.exp(log_p), dtype=np.float64)


def _width(log_p: Array, share: Array, freedom: Array, row_freedom: int) -> tuple[Array, Array]:
    """Cochran's t at these levels, `share` being the seeds' part of the variance; and its slope by log p."""
    from scipy.special import stdtrit

    tail = np.exp(log_p) / 2
    seeds, rows = -stdtrit(freedom, tail), -stdtrit(row_freedom, tail)
    slope = share / _density(seeds, freedom) + (1 - share) / _density(rows, row_freedom)
    return share * seeds + (1 - share) * rows, -tail * slope


def _density(value: Array, freedom: Array | float) -> Array:
    """Student's density."""
    from scipy.special import gammaln

    half = np.asarray(freedom, dtype=np.float64) / 2
    constant = gammaln(half + 0.5) - gammaln(half) - 0.5 * np.log(2 * np.pi * half)
    return np.asarray(np.exp(constant - (half + 0.5) * np.log1p(value**2 / (2 * half))), dtype=np.float64)
