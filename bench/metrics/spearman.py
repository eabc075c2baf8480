"""Rank correlation (Spearman) and linear correlation (Pearson) of one number an example: GLUE's measures for STS-B.

Pearson's is a function of sums of products. Spearman's is Pearson's of the ranks, and a rank depends on all examples.
So it is kept as a covariance and two variances of ranks, each written as a mean over examples of what an example adds
to it: by its own place, and by the shift that it gives to the ranks of the others (its influence, Hampel 1974). Over
all examples that is Spearman's correlation exactly, ties at their middle rank. Over resampled ones it is so to first
order, which is what an interval needs: were the ranks merely kept as they are, intervals of high correlations would be
about 8% too narrow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.metrics.metric import Array, Metric, divide

_NOTHING = 1e-9
"""A variance below this share of its scale is rounding: the numbers do not differ."""


def _extract(predictions: Sequence[float | None], references: Sequence[float]) -> Array:
    """[1, what the example adds to covariance and variances of ranks, nearness of its ranks, p, r, pp, rr, pr].

    p and r are prediction and reference in deviations from their means: correlation has no scale, and sums of squares
    of numbers far from 0 would lose digits.
    """
    told, true = _complete(predictions), np.array(references, dtype=np.float64)
    ranks = [_ranks(told), _ranks(true)]
    near = 1 - abs(ranks[0] - ranks[1])
    p, r = _standardised(told), _standardised(true)
    shares = [_influence(told, true), _influence(told, told), _influence(true, true)]
    return np.column_stack([np.ones(len(true)), *shares, near, p, r, p * p, r * r, p * r])


def _complete(predictions: Sequence[float | None]) -> Array:
    """The predictions; what is no finite number says nothing, and stands at the mean of those that are."""
    numbers = np.array([np.nan if p is None else p for p in predictions], dtype=np.float64)
    known = np.isfinite(numbers)
    numbers[~known] = numbers[known].mean() if known.any() else 0.0
    return numbers


def _standardised(numbers: Array) -> Array:
    deviations = numbers - numbers.mean()
    spread = deviations.std() if np.ptp(numbers) else 0.0
    return divide(deviations, np.array(spread))


def _ranks(numbers: Array) -> Array:
    """Middle ranks as shares of all: above 0, below 1, their mean 1/2."""
    _, group, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    places: Array = (np.cumsum(counts) - counts / 2)[group] / len(numbers)
    return places


def _influence(one: Array, other: Array) -> Array:
    """What each example adds to the covariance of the ranks of `one` and `other`: the mean of it is that covariance."""
    u, v = _ranks(one) - 0.5, _ranks(other) - 0.5
    shifts = _shift(one, v) + _shift(other, u)
    added: Array = u * v + shifts - shifts.mean()
    return added


def _shift(numbers: Array, weights: Array) -> Array:
    """For each example the mean over all of their weight where it is below them, of half the weight where equal."""
    _, group = np.unique(numbers, return_inverse=True)
    own = np.bincount(group, weights=weights)
    above = own.sum() - np.cumsum(own)
    shift: Array = (above + own / 2)[group] / len(numbers)
    return shift


def _aggregate(sums: Array) -> dict[str, Array]:
    """0 where predictions or references do not differ, which leaves a correlation undefined."""
    n = sums[..., 0]
    p, r, pp, rr, pr = (divide(sums[..., i], n) for i in range(5, 10))
    covariance, told, true = (divide(sums[..., i], n) for i in range(1, 4))
    return {
        "spearman": _correlation(covariance, told, true),
        "pearson": _correlation(pr - p * r, pp - p * p, rr - r * r),
    }


def _correlation(covariance: Array, one: Array, other: Array) -> Array:
    """In percent; variances are of numbers of about size 1."""
    defined = (one > _NOTHING) & (other > _NOTHING)
    product = np.where(defined, one * other, 1.0)
    return np.where(defined, 100 * np.clip(covariance / np.sqrt(product), -1, 1), 0.0)


def _examples(statistics: Array) -> Array:
    """How near its two ranks are: 100 where they are equal, 0 at opposite ends. One example has no correlation."""
    return 100 * statistics[:, 4]


def _describe() -> dict[str, str]:
    return {"spearman": "ties:middle rank|undefined:0|resampled:first order", "pearson": "undefined:0"}


SPEARMAN = Metric(
    name="spearman",
    measures=("spearman", "pearson"),
    reference="number",
    extract=_extract,
    aggregate=_aggregate,
    describe=_describe,
    examples=_examples,
    limits=(-100.0, 100.0),
)
