"""Tests of shifts: nothing is found where nothing is, one cell is found among many, and many small ones together."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
import scipy.stats

from benchmarks import nights
from leaderboard.shifts import Shift, detectable, excess, known_variance, noises, of_cells, pooled


def shift(place: int, value: float, variance: float | None = 0.5, freedom: float = 4.0) -> Shift:
    return Shift(f"t{place % 3}/m{place}/full", "accuracy", value, variance, 0.0, freedom, (f"task t{place % 3}",))


def test_a_cell_alone_with_its_own_noise_is_students_t() -> None:
    found = of_cells([shift(0, 2.0)])[0]
    ratio = 2.0 / 0.5**0.5
    assert found.p == pytest.approx(2 * scipy.stats.t.sf(ratio, 8), rel=1e-6)


def test_noise_is_drawn_towards_that_of_like_cells_but_only_upwards() -> None:
    found = noises([shift(0, 0.0, 0.01), shift(1, 0.0, 1.0), shift(2, 0.0, 1.0), shift(3, 0.0, 9.0)])
    assert found["t0/m0/full"].variance == pytest.approx((4 * 0.01 + 4 * 1.0) / 8)
    assert found["t0/m3/full"].variance == 9.0


def test_one_seed_has_the_noise_of_like_cells_or_none() -> None:
    assert noises([shift(0, 1.0, None, 0.0)]) == {}
    assert noises([shift(0, 1.0, None, 0.0), shift(1, 1.0, 2.0)])["t0/m0/full"].variance == 2.0


def test_earlier_nights_widen_a_noise_that_seeds_understate() -> None:
    known = dataclasses.replace(shift(0, 1.0), known=(8.0, 20.0))
    found = noises([known])["t0/m0/full"]
    assert [found.variance, found.freedom] == pytest.approx([(4 * 0.5 + 20 * 8.0) / 24, 28.0])


def test_earlier_nights_tell_the_noise_of_seeds_and_of_what_seeds_do_not_show() -> None:
    rng = np.random.default_rng(2)
    steady = [rng.normal(50, 3, 3) for _ in range(200)]
    variance, freedom = known_variance(steady) or (0.0, 0.0)
    assert variance == pytest.approx(2 * 9 / 3, rel=0.15)
    assert freedom == pytest.approx(400)
    restless = [seeds + rng.normal(0, 6) for seeds in steady]
    variance, freedom = known_variance(restless) or (0.0, 0.0)
    assert variance == pytest.approx(2 * (9 / 3 + 36), rel=0.4)
    assert freedom == pytest.approx(99.5)
    assert known_variance(steady[:4]) is None


def test_other_test_rows_widen_the_interval_and_not_the_test() -> None:
    plain, rows = of_cells([shift(0, 2.0)])[0], of_cells([dataclasses.replace(shift(0, 2.0), row_variance=1.0)])[0]
    assert rows.p == plain.p
    assert rows.high > plain.high


def test_noise_that_all_cells_share_and_seeds_do_not_show_is_divided_out() -> None:
    rng = np.random.default_rng(0)
    assert excess(rng.normal(0, 1, 5)) == 1.0
    assert excess(rng.normal(0, 3, 400)) == pytest.approx(9.0, rel=0.2)
    assert excess(np.full(60, 50.0)) == 1.0


def test_equal_cells_pool_to_their_plain_mean() -> None:
    found = pooled([shift(i, 1.0 + 0.1 * i) for i in range(5)])[0]
    assert (found.scope, found.cells) == ("all cells", 5)
    assert found.value == pytest.approx(1.2)


def test_a_pool_that_differs_by_more_than_noise_is_the_t_test_of_its_cells() -> None:
    values = [5.0, -3.0, 8.0, 0.0, -6.0, 4.0]
    found = pooled([shift(i, v, 1e-4) for i, v in enumerate(values)])[0]
    assert found.p == pytest.approx(scipy.stats.ttest_1samp(values, 0).pvalue, rel=0.01)


def test_parts_of_the_grid_are_pooled_too_and_corrected() -> None:
    shifts = [shift(i, -3.0 if i % 3 == 0 else 0.0) for i in range(15)]
    found = {f.scope: f for f in pooled(shifts)}
    assert found["task t0"].adjusted < 0.05 < found["task t1"].adjusted
    assert found["task t0"].adjusted >= found["task t0"].p


def test_fewer_than_four_moved_cells_are_not_pooled() -> None:
    assert pooled([shift(i, 1.0) for i in range(3)]) == []


def test_what_can_be_detected_is_caught_four_times_in_five() -> None:
    rng = np.random.default_rng(1)
    found = of_cells([shift(0, 0.0, 1.0, 400.0)])[0]
    size = detectable(found, 0.05)
    hits = [of_cells([shift(0, size + rng.normal(), 1.0, 400.0)])[0].p < 0.05 for _ in range(400)]
    assert np.mean(hits) == pytest.approx(0.8, abs=0.06)


def held(share: nights.Share, low: float = 0.0, high: float = 100.0) -> bool:
    return low <= share.interval[1] and share.interval[0] <= high


@pytest.mark.parametrize("jump", [0.0, 1.0])
def test_nights_of_the_same_code_raise_few_alarms(jump: float) -> None:
    """At most 5% within what so few nights can tell; the long form is `python -m benchmarks.nights`."""
    assert held(nights.false_alarms(nights.World(nights.real()[::2], 3, jump), 60), high=5.0)


def caught(cells: Sequence[nights.Cell], seeds: int, drop: float) -> nights.Share:
    return nights.caught_everywhere(nights.World(cells, seeds), drop, 40)


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_drop_everywhere_that_is_small_in_each_cell_is_caught(seeds: int) -> None:
    assert caught(nights.even(36, 0.4 * seeds**0.5), seeds, 1.7).count == 40


def test_slower_nights_are_told_from_steady_ones() -> None:
    assert held(nights.cost_alarms(40, 1.0, 10, nights.VARIES, cells=20), high=5.0)
    assert nights.cost_alarms(20, 2.0, 10, 0.02, cells=20).count >= 18


def test_a_shift_of_all_cells_is_no_noise_of_those_that_are_known_best() -> None:
    rng = np.random.default_rng(5)
    errors = np.exp(rng.uniform(np.log(0.1), np.log(3.0), 60))
    drops = [shift(place, -2.0 + rng.normal(0, error), error**2, 400.0) for place, error in enumerate(errors)]
    alone = [dataclasses.replace(drop, group=drop.key) for drop in drops]
    found = {finding.scope: finding for finding in of_cells(alone)}
    assert all(found[drop.key].error < 1.2 * error for drop, error in zip(alone, errors, strict=True))
    assert sum(finding.adjusted < 0.01 for finding in found.values()) > 25
