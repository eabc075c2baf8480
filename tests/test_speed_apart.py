"""Both sides of a cell are compared on the same test rows, with what each of them answered there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.record import Record
from bench.score import metric_named
from bench.store import Store
from benchmarks.speed import apart
from tests import fake_records, fake_run


def a_run(place: Path, task: str) -> tuple[Store, Record]:
    """A run, and a cell of the task that has a score."""
    records = fake_run.write(place, cells=4, tasks=[task])
    return Store(place), next(record for record in records if record.score is not None)


def scored(record: Record, answers: list[list[Any]], references: list[Any]) -> list[float]:
    metric = metric_named(record.metric)
    return [metric.compute(predictions=given, references=references)[metric.name] for given in answers]


def kept(store: Store, record: Record) -> tuple[list[list[Any]], list[Any]]:
    """What the run keeps: the answers by seed, and the references."""
    rows = store.read_predictions(record.names)
    seeds = sorted({row["seed"] for row in rows})
    answers = [[json.loads(row["prediction"]) for row in rows if row["seed"] == seed] for seed in seeds]
    return answers, [json.loads(row["reference"]) for row in rows if row["seed"] == seeds[0]]


@pytest.mark.parametrize("task", fake_records.TASKS)
def test_a_peer_that_answers_as_ours_does_is_not_apart(tmp_path: Path, task: str) -> None:
    store, record = a_run(tmp_path, task)
    answers, references = kept(store, record)
    found = apart.of_cell(store, record, answers, scored(record, answers, references))
    assert found.value == pytest.approx(0.0)
    assert found.low <= 0.0 <= found.high
    assert found.p == 1.0


def test_a_peer_that_is_right_wherever_ours_is_not_is_far_above(tmp_path: Path) -> None:
    store, record = a_run(tmp_path, "ner")
    _, references = kept(store, record)
    found = apart.of_cell(store, record, [references] * 3, [100.0] * 3)
    assert record.score is not None
    assert found.value == pytest.approx(record.score - 100.0)
    assert found.high < 0.0
    assert found.p < 0.05


def test_answers_without_the_scores_that_were_told_were_given_to_other_rows(tmp_path: Path) -> None:
    store, record = a_run(tmp_path, "sentiment")
    answers, references = kept(store, record)
    told = scored(record, answers, references)
    with pytest.raises(RuntimeError, match=f"{record.key}: on our test rows"):
        apart.of_cell(store, record, [given[::-1] for given in answers], told)
