"""F1 of the positive label against scikit-learn."""

from __future__ import annotations

import random

import pytest
from sklearn.metrics import accuracy_score, f1_score

from bench.metrics.f1 import F1

LABELS = ("duplicate", "not_duplicate")


def test_scores_are_those_of_scikit_learn_whichever_label_is_rarer() -> None:
    rng = random.Random(0)
    for share in (0.1, 0.5, 0.9):
        for _ in range(20):
            references = [LABELS[rng.random() < share] for _ in range(15)]
            predictions = [r if rng.random() < 0.6 else LABELS[rng.random() < share] for r in references]
            scores = F1.compute(predictions=predictions, references=references)
            expected = f1_score(references, predictions, pos_label="duplicate", zero_division=0)
            assert scores["f1"] == pytest.approx(100 * expected, abs=1e-9)
            assert scores["accuracy"] == pytest.approx(100 * accuracy_score(references, predictions), abs=1e-9)


@pytest.mark.parametrize(
    ("predicted", "true", "expected"),
    [("duplicate", "not_duplicate", 0), ("not_duplicate", "duplicate", 0), ("not_duplicate", "not_duplicate", 0),
     ("duplicate", "duplicate", 100)],
)
def test_one_label_only_is_scored_by_whether_it_is_the_positive_one(predicted: str, true: str, expected: float) -> None:
    """Nothing positive, rightly so, is 0 as in scikit-learn: there was nothing to be found."""
    assert F1.compute(predictions=[predicted] * 3, references=[true] * 3)["f1"] == expected


def test_an_answer_that_is_no_label_is_wrong_and_not_positive() -> None:
    scores = F1.compute(predictions=[None, None, "duplicate"], references=["duplicate", "not_duplicate", "duplicate"])
    assert scores["accuracy"] == pytest.approx(100 / 3)
    assert scores["f1"] == pytest.approx(100 * 2 / 3)


@pytest.mark.parametrize("labels", [("yes", "no"), ("a", "not_a", "b"), ("not_a", "not_b")])
def test_labels_that_do_not_show_which_is_positive_are_an_error(labels: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"labels are .*'equivalent' and 'not_equivalent'"):
        F1.compute(predictions=labels, references=labels)


def test_an_example_is_right_or_wrong() -> None:
    assert F1.per_example(F1.statistics([*LABELS, "duplicate"], [*LABELS, "not_duplicate"])) == [100, 100, 0]
