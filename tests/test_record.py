"""Records as values that JSON can hold."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench.record import (
    Checkpoint,
    Cost,
    Data,
    Health,
    Outcome,
    Parameters,
    Point,
    Record,
    Training,
    from_json,
    to_json,
)

TRAINING = Training(
    0, 1e-4, 1, "COMPLETE", 80.5, 20, (Point(10, 0.5, 1.2, 70.0, 0.1), Point(20, 1.0, 0.3, 80.5, 0.2)), 20, 640, 9000,
    1.5, 0.25, scores={"accuracy": 79.0, "macro_f1": 78.0}, signatures={"accuracy": "exact"},
    health=Health(truncated=3),
)
FULL = Record(
    "sentiment", "bert-mini", "full", "bundled", "encoder", "classify", "f" * 64, Outcome.OK, "accuracy",
    score=79.0, low=75.0, high=82.0, scores={"accuracy": 79.0}, rate=1e-4, rate_at_edge=False,
    trials=(TRAINING,), finals=(TRAINING, TRAINING), floors={"majority": {"accuracy": 50.0}},
    cost=Cost(10.0, 3.0, 0.5, 100.0, 2000.0, None), parameters=Parameters(10, 8, 2, 100, 40),
    data=Data("bundled", "tasks.corpora.sentiment", "a" * 64, None, 100, 50, 50, synthetic=True),
    checkpoint=Checkpoint("x", None, "b" * 64), budget={"trials": 4, "seeds": [1, 2]}, provenance={"python": "3.11"},
)
BARE = Record("a", "b", "c", "files", "decoder", "generate", "0" * 64, Outcome.FAILED, "bleu", reason="it broke")


def through_json(record: Record) -> Any:
    """What a reader of the file gets."""
    return json.loads(json.dumps(to_json(record), allow_nan=False))


@pytest.mark.parametrize("record", [FULL, BARE])
def test_a_record_survives_json(record: Record) -> None:
    assert from_json(Record, through_json(record)) == record


def test_the_unknown_is_null() -> None:
    data = through_json(BARE)
    assert data["score"] is data["cost"] is data["rate"] is None


def test_the_names_of_a_record_make_its_key() -> None:
    assert FULL.key == "sentiment/bert-mini/full"


def test_seed_scores_are_those_of_the_primary_measure() -> None:
    assert FULL.seed_scores == (79.0, 79.0)
    assert BARE.seed_scores == ()


@pytest.mark.parametrize(
    "change",
    [
        {"colour": "red"}, {"outcome": "FINE"}, {"score": "79"}, {"score": float("nan")}, {"score": True},
        {"floors": {"majority": {"accuracy": float("inf")}}}, {"task": None}, {"trials": {}}, {"cost": []},
    ],
)  # fmt: skip
def test_what_a_record_cannot_hold_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        from_json(Record, {**through_json(FULL), **change})


def test_a_record_with_a_missing_entry_is_refused() -> None:
    data = through_json(FULL)
    del data["fingerprint"]
    with pytest.raises(TypeError):
        from_json(Record, data)
