"""What a metric is: a sum of per-example statistics, and the measures read off such a sum.

Every metric here is a function of sums over examples. That makes a bootstrap one matrix product instead of a thousand
scorings, and makes the corpus score, the example scores and the interval three readings of the same array.
Knows no particular metric and none of the libraries that compute them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

Extract = Callable[[Sequence[Any], Sequence[Any]], Array]
Aggregate = Callable[[Array], dict[str, Array]]


@dataclass(frozen=True)
class Metric:
    """A set of measures computed together, of which the first gives the set its name and is the one that is ranked by.

    `reference` says what an answer is, in the words of `bench.sources.TYPES`: "label", "number", "tags", "answers" (a
    mapping with the accepted texts under "text"; the prediction is one text) or "text". `extract` turns n predictions
    and n references into an (n, k) array; `aggregate` turns sums of its rows, of shape (..., k), into one array of
    shape (...) for each measure. Scores are in percent (correlations from -100), names that end in "_ratio" are plain
    ratios; what is undefined is 0. `describe` gives for each measure the settings that another program needs to get the
    same number. `examples` reads n primary scores off an (n, k) array where the corpus formula is a poor judge of one
    example. `limits` are the lowest and the highest primary score that there can be.
    """

    name: str
    measures: tuple[str, ...]
    reference: str
    extract: Extract
    aggregate: Aggregate
    describe: Callable[[], dict[str, str]]
    examples: Callable[[Array], Array] | None = None
    higher_is_better: bool = True
    limits: tuple[float, float] = (0.0, 100.0)

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> Array:
        """The sufficient statistics of every example, shape (n, k).

        Raises ValueError for unequal or zero numbers of predictions and references.
        """
        if len(predictions) != len(references):
            raise ValueError(
                f"{self.name}: {len(predictions)} predictions for {len(references)} references. "
                "Pass exactly one prediction for each test row, in the same order."
            )
        if not predictions:
            raise ValueError(f"{self.name}: nothing to score. Pass at least one prediction and its reference.")
        return self.extract(predictions, references)

    def scores(self, statistics: Array) -> dict[str, float]:
        """All measures of the examples behind `statistics`, shape (n, k)."""
        return {name: float(value) for name, value in self.aggregate(statistics.sum(axis=0)).items()}

    def compute(self, *, predictions: Sequence[Any], references: Sequence[Any]) -> dict[str, float]:
        """All measures of one set of predictions; the call that `evaluate.Metric` has.

        Raises ValueError as `statistics` does.
        """
        return self.scores(self.statistics(predictions, references))

    def per_example(self, statistics: Array) -> list[float]:
        """The primary measure of each example behind `statistics`, shape (n, k), in percent.

        Their mean is the corpus score for accuracy, squad_f1 and rougeL. It is not for the others, whose corpus scores
        are ratios of sums: there these numbers serve to look at examples, and only `aggregate` serves
        statistics.
        """
        if self.examples is not None:
            return [float(value) for value in self.examples(statistics)]
        return [float(value) for value in self.aggregate(statistics)[self.name]]

    def signatures(self) -> dict[str, str]:
        """For each measure the settings under which it was computed, versions of libraries included."""
        return self.describe()


def divide(numerator: Array, denominator: Array) -> Array:
    """The quotient, and 0 where the denominator is 0. Shapes broadcast."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    return np.divide(numerator, denominator, out=np.zeros(numerator.shape), where=denominator != 0)


def means(names: Sequence[str]) -> Aggregate:
    """The aggregate for statistics of the form [1, value of each name, ...]: means over examples."""

    def aggregate(sums: Array) -> dict[str, Array]:
        return {name: divide(sums[..., 1 + i], sums[..., 0]) for i, name in enumerate(names)}

    return aggregate
