"""Accuracy and macro-averaged F1 of one label an example. Knows no label set: it counts what it is given.

A prediction of None is an answer that is no label: wrong, and of no class.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.metrics.metric import Array, Metric, divide

NO_LABEL = -1


def label_counts(predictions: Sequence[str | None], references: Sequence[str]) -> Array:
    """[1, correct, then (correct, predicted, true) of every label seen, in sorted order]; k = 2 + 3 x labels."""
    named = [label for label in predictions if label is not None]
    labels = {label: i for i, label in enumerate(sorted({*named, *references}))}
    rows = np.arange(len(references))
    predicted = np.array([NO_LABEL if label is None else labels[label] for label in predictions])
    true = np.array([labels[label] for label in references])
    right = predicted == true
    classes = np.zeros((len(rows), len(labels), 3))
    classes[rows, predicted, 0] = right
    known = predicted != NO_LABEL
    classes[rows[known], predicted[known], 1] = 1
    classes[rows, true, 2] = 1
    return np.column_stack([np.ones(len(rows)), right, classes.reshape(len(rows), -1)])


def _aggregate(sums: Array) -> dict[str, Array]:
    """macro_f1 averages over the labels predicted or true at least once, as `sklearn.metrics.f1_score` does."""
    classes = sums[..., 2:].reshape(*sums.shape[:-1], -1, 3)
    matched, predicted, true = classes[..., 0], classes[..., 1], classes[..., 2]
    f1 = divide(2 * matched, predicted + true)
    seen = (predicted + true > 0).sum(axis=-1)
    return {
        "accuracy": 100 * divide(sums[..., 1], sums[..., 0]),
        "macro_f1": 100 * divide(f1.sum(axis=-1), seen),
    }


def _describe() -> dict[str, str]:
    return {"accuracy": "average:examples", "macro_f1": "average:labels seen"}


ACCURACY = Metric(
    name="accuracy",
    measures=("accuracy", "macro_f1"),
    reference="label",
    extract=label_counts,
    aggregate=_aggregate,
    describe=_describe,
)
