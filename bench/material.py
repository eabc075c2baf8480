"""A task's data as its cells share it, and the answers given on its test rows.

Knows rows and metrics; not what is trained. Nothing of the test split is read until it is asked for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bench import score, sources
from bench.learner import Prediction
from bench.metrics.entity_f1 import entities
from bench.metrics.metric import Array, Metric
from bench.record import Training
from bench.sources import Splits
from bench.spec import Head, Row, Rows, Task


@dataclass(frozen=True)
class Scored:
    """A final training with its test predictions and their statistics, both missing where it diverged."""

    training: Training
    predictions: Sequence[Prediction] = ()
    statistics: Array | None = None


class Material:
    """The data of a task, opened once. All properties that tell of the test split open it when first asked for."""

    def __init__(self, task: Task, splits: Splits) -> None:
        self.task, self.splits = task, splits

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels or tags of the training and validation rows."""
        return sources.labels(self.task, self.splits)

    @cached_property
    def validation_references(self) -> list[Any]:
        """What predictions for the validation rows are scored against."""
        return [row[self.task.reference] for row in self.splits.validation]

    @cached_property
    def test(self) -> Rows:
        """The test rows."""
        return self.splits.test()

    @cached_property
    def references(self) -> list[Any]:
        """What predictions for the test rows are scored against."""
        return [row[self.task.reference] for row in self.test]

    @cached_property
    def overlap(self) -> int:
        """How many test rows have the very inputs of a train row."""
        return sources.overlap(self.task, self.splits)

    @cached_property
    def learnt(self) -> str:
        """A digest of the training and validation rows as they are handed out."""
        return digest([self.splits.train, self.splits.validation])

    @cached_property
    def asked(self) -> str:
        """A digest of the test rows as they are handed out."""
        return digest(self.test)

    @cached_property
    def questions(self) -> list[Row]:
        """The test rows with their inputs only: all that a learner sees of them."""
        return [{column: row[column] for column in self.task.inputs} for row in self.test]

    @cached_property
    def unseen(self) -> Sequence[bool | None]:
        """Whether each test row has an entity, of the same words and type, that no training row has.

        None of rows without entities, and for heads other than tagging.
        """
        if self.task.head is not Head.TAG:
            return [None] * len(self.test)
        known = set().union(*(self._named(row) for row in self.splits.train))
        asked = [self._named(row) for row in self.test]
        return [not names <= known if names else None for names in asked]

    def _named(self, row: Row) -> set[tuple[str, str]]:
        """The entities of a row: words and type."""
        tokens, tags = row[self.task.inputs[-1]], row[self.task.reference]
        return {(" ".join(tokens[start:end]), kind) for start, end, kind in entities(tags)}

    @cached_property
    def floors(self) -> Mapping[str, Mapping[str, float]]:
        """The test scores of the task's trivial answers, by name and measure."""
        return score.floor_scores(self.task, self.splits.train, self.test)

    def know_floors(self, floors: Mapping[str, Mapping[str, float]]) -> None:
        """Take these for the floors, as another process has found them."""
        self.__dict__["floors"] = floors


def digest(value: Any) -> str:
    """SHA-256 (hex) of anything that JSON can say, the order of a mapping's entries aside."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False, default=list).encode()).hexdigest()


def prediction_rows(material: Material, metric: Metric, finals: Sequence[Scored]) -> list[dict[str, Any]]:
    """A row for each test row and scored seed, as `bench.predictions.prediction_schema` wants it."""
    return [
        _prediction_row(material, number, final, prediction, points)
        for final in finals
        if final.statistics is not None
        for number, (prediction, points) in enumerate(
            zip(final.predictions, metric.per_example(final.statistics), strict=True)
        )
    ]


def _prediction_row(
    material: Material, number: int, final: Scored, prediction: Prediction, points: float
) -> dict[str, Any]:
    task, row = material.task, material.test[number]
    return {
        "row": number,
        "input": "\n".join(_text(row[column]) for column in task.inputs),
        "reference": json.dumps(row[task.reference], ensure_ascii=False),
        "seed": final.training.seed,
        "prediction": json.dumps(prediction, ensure_ascii=False),
        "score": points,
        "phenomena": json.dumps(row["phenomena"], ensure_ascii=False) if "phenomena" in row else None,
        "unseen": material.unseen[number],
        "statistics": None if final.statistics is None else final.statistics[number].tolist(),
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else " ".join(map(str, value))
