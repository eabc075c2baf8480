"""Friedman's test and Nemenyi's critical difference, against scipy and scikit-posthocs on the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
import scikit_posthocs
import scipy.stats

from leaderboard.friedman import critical_difference

NAMES = ("a", "b", "c", "d", "e")


def table(seed: int, tasks: int = 8) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.round(rng.normal(50, 5, (5, tasks)) + 6 * np.arange(5)[:, None], 0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_pairs_beyond_the_critical_difference_are_those_that_scikit_posthocs_tells_apart(seed: int) -> None:
    scores = table(seed)
    known = scikit_posthocs.posthoc_nemenyi_friedman(scores.T).to_numpy()
    found = critical_difference(NAMES, scores)
    ranks = np.array([found.ranks[found.names.index(name)] for name in NAMES])
    apart = np.abs(ranks[:, None] - ranks[None, :]) > found.difference
    assert (apart == (known < 0.05)).all()


def test_the_statistic_is_friedmans() -> None:
    scores = table(4)
    found, known = critical_difference(NAMES, scores), scipy.stats.friedmanchisquare(*scores)
    assert (found.statistic, found.p) == pytest.approx((known.statistic, known.pvalue))


def test_the_critical_difference_is_that_of_demsars_table() -> None:
    """q of 10 classifiers is 3.164 (Demsar 2006, table 5a), so 14 data sets give 3.164 sqrt(10 x 11 / 84)."""
    found = critical_difference([str(i) for i in range(10)], np.random.default_rng(5).normal(size=(10, 14)))
    assert found.difference == pytest.approx(3.164 * np.sqrt(110 / 84), abs=0.002)


def test_names_are_ranked_best_first_and_equals_by_name() -> None:
    found = critical_difference(("b", "a", "c"), np.array([[2.0, 2.0], [2.0, 2.0], [9.0, 9.0]]))
    assert found.names == ("c", "a", "b")
    assert found.ranks == (1, 2.5, 2.5)


def test_cliques_are_the_longest_runs_within_the_difference() -> None:
    scores = np.array([[n + (n % 2) * 0.1 * t for t in range(40)] for n in (50, 40, 30, 20)])
    found = critical_difference(("p", "q", "r", "s"), scores)
    assert found.ranks == (1, 2, 3, 4)
    assert found.cliques == ()
    few = critical_difference(("p", "q", "r", "s"), scores[:, :3])
    assert 2 < few.difference < 3
    assert few.cliques == ((0, 2), (1, 3))


def test_two_names_have_no_friedman_test_and_equal_scores_no_difference() -> None:
    assert critical_difference(("a", "b"), np.array([[1.0, 2.0], [3.0, 4.0]])).p is None
    equal = critical_difference(("a", "b", "c"), np.ones((3, 4)))
    assert (equal.p, equal.cliques) == (None, ((0, 2),))


@pytest.mark.parametrize("scores", [np.ones((1, 3)), np.ones((3, 1)), np.full((3, 3), np.nan)])
def test_too_little_to_rank_is_an_error(scores: np.ndarray) -> None:
    with pytest.raises(ValueError, match="at least 2 names x 2 tasks"):
        critical_difference(NAMES[: len(scores)], scores)
