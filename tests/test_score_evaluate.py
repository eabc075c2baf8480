"""Our metrics inside Hugging Face `evaluate`."""

from __future__ import annotations

from pathlib import Path

import evaluate
import pytest

from bench.score import METRICS, as_evaluate
from tests.score_examples import EXAMPLES


@pytest.mark.parametrize("name", list(METRICS))
def test_a_metric_inside_evaluate_gives_the_same_numbers(name: str, tmp_path: Path) -> None:
    predictions, references = EXAMPLES[name]
    metric = as_evaluate(METRICS[name], cache_dir=str(tmp_path))
    assert isinstance(metric, evaluate.Metric)
    assert metric.name == name
    scores = METRICS[name].compute(predictions=predictions, references=references)
    assert metric.compute(predictions=predictions, references=references) == scores


def test_predictions_may_be_added_in_batches(tmp_path: Path) -> None:
    predictions, references = EXAMPLES["entity_f1"]
    metric = as_evaluate(METRICS["entity_f1"], cache_dir=str(tmp_path))
    metric.add_batch(predictions=predictions[:1], references=references[:1])
    metric.add_batch(predictions=predictions[1:], references=references[1:])
    assert metric.compute() == METRICS["entity_f1"].compute(predictions=predictions, references=references)


def test_metrics_combine(tmp_path: Path) -> None:
    """Measures that two metrics share are kept apart by the metrics' names."""
    predictions, references = EXAMPLES["bleu"]
    pair = [as_evaluate(METRICS[name], cache_dir=str(tmp_path)) for name in ("bleu", "rougeL")]
    scores = evaluate.combine(pair).compute(predictions=predictions, references=references)
    bleu = METRICS["bleu"].compute(predictions=predictions, references=references)
    rouge = METRICS["rougeL"].compute(predictions=predictions, references=references)
    assert scores["bleu"] == bleu["bleu"]
    assert scores["rougeL"] == rouge["rougeL"]
    assert scores["bleu_length_ratio"] == bleu["length_ratio"]
    assert scores["rougeL_length_ratio"] == rouge["length_ratio"]
