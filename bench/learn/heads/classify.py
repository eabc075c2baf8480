"""One label for a text or a pair of texts, read off one vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.nn import functional

from bench.learn.batch import Batch, Encoded
from bench.learn.heads.pooled import Pooled
from bench.learn.network import Network
from bench.learner import Assignment, Prediction
from bench.spec import Row


class Classify(Pooled):
    """The vector into one score a label."""

    def __init__(self, assignment: Assignment, tokenizer: Any) -> None:
        super().__init__(assignment, tokenizer)
        self.index = {label: i for i, label in enumerate(self.labels)}

    def target(self, row: Row) -> int:
        return self.index[row[self.task.reference]]

    def loss(self, network: Network, features: Tensor, batch: Batch) -> Tensor:
        return functional.cross_entropy(_scores(network, features), batch["target"])

    def answers(self, network: Network, features: Tensor, batch: Batch) -> list[Any]:
        best: list[Any] = _scores(network, features).argmax(-1).tolist()
        return best

    def decode(self, raw: Sequence[Any], encoded: Encoded) -> list[Prediction]:
        return [self.labels[i] for i in raw]


def _scores(network: Network, features: Tensor) -> Tensor:
    assert network.head is not None
    scores: Tensor = network.head(features)
    return scores.float()
