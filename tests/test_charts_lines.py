"""Curves: their values are those of the records, and they can be read."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bench.record import Record
from leaderboard import curves, draw, frame
from leaderboard.charts import lines, look
from leaderboard.charts.sheet import Sheet, Spec, filled
from leaderboard.curves import Curve, Panel, Point
from leaderboard.search import search
from tests import fake_records

SIZES = (100, 500, 1000)
METHODS = ("full", "head_only", "lora[r=8]")


def records(*models: str) -> list[Record]:
    return [
        record for model in models or ("bert-mini",) for method in METHODS
        for record in fake_records.curve("sentiment", model, method, *SIZES)
    ]


def panel(made: Sequence[Record]) -> Panel:
    (only,) = curves.panels(frame.table(made))
    return only


def many(count: int) -> Panel:
    """So many methods, the later the better."""
    found = [
        Curve(f"method{i}", i, tuple(Point(rows, 50.0 + i + rows / 100, 49.0 + i, 62.0 + i) for rows in SIZES))
        for i in range(count)
    ]
    return Panel("sentiment", "bundled", "bert-mini", "accuracy", True, ((100, 40.0), (1000, 41.0)), tuple(found))


def drawn(template: Spec, sheet: Sheet) -> str:
    return draw.svg(filled(draw.compiled(template), sheet))


# Values


def test_the_values_of_a_curve_are_those_of_the_records_to_the_digit() -> None:
    made = records()
    found = panel(made)
    points = {(curve.method, p.rows): (p.score, p.low, p.high) for curve in found.curves for p in curve.points}
    assert points == {(r.method, r.train_size): (r.score, r.low, r.high) for r in made}
    values = lines.learning_curves(found).data["strong"]
    names = {str(curve.place): curve.method for curve in found.curves}
    assert {(names[v["look"]], v["rows"]): (v["score"], v["low"], v["high"]) for v in values} == points


def test_the_floor_is_drawn_at_every_size_and_dashed() -> None:
    sheet = lines.learning_curves(many(3))
    assert [(v["rows"], v["score"]) for v in sheet.data["floor"]] == [(100, 40.0), (1000, 41.0)]
    assert re.search(r'<path[^>]*stroke="currentColor"[^>]*stroke-dasharray="3,3"', drawn(lines.by_rows(), sheet))


def test_there_is_a_panel_for_each_task_and_model() -> None:
    drawn = curves.panels(frame.table(records("bert-mini", "t5-mini")))
    assert [(found.task, found.model) for found in drawn] == [("sentiment", "bert-mini"), ("sentiment", "t5-mini")]
    assert [[curve.place for curve in found.curves] for found in drawn] == [[0, 1, 2]] * 2


def test_one_size_makes_no_learning_curve() -> None:
    assert curves.panels(frame.table(fake_records.records())) == ()


def test_sizes_of_different_methods_are_no_curve_either() -> None:
    full, lora = (fake_records.curve("sentiment", "bert-mini", m, n)[0] for m, n in (("full", 100), ("lora[r=8]", 500)))
    assert curves.panels(frame.table([full, lora])) == ()


def test_two_sizes_with_the_same_rows_are_one_point() -> None:
    made = fake_records.curve("sentiment", "bert-mini", "full", 100, 2000, 3000)
    beyond = [replace(r, data=replace(r.data, train=1500)) if r.data is not None else r for r in made[1:]]
    (curve,) = panel([made[0], *beyond]).curves
    assert [point.rows for point in curve.points] == [100, 1500]
    assert curve.last.score == made[1].score


def test_a_line_is_broken_where_a_cell_has_no_score() -> None:
    made = fake_records.curve("sentiment", "bert-mini", "full", 50, 100, 500, 1000)
    made[1] = replace(made[1], score=None, low=None, high=None)
    svg = drawn(lines.by_rows(), lines.learning_curves(panel(made)))
    line = next(d for d in re.findall(r'<path d="([^"]*)" stroke="#', svg) if d.count("L") >= 1)
    assert line.count("M") == 2


def test_a_method_without_any_score_is_named() -> None:
    failed = fake_records.curve("qa", "gpt2-mini", "lora[r=8]", *SIZES)
    found = panel([*fake_records.curve("qa", "gpt2-mini", "full", *SIZES), *failed])
    assert "without any score: lora[r=8]" in lines.learning_curves(found).subtitle


def test_the_best_so_far_is_a_stair_over_the_trials_spent() -> None:
    made = [fake_records.record("sentiment", "bert-mini", method) for method in METHODS]
    searches = {record.names: search(record) for record in made}
    found = curves.best_so_far(made, searches, {method: place for place, method in enumerate(METHODS)})
    assert found is not None
    assert {c.method: tuple(p.score for p in c.points) for c in found.curves} == {
        record.method: searches[record.names].best_so_far for record in made}
    sheet = lines.best_so_far(found)
    assert sheet.values["ticks"] == [1, 2, 3, 4]
    assert drawn(lines.by_trials(), sheet).count("<path") > len(METHODS)


def test_cells_that_searched_nothing_have_no_best_so_far() -> None:
    made = replace(fake_records.record("sentiment", "bert-mini", "full"), trials=())
    assert curves.best_so_far([made], {made.names: search(made)}, {"full": 0}) is None


# Looks


def test_series_differ_in_colour_in_shape_and_in_dash() -> None:
    for kinds in (look.COLORS, look.SHAPES):
        assert len(set(kinds)) == len(kinds) == look.MOST
    looks = {(look.SHAPES[i], str(look.DASHES[i % len(look.DASHES)])) for i in range(look.MOST)}
    assert len(looks) == look.MOST


def test_a_method_looks_the_same_in_every_panel() -> None:
    made = [r for r in records("bert-mini", "t5-mini") if (r.model, r.method) != ("t5-mini", "full")]
    panels = curves.panels(frame.table(made))
    seen = [{v["look"] for v in lines.learning_curves(each).data["strong"]} for each in panels]
    assert seen == [{"0", "1", "2"}, {"1", "2"}]


def test_text_and_axes_take_the_colour_of_the_page() -> None:
    svg = drawn(lines.by_rows(), lines.learning_curves(many(7)))
    inks = set(re.findall(r'(?:fill|stroke)="([^"]*)"', svg)) - {"none", "transparent"}
    assert inks == {look.INK, *look.COLORS}
    assert set(re.findall(r'<text[^>]*fill="([^"]*)"', svg)) == {look.INK}


@pytest.mark.parametrize("count", [1, 7, 30])
def test_every_method_is_named_with_its_last_score_and_no_name_lies_on_another(count: int) -> None:
    sheet = lines.learning_curves(many(count))
    values = sheet.data["labels"]
    assert {v["text"] for v in values} == {f"method{i} · {60.0 + i:.1f}" for i in range(count)} | {"floor"}
    places = sorted(v["down"] for v in values)
    assert all(after - before >= look.LINE - 1e-6 for before, after in itertools.pairwise(places))
    assert sheet.height is not None
    assert places[-1] <= sheet.height


def test_of_many_methods_the_best_stand_out_and_the_others_stay_in_sight() -> None:
    sheet = lines.learning_curves(many(30))
    assert {v["score"] for v in sheet.data["strong"] if v["rows"] == 1000} == {60.0 + i for i in range(23, 30)}
    assert len({v["look"] for v in sheet.data["weak"]}) == 30 - look.MOST
    assert any("stand out" in text for text in sheet.subtitle)


def test_the_lowest_stand_out_where_lower_is_better() -> None:
    values = lines.learning_curves(replace(many(30), higher_is_better=False)).data["strong"]
    assert {v["look"] for v in values} == {str(i) for i in range(look.MOST)}


@pytest.mark.parametrize("wanted", [[], [5.0], [10.0, 11.0, 12.0], [90.0, 99.0, 98.0], [0.0] * 9])
def test_labels_are_spread_in_their_order_and_within_the_height(wanted: list[float]) -> None:
    places = look.spread(wanted, 10, 100)
    assert all(0 <= place <= 100 for place in places)
    ordered = [places[i] for i in sorted(range(len(wanted)), key=lambda i: wanted[i])]
    assert all(after - before >= 10 - 1e-9 for before, after in itertools.pairwise(ordered))


def test_labels_that_have_room_stay_where_they_are() -> None:
    assert look.spread([50.0, 20.0, 80.0], 10, 100) == [50.0, 20.0, 80.0]
