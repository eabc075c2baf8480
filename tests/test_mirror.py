"""What is sent to W&B, as plain values."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench import mirror
from bench.record import Outcome, Point
from tests import fake_records

RECORD = fake_records.record("sentiment", "bert-mini", "full")


def test_the_id_is_the_same_for_the_same_cell_of_the_same_run() -> None:
    assert mirror.of_cell("nightly", RECORD).id == mirror.of_cell("nightly", replace(RECORD, score=1.0)).id


def test_a_cell_keeps_its_id_when_its_size_becomes_one_of_several_and_has_it_as_a_tag() -> None:
    sized = mirror.of_cell("nightly", replace(RECORD, train_size=40))
    assert sized.id == mirror.of_cell("nightly", RECORD).id
    assert "40 rows" in sized.tags


@pytest.mark.parametrize(
    "other",
    [
        mirror.of_cell("weekly", RECORD),
        mirror.of_cell("nightly", replace(RECORD, method="lora")),
        mirror.of_cell("nightly", replace(RECORD, fingerprint="0" * 64)),
        mirror.of_cell("nightly", replace(RECORD, source="hub")),
        mirror.of_board("nightly", ()),
    ],
)
def test_the_id_differs_for_anything_else(other: mirror.Page) -> None:
    assert other.id != mirror.of_cell("nightly", RECORD).id


def test_the_digest_changes_with_the_record() -> None:
    assert mirror.of_cell("nightly", RECORD).digest != mirror.of_cell("nightly", replace(RECORD, score=1.0)).digest


def test_the_digest_of_the_board_changes_with_its_files(tmp_path: Path) -> None:
    page = tmp_path / "leaderboard.md"
    page.write_text("one")
    before = mirror.of_board("nightly", [page]).digest
    page.write_text("two")
    assert mirror.of_board("nightly", [page]).digest != before


def test_curves_of_all_trainings_share_a_row_at_the_same_step() -> None:
    trial = replace(RECORD.trials[0], curve=(Point(10, 0.5, 0.9, 50.0, 1.0), Point(20, 1.0, 0.6, 60.0, 2.0)), rate=1e-3)
    final = replace(RECORD.finals[0], curve=(Point(20, 1.0, 0.5, 70.0, 2.0),), rate=2e-3)
    curves = mirror.of_cell("nightly", replace(RECORD, trials=(trial,), finals=(final,))).curves
    assert curves == (
        {"step": 10, "epoch": 0.5, "trial_0/loss": 0.9, "trial_0/validation": 50.0, "trial_0/rate": 1e-3},
        {
            "step": 20, "epoch": 1.0, "trial_0/loss": 0.6, "trial_0/validation": 60.0, "trial_0/rate": 1e-3,
            "seed_1/loss": 0.5, "seed_1/validation": 70.0, "seed_1/rate": 2e-3,
        },
    )


def test_the_summary_leaves_out_what_is_unknown() -> None:
    record = replace(RECORD, outcome=Outcome.FAILED, reason="why", score=None, low=None, cost=None)
    page = mirror.of_cell("nightly", record)
    assert page.summary["outcome"] == "FAILED"
    assert page.summary["reason"] == "why"
    assert not {"score", "low"} & set(page.summary)
    assert not [name for name in page.summary if name.startswith("cost/")]


@pytest.mark.parametrize(
    ("outcome", "failed"), [(Outcome.OK, False), (Outcome.UNSUPPORTED, False), (Outcome.DIVERGED, True)]
)
def test_a_cell_that_went_wrong_is_a_failed_run(outcome: Outcome, failed: bool) -> None:
    assert mirror.of_cell("nightly", replace(RECORD, outcome=outcome)).failed is failed


def test_the_command_is_not_passed_on() -> None:
    """It is free text."""
    provenance = {**RECORD.provenance, "command": "bench run --out /private/place", "anything": "else"}
    config = mirror.of_cell("nightly", replace(RECORD, provenance=provenance)).config
    assert config["versions"]["packages"]["torch"] == "2.13.0"
    assert "private" not in json.dumps(config)
    assert "anything" not in json.dumps(config)


def test_tags_fit_what_wandb_takes() -> None:
    """Once each, and the end of a long name, which tells more than its beginning."""
    model = "org/" + "x" * 80 + "-small"
    tags = mirror.of_cell("nightly", replace(RECORD, model=model, method="sentiment")).tags
    assert tags == ("sentiment", model[-64:], "bundled", "OK")


def test_the_first_predictions_are_shown_as_a_reader_would_write_them() -> None:
    row = {
        "row": 0, "input": "a fine day", "reference": '"positive"', "seed": 1, "prediction": '["B-PER", "O"]',
        "score": None, "phenomena": None,
    }
    page = mirror.with_predictions(mirror.of_cell("nightly", RECORD), [row | {"row": n} for n in range(500)])
    table = page.tables["predictions"]
    assert len(table.rows) == mirror.ROWS
    assert dict(zip(table.columns, table.rows[1], strict=True)) == row | {"row": 1, "reference": "positive"}


def test_a_cell_without_predictions_has_no_table_of_them() -> None:
    assert "predictions" not in mirror.with_predictions(mirror.of_cell("nightly", RECORD), []).tables


def test_columns_of_numbers_become_numbers(tmp_path: Path) -> None:
    published = tmp_path / "leaderboard.csv"
    published.write_text("task,score,rate\nner,71.5,\nqa,,1e-3\n")
    table = mirror.of_board("nightly", [published]).tables["leaderboard"]
    assert table == mirror.Table(("task", "score", "rate"), (("ner", 71.5, None), ("qa", None, 1e-3)))
