"""The two variances of a score, and the intervals made of them."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from bench.metrics.metric import Array, Metric
from bench.score import METRICS, interval
from bench.uncertainty import Spread, half_width, row_covariance, shared_variance, spread
from benchmarks import coverage
from tests.answers import MEAN, mean_statistics
from tests.score_examples import EXAMPLES, fastest


def jackknife(metric: Metric, statistics: Array) -> float:
    """The variance of a corpus score by leaving rows out one at a time (Efron and Tibshirani 1993, ch. 11)."""
    without = metric.aggregate(statistics.sum(axis=0) - statistics)[metric.name]
    return float((len(without) - 1) * np.var(without))


def test_one_seed_gives_the_t_interval_of_its_rows() -> None:
    values = np.random.default_rng(1).normal(60, 10, 150)
    known = scipy.stats.ttest_1samp(values, 0).confidence_interval(0.95)
    found = interval(MEAN, [mean_statistics(values)], resamples=20_000)
    assert found == pytest.approx((known.low, known.high), abs=0.03)


@pytest.mark.parametrize("name", list(METRICS))
def test_the_bootstrap_over_rows_agrees_with_the_jackknife(name: str) -> None:
    """For a corpus of many rows both estimate the same variance, of a ratio of sums as well as of a mean."""
    predictions, references = EXAMPLES[name]
    once = METRICS[name].statistics(predictions, references)
    drawn = once[np.random.default_rng(2).integers(len(once), size=400)]
    found = float(row_covariance(METRICS[name], [drawn], resamples=4000)[0, 0])
    assert found == pytest.approx(jackknife(METRICS[name], drawn), rel=0.08)


def test_what_rows_do_to_each_seed_by_itself_is_not_counted_twice() -> None:
    """Scores of row = common + own: the seeds' variance holds the own part, the rows' variance only the common one."""
    rng = np.random.default_rng(3)
    common = rng.normal(0, 10, 2000)
    seeds = [mean_statistics(50 + common + rng.normal(0, 20, 2000)) for _ in range(6)]
    assert spread(MEAN, seeds, resamples=4000).row_variance == pytest.approx(100 / 2000, rel=0.15)


def test_rows_on_which_seeds_have_nothing_in_common_leave_no_row_variance() -> None:
    rng = np.random.default_rng(4)
    seeds = [mean_statistics(rng.normal(50, 10, 300)) for _ in range(3)]
    assert spread(MEAN, seeds).row_variance < 0.25 * spread(MEAN, seeds[:1]).row_variance


def test_a_single_row_tells_nothing_however_many_seeds_agree_on_it() -> None:
    for seeds in (1, 3):
        assert interval(MEAN, [mean_statistics(np.array([60.0]))] * seeds) == MEAN.limits


def test_the_shared_variance_is_the_mean_covariance_of_different_seeds() -> None:
    assert shared_variance(np.array([[4.0, 1.0, 2.0], [1.0, 9.0, 3.0], [2.0, 3.0, 16.0]])) == pytest.approx(2.0)
    assert shared_variance(np.array([[4.0]])) == 4.0


def test_the_quantile_lies_between_the_two_of_students_t() -> None:
    """Either source alone gives its own t; together they give the mean of both, weighed by variance."""
    rows, seeds = scipy.stats.t.ppf(0.975, 99), scipy.stats.t.ppf(0.975, 2)
    assert half_width(Spread(3, 100, 0.0, 4.0)) == pytest.approx(2 * rows)
    assert half_width(Spread(3, 100, 4.0, 0.0)) == pytest.approx(2 * seeds)
    assert half_width(Spread(3, 100, 3.0, 1.0)) == pytest.approx(2 * (0.75 * seeds + 0.25 * rows))


def test_the_interval_does_not_depend_on_the_order_of_seeds() -> None:
    rng = np.random.default_rng(5)
    seeds = [mean_statistics(rng.normal(50, 10, 200)) for _ in range(3)]
    assert interval(MEAN, seeds) == pytest.approx(interval(MEAN, seeds[::-1]))


def test_three_seeds_are_enough_for_the_interval_to_hold_the_truth() -> None:
    """A short form of the slow proof: 240 cells leave a sampling error of 1.4 points."""
    world = coverage.worlds(("accuracy",))["accuracy"]
    shares = [
        coverage.coverage(world, seeds=3, rows=100, points=points, cells=120, resamples=400).shares["used"]
        for points in (0.0, 3.0)
    ]
    assert 92 <= np.mean(shares) <= 99.5


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("points", [0.0, 2.0, 4.0])
def test_intervals_hold_the_truth_in_93_to_97_percent_of_cells(seeds: int, points: float) -> None:
    """1,000 cells leave a sampling error of 0.7 points, which is allowed for."""
    world = coverage.worlds(("accuracy",))["accuracy"]
    held = coverage.coverage(world, seeds=seeds, rows=200, points=points, cells=1000)
    assert 93 - 0.7 <= held.shares["used"] <= 97 + 0.7


@pytest.mark.parametrize("name", list(METRICS))
def test_a_thousand_resamples_of_three_seeds_and_a_thousand_rows_take_less_than_two_seconds(name: str) -> None:
    predictions, references = EXAMPLES[name]
    once = METRICS[name].statistics(predictions, references)
    statistics = np.resize(once, (1000, once.shape[1]))
    assert fastest(lambda: interval(METRICS[name], [statistics] * 3)) < 2
