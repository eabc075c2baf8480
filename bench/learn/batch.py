"""Examples as lists of numbers into batches of tensors: order, padding, nothing about what they mean."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

Example = Mapping[str, Any]
Batch = dict[str, Tensor]

MULTIPLE = 8
"""Lengths are padded to a multiple of this: whole vector registers, and far fewer shapes to prepare kernels for."""

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


def prediction_order(lengths: Sequence[int], tokens: int) -> list[list[int]]:
    """Every example once, in batches of at most `tokens` tokens with padding (or of one example).

    Longest first, so that too large a batch fails at once rather than late.
    """
    batches: list[list[int]] = []
    room = 0
    for i in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        if not batches or (len(batches[-1]) + 1) * room > tokens:
            batches.append([])
            room = lengths[i]
        batches[-1].append(i)
    return batches


def _chunks(items: Sequence[int], size: int) -> Iterator[list[int]]:
    return (list(items[i : i + size]) for i in range(0, len(items), size))


def collate(
    examples: Sequence[Example],
    fills: Mapping[str, int],
    device: torch.device,
    *,
    left: bool = False,
    limit: int | None = None,
    also_here: Collection[str] = (),
) -> Batch:
    """Pad every entry to one length, a `MULTIPLE` or `limit`: lists with `fills[name]`, tensors with zeros.

    Numbers and vectors are stacked. Adds `mask` (1 for real tokens of `ids`). `left` pads on the left. `limit` is the
    number of positions of the network, None where it has no such limit. Of the entries in `also_here` a copy stays on
    the processor, as `here(name)`.
    """
    batch: Batch = {}
    for name, first in examples[0].items():
        values = [example[name] for example in examples]
        if isinstance(first, Tensor):
            batch[name] = torch.stack(values) if first.dim() == 1 else _stack(values, limit)
        elif isinstance(first, list):
            batch[name] = torch.tensor(_pad(values, fills[name], left=left, limit=limit))
        else:
            batch[name] = torch.tensor(values)
    if "ids" in batch:
        real = [[1] * len(example["ids"]) for example in examples]
        batch["mask"] = torch.tensor(_pad(real, 0, left=left, limit=limit))
    return moved(batch, device, also_here)


def moved(batch: Batch, device: torch.device, also_here: Collection[str] = ()) -> Batch:
    """The batch on the device, with copies of the entries in `also_here` that stay on the processor."""
    kept = {here(name): batch[name] for name in also_here if name in batch}
    return {name: sent(value, device) for name, value in batch.items()} | kept


def here(name: str) -> str:
    """What the copy of an entry is called that stays on the processor."""
    return f"{name} here"


def sent(value: Tensor, device: torch.device) -> Tensor:
    """The same on the device; what goes to a GPU is pinned first, or the copy would wait for all work before it."""
    if device.type == "cuda" and value.device.type == "cpu":
        value = value.pin_memory()
    return value.to(device, non_blocking=True)


def places(chosen: Tensor, device: torch.device) -> tuple[Tensor, ...]:
    """Where a mask on the processor is true, as indices on the device, one tensor a dimension.

    To index with a mask that is on a GPU is to wait until it can tell how many elements it chooses.
    """
    return sent(chosen.nonzero().T.contiguous(), device).unbind()


def _stack(values: Sequence[Tensor], limit: int | None) -> Tensor:
    """(rows, padded length, width) from tensors (length, width)."""
    stacked = pad_sequence(list(values), batch_first=True)
    return functional.pad(stacked, (0, 0, 0, _padded(stacked.shape[1], limit) - stacked.shape[1]))


def _pad(values: Sequence[list[int]], fill: int, *, left: bool, limit: int | None) -> list[list[int]]:
    length = _padded(max(map(len, values)), limit)
    pads = [[fill] * (length - len(v)) for v in values]
    return [pad + v if left else v + pad for v, pad in zip(values, pads, strict=True)]


def _padded(longest: int, limit: int | None) -> int:
    """`longest` rounded up to a `MULTIPLE`, but not beyond `limit`."""
    rounded = -(-longest // MULTIPLE) * MULTIPLE
    return rounded if limit is None else max(longest, min(rounded, limit))
