"""Curves of cells: drawn together, they are cut apart into documents that are whole and each its own cell's."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

from bench.record import Point, Record
from leaderboard import draw
from leaderboard.charts import cells, look
from leaderboard.charts.sheet import filled
from tests import fake_records

TEXT = "{http://www.w3.org/2000/svg}text"


def cell(method: str, first: int, seeds: int = 3) -> Record:
    """A cell whose seeds were looked at in steps that no other one has."""
    points = tuple(Point(first + 10 * i, 1.0, 1 / (i + 1), 50.0 + i, 0.1) for i in range(3))
    made = fake_records.record("sentiment", "bert-mini", method)
    return replace(made, finals=tuple(replace(training, curve=points) for training in made.finals[:seeds]))


def drawn(*records: Record) -> list[str]:
    return cells.apart(draw.svg(filled(draw.compiled(cells.template()), cells.sheet(records))), records)


def test_each_cell_has_its_own_lines_and_its_own_axes() -> None:
    first, second = drawn(cell("full", 100), cell("lora[r=8]", 7000, seeds=1))
    said = [[e.text for e in ElementTree.fromstring(svg).iter(TEXT) if e.text] for svg in (first, second)]
    assert all(texts[0] == cells.PANELS["loss"] and cells.PANELS["validation"] in texts for texts in said)
    assert said[0][1:5] == ["1", "0.333", "100", "120"]
    assert said[1][1:5] == ["1", "0.333", "7,000", "7,020"]
    assert said[0][6:] == ["52", "50", "100", "120"]
    assert [len(re.findall(r'<path[^>]*stroke="#', svg)) for svg in (first, second)] == [6, 2]


def test_a_cell_looks_the_same_alone_and_among_others() -> None:
    made = [cell(method, 100 * i) for i, method in enumerate(fake_records.METHODS, start=1)]
    assert drawn(*made) == [svg for record in made for svg in drawn(record)]


def test_seeds_differ_in_colour_and_in_dash() -> None:
    (svg,) = drawn(cell("full", 100))
    looks = set(re.findall(r'stroke="(#\w+)"[^>]*stroke-dasharray="([^"]*)"', svg))
    assert {color for color, _ in looks} == set(look.COLORS[:3])
    assert len({dash for _, dash in looks}) == 3


def test_a_training_that_was_looked_at_once_is_a_dot() -> None:
    made = cell("full", 100, seeds=1)
    once = replace(made, finals=tuple(replace(t, curve=t.curve[:1]) for t in made.finals))
    (svg,) = drawn(once)
    assert re.search(r'd="M[\d.,]+Z"[^>]*stroke-linecap="round"', svg)
    assert "NaN" not in svg
