"""Exponents are those of the times, what grows faster than the work is named, and every axis can be measured."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmarks.growth import axis, grids, page, slopes, trainings
from benchmarks.growth.axis import Axis, Found

torch.set_num_threads(1)

SIZES = (10, 20, 40, 80)
CHARTS = "publishing, its charts aside"
"""Starts processes for its charts, which takes long; `tests/test_gallery.py` has them."""


def found(power: float, work: float = 1.0) -> Found:
    """Three rounds, of which each is slower than the one before."""
    made = Axis("sorting", "rows", SIZES, lambda size, place: lambda: None, work)
    return Found(made, tuple(tuple(pace * size**power for size in SIZES) for pace in (1.0, 1.5, 3.0)))


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_exponent_is_the_power_however_fast_a_round_is(power: float) -> None:
    measured = found(power).whole
    assert (measured.low, measured.value, measured.high) == pytest.approx((power, power, power))


def test_exponent_is_that_of_the_fastest_times_and_has_the_range_of_the_rounds() -> None:
    measured = slopes.exponent([1, 2], [[2, 4], [1, 4], [1, 8]])
    assert (measured.low, measured.value, measured.high) == pytest.approx((1, 2, 3))


@pytest.mark.parametrize(("power", "work", "worse"), [(1.05, 1.0, False), (1.3, 1.0, True), (1.9, 2.0, False)])
def test_worse_is_what_lies_above_the_work_and_its_slack(power: float, work: float, worse: bool) -> None:
    assert found(power, work).worse is worse


def test_a_part_that_grows_faster_shows_at_the_end() -> None:
    """Of a large fixed cost and a small square, the line through all sizes is flat."""
    mixed = Found(found(1.0).axis, (tuple(2000.0 + size**2 for size in SIZES),))
    assert mixed.whole.value < 1 < mixed.end.value
    assert mixed.worse


def test_page_names_what_is_worse_beside_what_the_work_has() -> None:
    text = page.render([found(1.0), found(2.0)], {"cores": 2}, (0.5, 1.5), tokens=32)
    good, bad = text.splitlines()[-2:]
    assert good == "| sorting | rows | 10 to 80 | 10.0 to 80.0 | 1.00 (1.00 to 1.00) | 1.00 (1.00 to 1.00) | 1 |  |"
    assert bad.endswith("| 2.00 (2.00 to 2.00) | 2.00 (2.00 to 2.00) | 1 | worse than the work |")
    assert "cores 2; load 0.5 before and 1.5 after" in text


@pytest.mark.parametrize("each", [*trainings.AXES, *grids.AXES], ids=lambda each: each.name)
def test_every_axis_can_be_measured(each: Axis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if each.what == CHARTS:
        pytest.skip("takes long")
    monkeypatch.setattr(axis, "LEAST", 0.0)
    small = Axis(each.what, each.against, each.sizes[:2] if each.against == "parameters" else (10, 20), each.prepare)
    (seconds,) = axis.measure(small, 1, tmp_path).rounds
    assert min(seconds) > 0
