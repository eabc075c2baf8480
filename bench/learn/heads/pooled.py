"""One vector for a whole text or pair of texts: what the heads that give one answer a row have in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor

from bench.learn import reading
from bench.learn.batch import Batch, Encoded
from bench.learn.heads.base import HeadLogic
from bench.learn.network import Network
from bench.spec import Row, Rows


class Pooled(HeadLogic):
    """Hidden states pooled into one vector a row.

    Pooling is the model's: the mean over real tokens (Reimers and Gurevych 2019), the first token (Devlin et al. 2019),
    or the last real token, the only one that has seen the whole text in a left-to-right model (Radford et al. 2018).
    """

    def encode(self, rows: Rows, *, targets: bool) -> Encoded:
        found = reading.read(rows, self.task, self.model, self.tokenizer, self.input_tokens)
        examples: list[dict[str, Any]] = [{"ids": ids or [self.tokenizer.pad_token_id]} for ids in found.ids]
        if found.types is not None:
            for example, types in zip(examples, found.types, strict=True):
                example["types"] = types
        if targets:
            for example, row in zip(examples, rows, strict=True):
                example["target"] = self.target(row)
        return Encoded(examples, range(len(rows)), len(rows), found.truncated)

    @abstractmethod
    def target(self, row: Row) -> int | float:
        """The row's answer as the loss wants it."""

    def features(self, network: Network, batch: Batch) -> Tensor:
        """(rows, width)."""
        return pool(network.hidden(batch), batch["mask"], self.model.pooling)


def pool(hidden: Tensor, mask: Tensor, how: str) -> Tensor:
    """(rows, tokens, width) to (rows, width), whatever the padding on the right."""
    if how == "first":
        return hidden[:, 0]
    if how == "last":
        return hidden[torch.arange(len(hidden), device=hidden.device), mask.sum(-1) - 1]
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1)
