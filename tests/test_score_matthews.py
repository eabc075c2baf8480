"""Matthews correlation against scikit-learn."""

from __future__ import annotations

import random

import pytest
from sklearn.metrics import matthews_corrcoef

from bench.metrics.matthews import MATTHEWS


@pytest.mark.parametrize("labels", [2, 3, 12])
def test_scores_are_those_of_scikit_learn(labels: int) -> None:
    """Also negative ones, and those of samples in which some labels are only predicted or only true."""
    rng = random.Random(labels)
    seen = []
    for _ in range(40):
        references = [f"label {rng.randrange(labels)}" for _ in range(15)]
        predictions = [r if rng.random() < 0.4 else f"label {rng.randrange(labels)}" for r in references]
        seen.append(MATTHEWS.compute(predictions=predictions, references=references)["matthews"])
        assert seen[-1] == pytest.approx(100 * matthews_corrcoef(references, predictions), abs=1e-9)
    assert len(set(seen)) > 10


@pytest.mark.parametrize(
    ("predictions", "references"),
    [(["a"] * 4, ["a", "b", "a", "b"]), (["a", "b", "a", "b"], ["a"] * 4), (["a"] * 4, ["a"] * 4), (["a"], ["b"])],
)
def test_one_label_only_predicted_or_true_is_0(predictions: list[str], references: list[str]) -> None:
    assert MATTHEWS.compute(predictions=predictions, references=references)["matthews"] == 0
    assert matthews_corrcoef(references, predictions) == 0


def test_two_labels_taken_for_each_other_are_minus_100() -> None:
    assert MATTHEWS.compute(predictions=list("abab"), references=list("baba"))["matthews"] == pytest.approx(-100)


def test_an_example_is_right_or_wrong() -> None:
    assert MATTHEWS.per_example(MATTHEWS.statistics(list("abc"), list("aba"))) == [100, 100, 0]
