"""Variances that cells tell together: against the distribution that they are said to follow, and never too low."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from scipy.integrate import quad

from bench.metrics.metric import Array
from leaderboard.moderate import FEWEST, fitted, moderated


def drawn(rng: np.random.Generator, cells: int, freedom: float, prior: float, own: float) -> Array:
    """Sample variances of cells whose true variances follow own x prior / chi^2(prior)."""
    true = own * prior / rng.chisquare(prior, cells)
    return np.asarray(true * rng.chisquare(freedom, cells) / freedom, dtype=np.float64)


@pytest.mark.parametrize(("freedom", "prior", "own"), [(2.0, 4.0, 1.5), (4.0, 8.0, 20.0), (1.0, 3.0, 0.2)])
def test_the_prior_is_found_again(freedom: float, prior: float, own: float) -> None:
    found = fitted(drawn(np.random.default_rng(1), 20_000, freedom, prior, own), np.full(20_000, freedom))
    assert found.freedom == pytest.approx(prior, rel=0.1)
    assert found.variance == pytest.approx(own, rel=0.05)


def test_under_the_prior_logarithms_have_the_moments_that_they_have() -> None:
    """A sample variance is then own x F(d, d0): its density, integrated, gives both moments back."""
    variances = drawn(np.random.default_rng(2), 40, 2.0, 3.0, 5.0)
    found = fitted(variances, np.full(40, 2.0))

    def moment(power: int, centre: float) -> float:
        density = scipy.stats.f(2, found.freedom)
        return float(quad(lambda u: (u - centre) ** power * density.pdf(np.exp(u)) * np.exp(u), -40, 60)[0])

    mean = moment(1, 0.0)
    assert mean + np.log(found.variance) == pytest.approx(np.log(variances).mean(), abs=1e-6)
    assert moment(2, mean) == pytest.approx(np.log(variances).var(ddof=1), rel=1e-5)


def test_cells_that_vary_alike_have_one_variance() -> None:
    found = fitted(drawn(np.random.default_rng(3), 500, 2.0, 1e6, 3.0), np.full(500, 2.0))
    assert found.freedom > 10
    assert found.variance == pytest.approx(3.0, rel=0.2)


def test_a_variance_is_raised_towards_the_others_and_never_lowered() -> None:
    variances = np.array([0.0, 0.1, 1.0, 1.5, 2.0, 1.2, 0.8, 90.0])
    found, freedom = moderated(variances, np.full(8, 2.0))
    assert (found >= variances).all()
    assert found[0] > 0.1
    assert found[-1] == 90.0
    assert ((freedom > 2) & (freedom <= 4)).all()


def test_other_cells_count_for_no_more_than_a_cells_own_seeds() -> None:
    _, freedom = moderated(np.full(20, 2.0), np.array([1.0] * 10 + [4.0] * 10))
    assert freedom.tolist() == [2.0] * 10 + [8.0] * 10


def test_single_seeds_and_few_cells_are_left_as_they_are() -> None:
    variances, freedom = np.array([1.0, 9.0, 2.0, 4.0, 0.0, 0.0]), np.array([2.0, 2.0, 2.0, 2.0, 0.0, 2.0])
    assert (freedom > 0).sum() == FEWEST
    found, left = moderated(variances, freedom)
    assert (found.tolist(), left.tolist()) == (variances.tolist(), freedom.tolist())
    many = np.append(np.linspace(1, 3, 9), 0.0)
    found, left = moderated(many, np.append(np.full(9, 2.0), 0.0))
    assert (found[-1], left[-1]) == (0.0, 0.0)


def test_the_order_of_cells_does_not_matter() -> None:
    variances = drawn(np.random.default_rng(5), 12, 2.0, 4.0, 1.0)
    found, _ = moderated(variances, np.full(12, 2.0))
    turned, _ = moderated(variances[::-1].copy(), np.full(12, 2.0))
    assert turned[::-1] == pytest.approx(found)
