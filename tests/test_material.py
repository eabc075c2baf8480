"""What is kept of the answers to the test rows, beside the answers themselves."""

from __future__ import annotations

import numpy as np
import pytest

from bench.material import Material, Scored, prediction_rows
from bench.record import Data, Training
from bench.score import METRICS
from bench.sources import Splits
from bench.spec import Bundled, Head, Row, Task

NER = Task(
    name="ner", title="", version=1, head=Head.TAG, metric="entity_f1", schema={"tokens": "tokens", "tags": "tags"},
    inputs=("tokens",), reference="tags", sources={"bundled": Bundled("none", "")}, input_tokens=8,
)
DATA = Data("bundled", "none", "0" * 64, None, 1, 1, 4)
TRAIN = [{"tokens": ["Anna", "Tarn", "left"], "tags": ["B-PER", "I-PER", "O"]}]
TEST: list[Row] = [
    {"tokens": ["Anna", "Tarn"], "tags": ["B-PER", "I-PER"]},
    {"tokens": ["Anna"], "tags": ["B-PER"]},
    {"tokens": ["Anna", "Tarn"], "tags": ["B-LOC", "I-LOC"]},
    {"tokens": ["nobody", "left"], "tags": ["O", "O"]},
]


def test_a_row_is_unseen_where_no_training_row_has_the_entity_with_its_type() -> None:
    assert Material(NER, Splits(TRAIN, TRAIN, lambda: TEST, DATA)).unseen == [False, True, True, None]


def test_floors_that_are_known_are_taken_without_opening_the_test_rows() -> None:
    material = Material(NER, Splits(TRAIN, TRAIN, lambda: pytest.fail("opened"), DATA))
    material.know_floors({"all_outside": {"entity_f1": 0.0}})
    assert material.floors == {"all_outside": {"entity_f1": 0.0}}


def test_prediction_rows_carry_the_statistics_that_the_score_is_made_of() -> None:
    material, metric = Material(NER, Splits(TRAIN, TRAIN, lambda: TEST, DATA)), METRICS["entity_f1"]
    guesses = [["O"] * len(row["tags"]) for row in TEST]
    training = Training(0, 1e-3, 1, "COMPLETE", 0.0, 1, (), 1, 1, 1, 0.1, 0.1)
    statistics = metric.statistics(guesses, material.references)
    rows = prediction_rows(material, metric, [Scored(training, guesses, statistics)])
    assert np.array([row["statistics"] for row in rows]).tolist() == statistics.tolist()
    assert [row["unseen"] for row in rows] == [False, True, True, None]
