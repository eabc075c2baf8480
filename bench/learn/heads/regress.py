"""One number for a text or a pair of texts, read off one vector."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, pstdev
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from bench.learn.batch import Batch, Encoded
from bench.learn.heads.pooled import Pooled
from bench.learn.network import Network
from bench.learner import Assignment, Prediction
from bench.spec import Row


class Regress(Pooled):
    """The vector into one number, under squared error.

    The network learns numbers with mean 0 and deviation 1 over the training rows, and its answers are turned back. So a
    new head, which gives about 0, starts at the mean answer, and the first loss is about 1 whatever scale the task has,
    near that of the labels for which methods declare their ranges of rates. The plain numbers of STS-B, as the GLUE
    scripts of transformers learn them, start at 9.5, of which 7.4 is only to find the mean.
    """

    def __init__(self, assignment: Assignment, tokenizer: Any) -> None:
        super().__init__(assignment, tokenizer)
        found = assignment.facts or _mean_and_deviation([float(row[self.task.reference]) for row in assignment.train])
        self.mean, self.deviation = float(found["mean"]), float(found["deviation"])

    @property
    def facts(self) -> Mapping[str, Any]:
        return {"mean": self.mean, "deviation": self.deviation}

    @property
    def outputs(self) -> int:
        return 1

    def target(self, row: Row) -> float:
        return (float(row[self.task.reference]) - self.mean) / self.deviation

    def loss(self, network: Network, features: Tensor, batch: Batch) -> Tensor:
        return functional.mse_loss(numbers_of(network, features), batch["target"])

    def answers(self, network: Network, features: Tensor, batch: Batch) -> list[Any]:
        found: list[Any] = numbers_of(network, features).tolist()
        return found

    def invalid(self, raw: Sequence[Any], encoded: Encoded) -> int:
        return sum(not math.isfinite(number) for number in raw)

    def decode(self, raw: Sequence[Any], encoded: Encoded) -> list[Prediction]:
        """None for what is no finite number."""
        return [self.mean + self.deviation * number if math.isfinite(number) else None for number in raw]


def _mean_and_deviation(numbers: Sequence[float]) -> Mapping[str, float]:
    return {"mean": fmean(numbers), "deviation": pstdev(numbers) or 1.0}


def numbers_of(network: Network, features: Tensor) -> Tensor:
    """(rows,), in float32: bfloat16 would round all answers to the same few hundred numbers, and tie their ranks."""
    assert network.head is not None
    with torch.autocast(features.device.type, enabled=False):
        scores: Tensor = network.head(features.float())
    return scores.squeeze(-1)
