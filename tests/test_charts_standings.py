"""Ranks: the figures are those of the statistics, in their order, and lines under one bar are a clique."""

from __future__ import annotations

import numpy as np
import pytest

from leaderboard import draw
from leaderboard.charts import look, standings
from leaderboard.charts.sheet import filled
from leaderboard.friedman import critical_difference
from leaderboard.rank import PAIRED, Place
from tests.answers import named

PLACES = [(Place(named(f"m{i}"), i + 1.0, max(1, i - 1), i + 3), 90.0 - i) for i in range(60)]
SCORES = np.array([[60.0 - 10 * i + task for task in range(4)] for i in range(6)])
RANKING = critical_difference([f"m{i}/full" for i in range(6)], SCORES)


def test_ranks_and_the_ranks_that_may_be_are_those_of_the_places() -> None:
    sheet = standings.of_task("ner", "entity_f1", PLACES[:5], PAIRED)
    expected = [(place.rank, place.low, place.high) for place, _ in PLACES[:5]]
    assert [(row["rank"], row["low"], row["high"]) for row in sheet.data["rows"]] == expected
    assert [n["text"] for n in sheet.data["names"]] == [f"m{i} full" for i in range(5)]
    assert [r["text"] for r in sheet.data["remarks"]] == ["90.0", "89.0", "88.0", "87.0", "86.0"]


def test_cells_that_may_be_the_best_differ_in_colour_and_in_shape() -> None:
    rows = standings.of_task("ner", "entity_f1", PLACES[:5], PAIRED).data["rows"]
    looks = {(p.may_be_best, r["color"], r["shape"]) for (p, _), r in zip(PLACES[:5], rows, strict=True)}
    assert looks == {(True, standings.FIRST, "circle"), (False, look.INK, "diamond")}


def test_of_many_cells_the_first_are_drawn_and_it_is_said() -> None:
    sheet = standings.of_task("ner", "entity_f1", PLACES, PAIRED)
    assert len(sheet.data["rows"]) == standings.ROWS
    assert any("of 60" in line for line in sheet.subtitle)


def test_bars_lie_over_the_cliques_and_touch_no_other() -> None:
    bars = standings.of_lines("Mean ranks", RANKING).data["bars"]
    assert [(round(bar["row"] + 0.3), round(bar["end"] - 0.3)) for bar in bars] == list(RANKING.cliques)
    for one in bars:
        for other in bars:
            apart = one["end"] < other["row"] or other["end"] < one["row"]
            assert one is other or apart or one["right"] != other["right"]


def test_the_scale_is_as_long_as_the_critical_difference() -> None:
    sheet = standings.of_lines("Mean ranks", RANKING)
    (scale,) = sheet.data["scale"]
    assert scale["end"] - scale["rank"] == pytest.approx(RANKING.difference)
    assert scale["end"] <= sheet.values["last"]
    svg = draw.svg(filled(draw.compiled(standings.template()), sheet))
    assert all(f">{name}</text>" in svg for name in RANKING.names)
