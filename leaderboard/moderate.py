"""How much seeds vary, where a few seeds of each cell tell it badly and many cells tell it together.

Three seeds give two degrees of freedom: a variance that is far too low in one cell of ten, and a test that is weak when
many comparisons are corrected for. Knows variances only; no scores, no records.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.metrics.metric import Array

FEWEST = 5
"""Cells whose seeds differ from which on they tell anything of each other."""


@dataclass(frozen=True)
class Prior:
    """What a cell's variance is likely to be before its own seeds are looked at: `variance`, worth `freedom` degrees.

    No freedom says that cells tell nothing of each other; it is infinite where all seem to have the same variance.
    """

    variance: float
    freedom: float


def moderated(variances: Array, freedom: Array) -> tuple[Array, Array]:
    """Sample variances (c,) with their degrees of freedom, joined with what all cells say; both (c,).

    Empirical Bayes (Smyth 2004, "Linear models and empirical Bayes methods", 2 and 6.2), but careful in two ways. A
    variance is only ever raised: one that is too low is a false finding, one too high only a finding missed. And the
    others count for no more than a cell's own seeds, since a cell that varies far more than most would else be taken
    for one of them. Variances without freedom, those of single seeds, stay what they are.
    """
    prior = fitted(variances, freedom)
    worth = np.minimum(prior.freedom, freedom)
    total = freedom + worth
    drawn = np.divide(worth * prior.variance + freedom * variances, total, out=variances.copy(), where=total > 0)
    return np.maximum(variances, np.where(worth > 0, drawn, variances)), total


def fitted(variances: Array, freedom: Array) -> Prior:
    """The prior under which the logarithms of the variances have the mean and variance that they have.

    With s^2 from d degrees of freedom and d0 of the prior, log s^2 has the mean log s0^2 + psi(d / 2) - psi(d0 / 2) -
    log(d / d0) and the variance psi'(d / 2) + psi'(d0 / 2) (Smyth 2004, 6.2). Variances of 0, whose logarithm says
    nothing, are left out.
    """
    from scipy.optimize import brentq
    from scipy.special import digamma, polygamma

    told = (freedom > 0) & (variances > 0)
    if told.sum() < FEWEST:
        return Prior(0.0, 0.0)
    half = freedom[told] / 2
    centred = np.log(variances[told]) - digamma(half) + np.log(half)
    excess = float(np.var(centred, ddof=1) - np.mean(polygamma(1, half)))
    if excess <= float(polygamma(1, 1e4)):
        return Prior(float(np.exp(centred.mean())), np.inf)
    own = float(brentq(lambda x: float(polygamma(1, x)) - excess, 1e-4, 1e4))
    return Prior(float(np.exp(centred.mean() + digamma(own) - np.log(own))), 2 * own)
