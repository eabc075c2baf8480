"""Learning curves: their values are those of the records, they can be read, and they hold nothing of a stranger's."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.record import Record
from bench.store import Store
from leaderboard import charts, curves, draw, frame, gallery, html, render
from leaderboard.curves import Curve, Panel, Point
from tests import fake_records
from tests.test_leaderboard_page import SCRIPT, Reader

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


def data(spec: charts.Spec, mark: str) -> list[list[dict[str, Any]]]:
    """The data of each layer with this mark."""
    layers = [layer for layer in spec["layer"] if layer["mark"]["type"] == mark]
    return [spec["datasets"][layer["data"]["name"]] if "name" in layer["data"] else layer["data"]["values"]
            for layer in layers]


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


# Values


def test_the_values_of_a_curve_are_those_of_the_records_to_the_digit() -> None:
    made = records()
    drawn = panel(made)
    points = {(curve.method, p.rows): (p.score, p.low, p.high) for curve in drawn.curves for p in curve.points}
    assert points == {(r.method, r.train_size): (r.score, r.low, r.high) for r in made}
    spec = charts.learning_curves(drawn)
    (values,) = data(spec, "point")
    names = {str(curve.place): curve.method for curve in drawn.curves}
    assert {(names[v["series"]], v["rows"]): (v["score"], v["low"], v["high"]) for v in values} == points


def test_the_floor_is_drawn_at_every_size_and_dashed() -> None:
    spec = charts.learning_curves(many(3))
    floor = next(layer for layer in spec["layer"] if layer["mark"].get("strokeDash") is not None)
    assert [(v["rows"], v["score"]) for v in data(spec, "line")[0]] == [(100, 40.0), (1000, 41.0)]
    assert floor["mark"]["color"] == charts.INK


def test_there_is_a_panel_for_each_task_and_model() -> None:
    drawn = curves.panels(frame.table(records("bert-mini", "t5-mini")))
    assert [(found.task, found.model) for found in drawn] == [("sentiment", "bert-mini"), ("sentiment", "t5-mini")]
    assert [[curve.place for curve in found.curves] for found in drawn] == [[0, 1, 2]] * 2


def test_one_size_makes_no_curve_and_loads_no_drawing() -> None:
    made = fake_records.records()
    assert curves.panels(frame.table(made)) == ()
    code = (
        "import sys\nfrom leaderboard import frame, gallery, render\nfrom tests import fake_records\n"
        "assert gallery.learning_curves(frame.table(fake_records.records())) == ()\n"
        "print([m for m in ('altair', 'vl_convert') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


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
    svg = draw.svg(charts.learning_curves(panel(made)))
    line = next(d for d in re.findall(r'<path d="([^"]*)" stroke="#', svg) if d.count("L") >= 1)
    assert line.count("M") == 2


def test_a_method_without_any_score_is_named() -> None:
    failed = fake_records.curve("qa", "gpt2-mini", "lora[r=8]", *SIZES)
    drawn = panel([*fake_records.curve("qa", "gpt2-mini", "full", *SIZES), *failed])
    assert "without any score: lora[r=8]" in charts.learning_curves(drawn)["title"]["subtitle"]


# Looks


def test_series_differ_in_colour_in_shape_and_in_dash() -> None:
    for kinds in (charts.COLORS, charts.SHAPES):
        assert len(set(kinds)) == len(kinds) == charts.MOST
    looks = {(charts.SHAPES[i], str(charts.DASHES[i % len(charts.DASHES)])) for i in range(charts.MOST)}
    assert len(looks) == charts.MOST


def test_a_method_looks_the_same_in_every_panel() -> None:
    made = [r for r in records("bert-mini", "t5-mini") if (r.model, r.method) != ("t5-mini", "full")]
    colors = []
    for found in curves.panels(frame.table(made)):
        layer = next(one for one in charts.learning_curves(found)["layer"] if one["mark"]["type"] == "point")
        scale = layer["encoding"]["color"]["scale"]
        colors.append(dict(zip(scale["domain"], scale["range"], strict=True)))
    assert colors[1].items() <= colors[0].items()
    assert len(colors[0]) == 3


def test_text_and_axes_take_the_colour_of_the_page() -> None:
    svg = draw.svg(charts.learning_curves(many(7)))
    inks = set(re.findall(r'(?:fill|stroke)="([^"]*)"', svg)) - {"none", "transparent"}
    assert inks == {charts.INK, *charts.COLORS}
    assert set(re.findall(r'<text[^>]*fill="([^"]*)"', svg)) == {charts.INK}


@pytest.mark.parametrize("count", [1, 7, 30])
def test_every_method_is_named_with_its_last_score_and_no_name_lies_on_another(count: int) -> None:
    spec = charts.learning_curves(many(count))
    (values,) = data(spec, "text")
    assert {v["text"] for v in values} == {f"method{i}  {60.0 + i:.1f}" for i in range(count)} | {"floor"}
    low, high = span(spec)
    places = sorted(spec["height"] * (high - v["label"]) / (high - low) for v in values)
    assert all(after - before >= charts.LABEL - 1e-6 for before, after in itertools.pairwise(places))


def span(spec: charts.Spec) -> tuple[float, float]:
    found = (layer["encoding"].get("y", {}).get("scale") for layer in spec["layer"])
    low, high = next(scale["domain"] for scale in found if scale)
    return low, high


def test_of_many_methods_the_best_stand_out_and_the_others_stay_in_sight() -> None:
    spec = charts.learning_curves(many(30))
    (strong,) = data(spec, "point")
    assert {v["series"] for v in strong} == {str(i) for i in range(30 - charts.MOST, 30)}
    drawn = {v["series"] for values in data(spec, "line") for v in values if "series" in v}
    assert len(drawn) == 30
    assert any("stand out" in text for text in spec["title"]["subtitle"])


def test_the_lowest_stand_out_where_lower_is_better() -> None:
    (strong,) = data(charts.learning_curves(replace(many(30), higher_is_better=False)), "point")
    assert {v["series"] for v in strong} == {str(i) for i in range(charts.MOST)}


@pytest.mark.parametrize("wanted", [[], [5.0], [10.0, 11.0, 12.0], [90.0, 99.0, 98.0], [0.0] * 9])
def test_labels_are_spread_in_their_order_and_within_the_height(wanted: list[float]) -> None:
    places = charts.spread(wanted, 10, 100)
    assert all(0 <= place <= 100 for place in places)
    ordered = [places[i] for i in sorted(range(len(wanted)), key=lambda i: wanted[i])]
    assert all(after - before >= 10 - 1e-9 for before, after in itertools.pairwise(ordered))


def test_labels_that_have_room_stay_where_they_are() -> None:
    assert charts.spread([50.0, 20.0, 80.0], 10, 100) == [50.0, 20.0, 80.0]


# Pages and files


def hostile() -> list[Record]:
    named: Iterable[Record] = fake_records.curve("sentiment", "bert-mini", "full", *SIZES)
    return [replace(r, model=f'"{SCRIPT}&\u202e', method=f"lora[{SCRIPT}]", task=SCRIPT) for r in named]


def test_text_from_data_and_models_is_escaped_in_figures() -> None:
    board = frame.table(hostile())
    (figure,) = gallery.learning_curves(board)
    assert "<script" not in figure.svg
    assert any(SCRIPT[:20] in text for text in texts(figure.svg))
    reader = Reader(str(html.environment().filters["drawing"](figure.svg)))
    assert not reader.all("script")
    assert not any(name.startswith("on") for _, attributes in reader.tags for name in attributes)


def test_the_page_of_the_task_holds_the_figures_and_asks_for_nothing(tmp_path: Path) -> None:
    for record in records("bert-mini", "t5-mini"):
        Store(tmp_path).write_record(record)
    render.publish(tmp_path)
    page = (tmp_path / "leaderboard" / "tasks" / "sentiment.html").read_text(encoding="utf-8")
    reader = Reader(page)
    assert len(reader.all("figure")) == 2
    assert reader.open == []
    assert not re.search(r"https?://|@import|url\(|xlink:href|<image", page)
    names = [a["id"] for _, a in reader.tags if "id" in a]
    assert len(names) == len(set(names))


def test_the_figures_are_written_as_files_the_same_each_time_and_old_ones_go(tmp_path: Path) -> None:
    for record in records("bert-mini", "t5-mini"):
        Store(tmp_path).write_record(record)
    figures = tmp_path / "leaderboard" / "figures"
    first = {path: path.read_bytes() for path in render.publish(tmp_path) if path.parent == figures}
    names = [f"learning-curve-sentiment-{model}" for model in ("bert-mini", "t5-mini")]
    assert [path.name for path in first] == [f"{name}.{kind}" for name in names for kind in ("svg", "png")]
    assert all(content.startswith(b"\x89PNG" if path.suffix == ".png" else b"<svg") for path, content in first.items())
    assert "](figures/learning-curve-sentiment-bert-mini.png)" in (figures.parent / "leaderboard.md").read_text()
    (figures / "mine.svg").write_text("kept")
    for path in (tmp_path / "records/sentiment/t5-mini").iterdir():
        path.unlink()
    again = {path: path.read_bytes() for path in render.publish(tmp_path) if path.parent == figures}
    assert again == {path: content for path, content in first.items() if "bert" in path.name}
    assert sorted(path.name for path in figures.iterdir()) == [*sorted(path.name for path in again), "mine.svg"]
