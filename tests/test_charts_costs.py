"""Score against cost: every cell is drawn or named as left out, the front is named, nothing lies on another."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from bench.record import Parameters, Record
from leaderboard import draw, trades
from leaderboard.charts import costs as charts
from leaderboard.charts import look
from leaderboard.charts.sheet import filled
from leaderboard.trades import COSTS
from tests import fake_records

SMALL, LARGE = Parameters(1_790_000, 0, 0, 2_310_000, 0), Parameters(1_810_000, 0, 0, 2_310_000, 0)


def cells(task: str = "sentiment") -> list[Record]:
    return [record for record in fake_records.records() if record.task == task]


@pytest.mark.parametrize("cost", COSTS)
def test_every_cell_is_a_dot_or_is_named_as_left_out(cost: str) -> None:
    made = cells("summarization")
    trade = trades.trade(made, cost)
    assert len(trade.dots) + len(trade.left_out) == len(made)
    assert "bert-mini/full" in trade.left_out
    assert {(dot.cost, dot.score, dot.low, dot.high) for dot in trade.dots} == {
        (COSTS[cost](r), r.score, r.low, r.high) for r in made if r.score is not None}
    sheet = charts.sheet(trade)
    assert len(sheet.data["dots"]) == len(trade.dots)
    assert any("not drawn" in line and "bert-mini/full" in line for line in sheet.subtitle)


def test_the_front_is_by_what_is_better_in_this_task() -> None:
    made = [replace(r, higher_is_better=False) for r in cells()]
    trade = trades.trade(made, "seconds")
    scores = [trade.dots[i].score for i in trade.front]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] == min(dot.score for dot in trade.dots)


def test_a_peak_of_memory_that_is_less_by_chance_puts_no_cell_on_the_front() -> None:
    """1.79 and 1.81 GB are both 1.8 GB; counts of parameters are exact."""
    first, second = cells()[:2]
    assert first.cost is not None
    assert second.cost is not None
    worse = replace(first, score=20.0, cost=replace(first.cost, peak_memory=1_790_000_000), parameters=SMALL)
    better = replace(second, score=74.0, cost=replace(second.cost, peak_memory=1_810_000_000), parameters=LARGE)
    named = {cost: [trade.dots[i].score for i in trade.front]
             for cost in ("peak memory", "trainable parameters")
             for trade in [trades.trade([worse, better], cost)]}
    assert named == {"peak memory": [74.0], "trainable parameters": [20.0, 74.0]}


@pytest.mark.parametrize("cost", COSTS)
def test_the_members_of_the_front_are_named_and_no_name_lies_on_another(cost: str) -> None:
    trade = trades.trade(cells(), cost)
    labels = charts.sheet(trade).data["labels"]
    assert [label["text"].split(" · ")[0] for label in labels] == [
        f"{trade.dots[i].model} {trade.dots[i].method}" for i in trade.front]
    downs = sorted(label["down"] for label in labels)
    assert all(after - before >= look.LINE - 1e-6 for before, after in itertools.pairwise(downs))


def test_a_cell_that_trains_nothing_stands_left_of_all_others_at_0() -> None:
    """0 has no place on a logarithmic axis."""
    made = cells()
    made[0] = replace(made[0], parameters=Parameters(0, 0, 0, 2_310_000, 0))
    sheet = charts.sheet(trades.trade(made, "trainable parameters"))
    zero = sheet.values["zero"]
    assert sheet.values["ticks"][0] == zero == min(dot["cost"] for dot in sheet.data["dots"])
    svg = draw.svg(filled(draw.compiled(charts.template("trainable parameters")), sheet))
    assert ">0</text>" in svg


def test_costs_that_hardly_differ_look_so() -> None:
    made = [replace(r, cost=replace(r.cost, seconds=10 + i / 1000)) for i, r in enumerate(cells()) if r.cost]
    values = charts.sheet(trades.trade(made, "seconds")).values
    assert values["last"] / values["first"] == pytest.approx(charts.RATIO)
    assert len(values["ticks"]) > 1


def test_names_are_in_a_key_unless_there_are_more_than_looks() -> None:
    made = cells()
    assert {row["text"] for row in charts.sheet(trades.trade(made, "seconds")).data["key"]} == {
        *(r.method for r in made), *(r.model for r in made)}
    named = [replace(r, method=f"method{i}") for i, r in enumerate(made)]
    assert {row["text"] for row in charts.sheet(trades.trade(named, "seconds")).data["key"]} == {r.model for r in made}


def test_of_long_names_the_method_stays_readable() -> None:
    long = look.named("a-model-with-a-name-that-never-ends", "lora[r=8]")
    assert long.endswith("… lora[r=8]")
    assert len(long) <= look.LONGEST
    assert len(look.named("model" * 9, "method" * 9)) <= look.LONGEST
