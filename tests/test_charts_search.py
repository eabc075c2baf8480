"""Learning-rate sensitivity: every trial is there, as what it was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.record import Record
from leaderboard import draw
from leaderboard.charts import search as charts
from leaderboard.charts.sheet import Row, Sheet, filled
from tests import fake_records

METHODS = ("full", "freeze", "lora[r=8]")


def cells() -> list[Record]:
    return [fake_records.record("sentiment", "bert-mini", method) for method in METHODS]


def of(sheet: Sheet, kind: str) -> list[Row]:
    return [row for row in sheet.data["trials"] if row["kind"] == kind]


def test_every_trial_stands_at_its_rate_and_score_as_what_became_of_it() -> None:
    made = cells()
    sheet = charts.sheet(made)
    drawn = sorted((r["rate"], r["value"], r["kind"]) for r in sheet.data["trials"] if r["kind"].isupper())
    assert drawn == sorted((t.rate, t.value, t.state) for record in made for t in record.trials)


def test_the_default_rate_and_the_best_trial_of_each_method_are_marked() -> None:
    made = cells()
    sheet = charts.sheet(made)
    assert [row["rate"] for row in of(sheet, "default")] == [record.trials[0].rate for record in made]
    best = {t.rate: t.value for record in made for t in record.trials if t.rate == record.rate}
    assert {row["rate"]: row["value"] for row in of(sheet, "best")} == best


def test_a_trial_that_diverged_stands_at_the_bottom() -> None:
    made = cells()
    lost = replace(made[0].trials[3], state="DIVERGED", value=None)
    made[0] = replace(made[0], trials=(*made[0].trials[:3], lost))
    sheet = charts.sheet(made)
    assert [(row["rate"], row["value"]) for row in of(sheet, "DIVERGED")] == [(lost.rate, sheet.values["low"])]


def test_a_rate_at_the_edge_is_flagged_in_the_name_and_explained() -> None:
    made = cells()
    assert not any("edge" in line for line in charts.sheet(made).subtitle)
    sheet = charts.sheet([replace(made[0], rate_at_edge=True), *made[1:]])
    assert {row["panel"] for row in sheet.data["trials"]} == {"00full · edge", "01freeze", "02lora[r=8]"}
    assert any(line.startswith("edge:") for line in sheet.subtitle)


def test_trials_are_joined_only_where_the_rate_is_all_that_differs() -> None:
    made = cells()
    several = tuple(replace(trial, choice={"r": trial.number}) for trial in made[0].trials)
    rows = charts.sheet([replace(made[0], trials=several), *made[1:]]).data["trials"]
    assert not any(row.get("joined") for row in rows if row["panel"] == "00full")
    assert any(row.get("joined") for row in rows if row["panel"] == "01freeze")


def test_methods_without_a_search_and_those_beyond_the_most_are_told() -> None:
    made = cells()
    made[1] = replace(made[1], trials=())
    assert any(line == "without a search: freeze" for line in charts.sheet(made).subtitle)
    many = [replace(made[0], method=f"method{i}") for i in range(charts.PANELS + 3)]
    assert any(line.startswith("3 more methods") for line in charts.sheet(many).subtitle)


def test_cells_that_searched_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="rate"):
        charts.sheet([replace(record, trials=()) for record in cells()])


def test_each_panel_is_drawn_under_its_methods_name() -> None:
    svg = draw.svg(filled(draw.compiled(charts.template()), charts.sheet(cells())))
    assert all(f">{method}</text>" in svg for method in METHODS)
