"""F1 of the positive one of two labels, with accuracy: GLUE's measures for MRPC and QQP.

Of a label and its negation, such as `duplicate` and `not_duplicate`, the label is the positive one. So the metric needs
no label set, and does not depend on which label is rarer or comes first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.metrics.metric import Array, Metric, divide

NEGATION = "not_"


def _extract(predictions: Sequence[str | None], references: Sequence[str]) -> Array:
    """[1, right, rightly positive, predicted positive, truly positive]; None is wrong, and not positive."""
    positive = _positive({label for label in (*predictions, *references) if label is not None})
    predicted = np.array([label == positive for label in predictions])
    true = np.array([label == positive for label in references])
    right = np.array([label == other for label, other in zip(predictions, references, strict=True)])
    return np.column_stack([np.ones(len(true)), right, right & true, predicted, true]).astype(np.float64)


def _positive(labels: set[str]) -> str:
    """The label whose negation is the only other one.

    Raises ValueError where the labels are not of that form.
    """
    name = min(label.removeprefix(NEGATION) for label in labels)
    if not labels <= {name, NEGATION + name}:
        raise ValueError(
            f"f1: the labels are {', '.join(map(repr, sorted(labels)))}. Name them so that the positive one shows: "
            f"X and {NEGATION}X, as in 'equivalent' and 'not_equivalent'."
        )
    return name


def _aggregate(sums: Array) -> dict[str, Array]:
    """F1 is 0 where nothing positive is found, also where there is nothing, as scikit-learn's default has it."""
    return {
        "f1": 100 * divide(2 * sums[..., 2], sums[..., 3] + sums[..., 4]),
        "accuracy": 100 * divide(sums[..., 1], sums[..., 0]),
    }


def _examples(statistics: Array) -> Array:
    """Right or wrong: F1 would call every rightly negative example 0."""
    return 100 * statistics[:, 1]


def _describe() -> dict[str, str]:
    return {"f1": f"average:binary|positive:without {NEGATION}|undefined:0", "accuracy": "average:examples"}


F1 = Metric(
    name="f1",
    measures=("f1", "accuracy"),
    reference="label",
    extract=_extract,
    aggregate=_aggregate,
    describe=_describe,
    examples=_examples,
)
