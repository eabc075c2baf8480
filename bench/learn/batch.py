"""Examples as lists of numbers into batches of tensors: order, padding, nothing about what they mean."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

Example = Mapping[str, Any]
Batch = dict[str, Tensor]

POOL = 8
"""Batches that are sorted together by length: large enough to save padding, small enough to keep the order random."""


@dataclass(frozen=True)
class Encoded:
    """Rows as a model reads them. A row has one example, or several (windows): `owner[i]` is example i's row.

    `truncated` counts rows of which a part could not be read; `notes` holds per example what decoding needs.
    """

    examples: Sequence[Example]
    owner: Sequence[int]
    rows: int
    truncated: int
    notes: Sequence[Any] = field(default_factory=tuple)

    @property
    def lengths(self) -> list[int]:
        """Tokens of each example."""
        return [len(e["ids"]) for e in self.examples]


def training_order(lengths: Sequence[int], batch_size: int, rng: random.Random) -> list[list[int]]:
    """One epoch: every example once, in random batches whose members have similar lengths."""
    order = list(range(len(lengths)))
    rng.shuffle(order)
    pools = [order[i : i + POOL * batch_size] for i in range(0, len(order), POOL * batch_size)]
    batches = [chunk for pool in pools for chunk in _chunks(sorted(pool, key=lambda i: lengths[i]), batch_size)]
    rng.shuffle(batches)
    return batches


def prediction_order(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Every example once, longest first, so that too large a batch fails at once rather than late."""
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    return list(_chunks(order, batch_size))


def _chunks(items: Sequence[int], size: int) -> Iterator[list[int]]:
    return (list(items[i : i + size]) for i in range(0, len(items), size))


def collate(
    examples: Sequence[Example], fills: Mapping[str, int], device: torch.device, *, left: bool = False
) -> Batch:
    """Pad every entry to the longest: lists with `fills[name]`, numbers stacked, tensors padded with zeros.

    Adds `mask` (1 for real tokens of `ids`). `left` pads on the left.
    """
    batch: Batch = {}
    for name, first in examples[0].items():
        values = [example[name] for example in examples]
        if isinstance(first, Tensor):
            batch[name] = torch.stack(values) if first.dim() == 1 else pad_sequence(values, batch_first=True)
        elif isinstance(first, list):
            batch[name] = torch.tensor(_pad(values, fills[name], left=left))
        else:
            batch[name] = torch.tensor(values)
    if "ids" in batch:
        batch["mask"] = torch.tensor(_pad([[1] * len(e["ids"]) for e in examples], 0, left=left))
    return {name: value.to(device, non_blocking=True) for name, value in batch.items()}


def _pad(values: Sequence[list[int]], fill: int, *, left: bool) -> list[list[int]]:
    longest = max(map(len, values))
    pads = [[fill] * (longest - len(v)) for v in values]
    return [pad + v if left else v + pad for v, pad in zip(values, pads, strict=True)]
