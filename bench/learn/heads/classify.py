"""One label for a whole text, read off one vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from bench.learn.batch import Batch, Encoded
from bench.learn.heads.base import HeadLogic
from bench.learn.network import Network
from bench.learner import Prediction
from bench.spec import Rows


class Classify(HeadLogic):
    """Pooled hidden states into label scores.

    Pooling is the model's: the mean over real tokens (Reimers and Gurevych 2019), the first token (Devlin et al. 2019),
    or the last real token, the only one that has seen the whole text in a left-to-right model (Radford et al. 2018).
    """

    def encode(self, rows: Rows, *, targets: bool) -> Encoded:
        texts = [" ".join(str(row[column]) for column in self.task.inputs) for row in rows]
        whole = self.tokenizer(texts, add_special_tokens=True, return_attention_mask=False)["input_ids"]
        cut = self.tokenizer(texts, truncation=True, max_length=self.input_tokens, return_attention_mask=False)
        index = {label: i for i, label in enumerate(self.labels)}
        examples: list[dict[str, Any]] = [{"ids": ids or [self.tokenizer.pad_token_id]} for ids in cut["input_ids"]]
        if targets:
            for example, row in zip(examples, rows, strict=True):
                example["target"] = index[row[self.task.reference]]
        truncated = sum(len(a) > len(b) for a, b in zip(whole, cut["input_ids"], strict=True))
        return Encoded(examples, range(len(rows)), len(rows), truncated)

    def features(self, network: Network, batch: Batch) -> Tensor:
        """(rows, width)."""
        return pool(network.hidden(batch), batch["mask"], self.model.pooling)

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


def pool(hidden: Tensor, mask: Tensor, how: str) -> Tensor:
    """(rows, tokens, width) to (rows, width), whatever the padding on the right."""
    if how == "first":
        return hidden[:, 0]
    if how == "last":
        return hidden[torch.arange(len(hidden), device=hidden.device), mask.sum(-1) - 1]
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1)
