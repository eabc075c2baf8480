"""The Pareto front is what its definition says, for any points."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.pareto import Point, pareto

POINTS = st.lists(st.tuples(st.integers(0, 6).map(float), st.integers(-3, 3).map(float)), max_size=12)


def dominates(one: Point, other: Point) -> bool:
    return one[0] <= other[0] and one[1] >= other[1] and one != other


@given(POINTS)
def test_the_front_are_the_points_that_no_other_one_dominates(points: list[Point]) -> None:
    """Few distinct numbers, so that ties in cost, in gain and in both are common."""
    expected = {i for i, point in enumerate(points) if not any(dominates(other, point) for other in points)}
    assert set(pareto(points)) == expected
    assert len(pareto(points)) == len(expected)


@given(POINTS)
def test_along_the_front_the_cost_and_the_gain_rise(points: list[Point]) -> None:
    front = [points[i] for i in pareto(points)]
    assert front == sorted(front)
    assert [gain for _, gain in front] == sorted(gain for _, gain in front)


@given(st.lists(st.tuples(st.floats(0, 1e9), st.floats(-1e3, 1e3)), min_size=1, max_size=8))
def test_some_point_is_always_on_the_front(points: list[Point]) -> None:
    assert pareto(points)


def test_equal_points_are_on_the_front_together() -> None:
    assert pareto([(2.0, 5.0), (1.0, 5.0), (1.0, 5.0), (1.0, 4.0)]) == (1, 2)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_not_known_are_refused(number: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        pareto([(1.0, 1.0), (number, 2.0)])
