"""Rank and linear correlation against scipy, and how near resampled sums come to resampled ranks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import pearsonr, spearmanr

from bench.metrics.spearman import SPEARMAN

Numbers = NDArray[np.float64]


def numbers(seed: int, rows: int, correlation: float) -> tuple[Numbers, Numbers]:
    """Predictions, and references with many ties."""
    draw = np.random.default_rng(seed)
    x, noise = draw.normal(size=(2, rows))
    return x, np.round(3 * (correlation * x + math.sqrt(1 - correlation**2) * noise)) / 3


@pytest.mark.parametrize("rows", [3, 10, 300])
def test_scores_are_those_of_scipy(rows: int) -> None:
    """Whatever the sign, with ties on either side, and on a scale far from 0."""
    for seed in range(20):
        x, y = numbers(seed, rows, (-0.8, 0.0, 0.5, 0.95)[seed % 4])
        x = 1e6 + np.round(x, seed % 3)
        if np.ptp(x) == 0 or np.ptp(y) == 0:
            continue
        scores = SPEARMAN.compute(predictions=list(x), references=list(y))
        assert scores["spearman"] == pytest.approx(100 * spearmanr(x, y)[0], abs=1e-7)
        assert scores["pearson"] == pytest.approx(100 * pearsonr(x, y)[0], abs=1e-5)


@pytest.mark.parametrize(
    ("predictions", "references"),
    [([2.7] * 4, [1.0, 2, 3, 4]), ([1.0, 2, 3, 4], [0.1] * 4), ([0.1] * 4, [0.1] * 4), ([3.0], [4.0]),
     ([math.nan] * 4, [1.0, 2, 3, 4]), ([None] * 4, [1.0, 2, 3, 4])],
)
def test_numbers_that_do_not_differ_have_no_correlation(
    predictions: list[float | None], references: list[float]
) -> None:
    """0 and no warning, never NaN."""
    scores = SPEARMAN.compute(predictions=predictions, references=references)
    assert scores == {"spearman": 0, "pearson": 0}


def test_what_is_no_finite_number_stands_at_the_mean_of_the_others() -> None:
    references = [1.0, 2, 3, 4]
    for nothing in (None, math.nan, math.inf):
        scores = SPEARMAN.compute(predictions=[1.0, nothing, 3, 8], references=references)
        assert scores == SPEARMAN.compute(predictions=[1.0, 4, 3, 8], references=references)


@pytest.mark.parametrize("correlation", [0.0, 0.6, 0.9])
def test_resampled_sums_spread_as_the_correlations_of_resampled_rows_do(correlation: float) -> None:
    """Their ranks taken anew each time: the same spread within 5%, and the same ups and downs."""
    x, y = numbers(7, 400, correlation)
    statistics = SPEARMAN.statistics(list(x), list(y))
    draws = [np.random.default_rng(i).integers(400, size=400) for i in range(400)]
    ours = [SPEARMAN.scores(statistics[draw])["spearman"] for draw in draws]
    true = [100 * spearmanr(x[draw], y[draw])[0] for draw in draws]
    assert np.std(ours) == pytest.approx(np.std(true), rel=0.05)
    assert np.mean(ours) == pytest.approx(np.mean(true), abs=0.5)
    assert np.corrcoef(ours, true)[0, 1] > 0.98


def test_an_example_is_scored_by_how_near_its_two_ranks_are() -> None:
    scores = SPEARMAN.per_example(SPEARMAN.statistics([1.0, 2, 3, 4], [10.0, 20, 40, 30]))
    assert scores == [100, 100, 75, 75]
