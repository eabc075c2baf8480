"""Scores of predictions, the floors they are read against, and their intervals.

Knows rows, predictions and arrays; not which model made the predictions, nor where a score is written. The libraries
that define a metric are imported by that metric when it first scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import UnknownNameError
from bench.floors import FLOORS
from bench.metrics.accuracy import ACCURACY
from bench.metrics.bleu import BLEU
from bench.metrics.entity_f1 import ENTITY_F1
from bench.metrics.f1 import F1
from bench.metrics.matthews import MATTHEWS
from bench.metrics.metric import Array, Metric
from bench.metrics.rouge import ROUGE
from bench.metrics.spearman import SPEARMAN
from bench.metrics.squad_f1 import SQUAD_F1
from bench.spec import Rows, Task
from bench.uncertainty import RESAMPLES, half_width, spread

if TYPE_CHECKING:
    import evaluate

__all__ = ["FLOORS", "METRICS", "Metric", "as_evaluate", "floor_scores", "interval", "metric_named"]

METRICS: dict[str, Metric] = {
    metric.name: metric for metric in (ACCURACY, MATTHEWS, F1, SPEARMAN, ENTITY_F1, SQUAD_F1, BLEU, ROUGE)
}


def metric_named(name: str) -> Metric:
    """The metric that a task names.

    Raises UnknownNameError.
    """
    if name not in METRICS:
        raise UnknownNameError("metric", name, METRICS)
    return METRICS[name]


def floor_scores(task: Task, train: Rows, test: Rows) -> dict[str, dict[str, float]]:
    """All measures of each of the task's floors on `test`, by the floor's name.

    Raises UnknownNameError for a floor or metric that does not exist.
    """
    metric = metric_named(task.metric)
    unknown = [name for name in task.floors if name not in FLOORS]
    if unknown:
        raise UnknownNameError("floor", unknown[0], FLOORS)
    references = [row[task.reference] for row in test]
    return {
        name: metric.compute(predictions=FLOORS[name](train, test, task), references=references)
        for name in task.floors
    }


def interval(
    metric: Metric, statistics: Sequence[Array], *, seed: int = 0, resamples: int = RESAMPLES, level: float = 0.95
) -> tuple[float, float]:
    """The interval of the mean primary score over training seeds and test rows, within the metric's limits.

    `statistics` holds one (n, k) array for each seed, all of the same n test rows in the same order. Seeds count with
    Student's t, test rows by a bootstrap that all seeds share (`bench.uncertainty`). In simulations the 95% interval
    held the true score in 93 to 98% of cells from three seeds on, and with two seeds too, where it is about twice as
    wide (`benchmarks/coverage.md`). With one seed it speaks for that seed alone, and held it in as few as 42%.

    Raises ValueError where seeds have no or different numbers of test rows.
    """
    centre = float(np.mean([metric.scores(array)[metric.name] for array in statistics])) if statistics else 0.0
    reach = half_width(spread(metric, statistics, resamples=resamples, seed=seed), level)
    lowest, highest = metric.limits
    # The last bits of a matrix product depend on the number of threads; a record must not.
    return round(max(lowest, centre - reach), 9), round(min(highest, centre + reach), 9)


def as_evaluate(metric: Metric, *, cache_dir: str | None = None) -> evaluate.Metric:
    """`metric` as a Hugging Face `evaluate.Metric`, for `add_batch`, `evaluate.combine` and evaluators.

    `cache_dir` is where `evaluate` makes its folder, else where it does by default. Takes seconds at the first call:
    the package imports torch.
    """
    from bench.metrics.hugging_face import HarnessMetric

    return HarnessMetric(metric, cache_dir=cache_dir)
