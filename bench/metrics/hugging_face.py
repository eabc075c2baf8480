"""Our metrics as Hugging Face `evaluate` metrics. Importing this imports torch; only `bench.score.as_evaluate` does.

Knows no particular metric: what a prediction and a reference look like comes from `Metric.reference`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate

from bench.metrics.metric import Metric


class HarnessMetric(evaluate.Metric):  # type: ignore[misc]  # evaluate has no types
    """One metric of the harness. Its results and those of `metric.compute` are the same numbers."""

    def __init__(self, metric: Metric, *, cache_dir: str | None = None) -> None:
        self._metric = metric
        super().__init__(config_name=metric.name, keep_in_memory=True, cache_dir=cache_dir)

    @property
    def name(self) -> str:
        """The metric's own name, by which `evaluate.combine` tells it from others; evaluate would use the class's."""
        return self._metric.name

    def _info(self) -> evaluate.MetricInfo:
        prediction, reference = _features(self._metric.reference)
        return evaluate.MetricInfo(
            description=f"{self._metric.name}: {', '.join(self._metric.measures)}.",
            citation="",
            inputs_description="",
            features=datasets.Features({"predictions": prediction, "references": reference}),
        )

    def _compute(self, predictions: Sequence[Any], references: Sequence[Any]) -> dict[str, float]:
        return self._metric.compute(predictions=predictions, references=references)


def _features(reference: str) -> tuple[Any, Any]:
    """The columns of predictions and references; labels and texts are strings."""
    text = datasets.Value("string")
    if reference == "number":
        return datasets.Value("float64"), datasets.Value("float64")
    if reference == "tags":
        return datasets.List(text), datasets.List(text)
    if reference == "answers":
        return text, {"text": datasets.List(text), "answer_start": datasets.List(datasets.Value("int64"))}
    return text, text
