"""Matthews correlation of one label an example, with accuracy. Knows no label set: it counts what it is given.

Matthews 1975, "Comparison of the predicted and observed secondary structure of T4 phage lysozyme"; for more than two
labels Gorodkin 2004, "Comparing two K-category assignments by a K-category correlation coefficient". GLUE's measure for
CoLA, whose labels are uneven. -100 is always wrong (with two labels), 0 no better than chance, 100 always right.
"""

from __future__ import annotations

import numpy as np

from bench.metrics.accuracy import label_counts
from bench.metrics.metric import Array, Metric, divide


def _aggregate(sums: Array) -> dict[str, Array]:
    """0 where only one label is predicted, or only one is true, as `sklearn.metrics.matthews_corrcoef` has it."""
    total, right = sums[..., 0], sums[..., 1]
    classes = sums[..., 2:].reshape(*sums.shape[:-1], -1, 3)
    predicted, true = classes[..., 1], classes[..., 2]
    shared = right * total - (predicted * true).sum(axis=-1)
    spreads = (total**2 - (predicted**2).sum(axis=-1)) * (total**2 - (true**2).sum(axis=-1))
    return {"matthews": 100 * divide(shared, np.sqrt(spreads)), "accuracy": 100 * divide(right, total)}


def _examples(statistics: Array) -> Array:
    """Right or wrong: one example has no correlation."""
    return 100 * statistics[:, 1]


def _describe() -> dict[str, str]:
    return {"matthews": "labels:seen|undefined:0", "accuracy": "average:examples"}


MATTHEWS = Metric(
    name="matthews",
    measures=("matthews", "accuracy"),
    reference="label",
    extract=label_counts,
    aggregate=_aggregate,
    describe=_describe,
    examples=_examples,
    limits=(-100.0, 100.0),
)
