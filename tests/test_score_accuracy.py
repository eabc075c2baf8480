"""Accuracy and macro F1 against scikit-learn."""

from __future__ import annotations

import random

import pytest
from sklearn.metrics import accuracy_score, f1_score

from bench.metrics.accuracy import ACCURACY


@pytest.mark.parametrize("labels", [2, 3, 12])
def test_scores_are_those_of_scikit_learn(labels: int) -> None:
    """Small samples of many labels also give labels that are only predicted, only true, or neither."""
    rng = random.Random(labels)
    for _ in range(40):
        references = [f"label {rng.randrange(labels)}" for _ in range(15)]
        predictions = [r if rng.random() < 0.6 else f"label {rng.randrange(labels)}" for r in references]
        scores = ACCURACY.compute(predictions=predictions, references=references)
        assert scores["accuracy"] == pytest.approx(100 * accuracy_score(references, predictions), abs=1e-9)
        macro = f1_score(references, predictions, average="macro", zero_division=0)
        assert scores["macro_f1"] == pytest.approx(100 * macro, abs=1e-9)


def test_an_answer_that_is_no_label_is_wrong_and_of_no_class() -> None:
    """As for scikit-learn, where only the labels of the references are asked for."""
    references = ["yes", "yes", "no", "no"]
    scores = ACCURACY.compute(predictions=["yes", None, "no", None], references=references)
    macro = f1_score(references, ["yes", "?", "no", "!"], average="macro", labels=["yes", "no"])
    assert scores == {"accuracy": 50.0, "macro_f1": pytest.approx(100 * macro)}


def test_a_majority_answer_has_high_accuracy_and_low_macro_f1() -> None:
    scores = ACCURACY.compute(predictions=["yes"] * 10, references=["yes"] * 9 + ["no"])
    assert scores["accuracy"] == 90
    assert scores["macro_f1"] == pytest.approx(100 * (18 / 19) / 2)
