"""How far a mean score over training seeds may lie from what other seeds and other test rows would give.

Two sources of variance, each measured on its own: the seeds by their sample variance, the test rows by a bootstrap
that all seeds share. Knows metrics and their per-example statistics; not whose scores they are, nor how they are shown.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.metrics.metric import Array, Metric

RESAMPLES = 1000
_BLOCK = 2_000_000
"""Draws held in memory at once, so that a test set of 100,000 rows needs no more than one of 1,000."""
_COLUMNS = 512
"""Statistics multiplied with the draws at once: enough for a fast product, few enough for the processor's cache."""


@dataclass(frozen=True)
class Spread:
    """The two variances of a mean score over `seeds` seeds on `rows` test rows, in squared points.

    `seed_variance` is s^2 / S, with s^2 the sample variance of the seeds' scores, and 0 for one seed, which does not
    tell. It holds what differs from seed to seed, the chance of single rows included. `row_variance` is what the choice
    of rows does to all seeds alike: the covariance, over resamples of rows, of two seeds' scores. With one seed it is
    the variance over resamples.
    """

    seeds: int
    rows: int
    seed_variance: float
    row_variance: float


def spread(metric: Metric, statistics: Sequence[Array], *, resamples: int = RESAMPLES, seed: int = 0) -> Spread:
    """The variances of a cell's mean primary score; `statistics` holds one (n, k) array a seed, of the same n rows.

    Raises ValueError where seeds have no or different numbers of rows.
    """
    scores = np.array([metric.scores(array)[metric.name] for array in statistics])
    covariance = row_covariance(metric, statistics, resamples=resamples, seed=seed)
    return Spread(len(scores), len(statistics[0]), mean_variance(scores), max(0.0, shared_variance(covariance)))


def mean_variance(scores: Array) -> float:
    """The estimated variance of the mean of seeds' scores (s^2 / S), 0 for a single one."""
    return float(np.var(scores, ddof=1)) / len(scores) if len(scores) > 1 else 0.0


def shared_variance(covariance: Array) -> float:
    """The mean covariance of two different seeds' scores, from their (S, S) matrix; of one seed its variance.

    This leaves out what rows do to each seed by itself, which `mean_variance` holds already: counted twice it would
    make intervals too wide by up to a fifth. Sampling may make it slightly negative. Infinite where all are.
    """
    seeds = len(covariance)
    if np.isinf(covariance).all():
        return float("inf")
    if seeds == 1:
        return float(covariance[0, 0])
    return float((covariance.sum() - np.trace(covariance)) / (seeds * (seeds - 1)))


def row_covariance(
    metric: Metric, statistics: Sequence[Array], *, resamples: int = RESAMPLES, seed: int = 0
) -> Array:
    """The covariance of primary scores over resamples of test rows, (m, m) for m arrays of statistics of the same rows.

    Each resample draws n of n rows with replacement, the same for every array; a corpus metric is computed anew from
    the drawn rows. Scaled by n / (n - 1), since a bootstrap knows the sample's variance only (Efron and Tibshirani
    1993, ch. 6); infinite for a single row, which tells nothing of others. Raises ValueError as `spread` does.
    """
    rows = _common_rows(metric, statistics)
    if rows == 1:
        return np.full((len(statistics), len(statistics)), np.inf)
    scores = resampled_scores(metric, statistics, resamples=resamples, seed=seed)
    return np.atleast_2d(np.cov(scores, rowvar=False)) * rows / (rows - 1)


def resampled_scores(
    metric: Metric, statistics: Sequence[Array], *, resamples: int = RESAMPLES, seed: int = 0
) -> Array:
    """The primary score of every array of statistics on every resample of their rows, shape (resamples, arrays).

    The draws depend on `seed` and the number of rows only. Raises ValueError as `spread` does.
    """
    rows = _common_rows(metric, statistics)
    blocks = _resampled_counts(np.random.default_rng(seed), resamples, rows)
    return np.concatenate([_block_scores(metric, statistics, counts) for counts in blocks])


def _block_scores(metric: Metric, statistics: Sequence[Array], counts: Array) -> Array:
    """Arrays with equally many statistics go through one product together: far fewer and larger ones than an array."""
    found = []
    for width, group in itertools.groupby(statistics, key=lambda array: array.shape[1]):
        for part in _batched(list(group), max(1, _COLUMNS // width)):
            sums = counts @ np.concatenate(part, axis=1)
            found.append(metric.aggregate(sums.reshape(len(counts), len(part), width))[metric.name])
    return np.concatenate(found, axis=1)


def _batched(arrays: Sequence[Array], size: int) -> Iterator[Sequence[Array]]:
    return (arrays[start : start + size] for start in range(0, len(arrays), size))


def half_width(spread: Spread, level: float = 0.95) -> float:
    """Half the width of the interval of a mean score: Cochran's t for two variances of unlike freedom.

        sqrt(V) x (V_seeds t_seeds + V_rows t_rows) / V,  V = V_seeds + V_rows

    with the quantiles t of S - 1 and n - 1 degrees of freedom (Cochran and Cox 1950, "Experimental designs").
    Neither a bootstrap over a handful of seeds nor Satterthwaite's freedom holds its level here; this does: see
    `benchmarks/coverage.md`. One seed leaves rows as the only source: the interval then speaks for that seed alone.
    """
    return float(reach(spread.seed_variance, spread.seeds - 1, spread.row_variance, spread.rows - 1, level))


def reach(seeds: Array | float, freedom: Array | float, rows: Array | float, row_freedom: float, level: float) -> Array:
    """`half_width` from the two variances and their degrees of freedom, for as many as are given; infinite for one row.

    A variance of 0 needs no freedom.
    """
    from scipy.special import stdtrit

    tail = (1 + level) / 2
    total = np.asarray(seeds + rows, dtype=np.float64)
    known = (total > 0) & np.isfinite(total)
    weighed = rows * stdtrit(max(row_freedom, 1), tail) + seeds * stdtrit(np.maximum(freedom, 1), tail)
    found: Array = np.divide(weighed, np.sqrt(total), out=total.copy(), where=known)
    return found


def _common_rows(metric: Metric, statistics: Sequence[Array]) -> int:
    sizes = {len(array) for array in statistics}
    if len(sizes) != 1 or 0 in sizes:
        raise ValueError(
            f"{metric.name}: seeds have {sorted(sizes)} test rows. Score every seed on the same rows, at least one."
        )
    return sizes.pop()


def _resampled_counts(rng: np.random.Generator, resamples: int, rows: int) -> Iterator[Array]:
    """How often each row is drawn in each resample: (resamples, rows) in all, in blocks of resamples."""
    step = max(1, _BLOCK // rows)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        draws = rng.integers(rows, size=(size, rows)) + np.arange(size)[:, None] * rows
        yield np.bincount(draws.ravel(), minlength=size * rows).reshape(size, rows).astype(np.float64)
