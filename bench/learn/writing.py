"""Texts written greedily, token by token, by many rows at once.

For the architectures of WRITTEN_HERE the loop is our own: the same forward passes as in transformers' `generate`, and
so the same tokens, without what greedy writing has no use for; and rows that are done leave, while `generate` carries
them along to the end. Others are left to `generate`. Knows networks and tokens; knows no task.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

import torch
from torch import Tensor

from bench.learn.batch import Batch
from bench.learn.network import Network

WRITTEN_HERE = frozenset({"gpt2", "t5", "encoder-decoder"})
"""Model types of which a test shows that our loop writes what `generate` does."""


@torch.no_grad()
def write(network: Network, batch: Batch, *, stop: int, pad: int, cap: int) -> Tensor:
    """The tokens (rows, at most `cap`) that follow on the `ids` of the batch, which a decoder has padded on the left.

    What stands behind the first `stop` of a row has no meaning.
    """
    if network.config.model_type not in WRITTEN_HERE:
        return _generated(network, batch, stop, pad, cap)
    kind = _EncoderDecoder if network.config.is_encoder_decoder else _Decoder
    writer: _Writer = kind(network, batch)
    rows = len(batch["ids"])
    written = batch["ids"].new_full((rows, cap), pad)
    live = torch.arange(rows, device=written.device)
    going = torch.ones_like(live, dtype=torch.bool)
    for position in range(cap):
        tokens = writer.scores().float().argmax(-1)
        written[live, position] = tokens
        going = going & (tokens != stop)
        left = int(going.sum())
        if not left or position + 1 == cap:
            break
        if 2 * left <= len(live):  # not at every row that ends: to leave is to copy what stays
            writer.keep(going)
            live, tokens, going = live[going], tokens[going], going[going]
        writer.read(tokens)
    return written


class _Writer(Protocol):
    """The rows that are being written, and what the network remembers of them."""

    def scores(self) -> Tensor:
        """Scores (rows, vocabulary) of the next token."""
        ...

    def read(self, tokens: Tensor) -> None:
        """Go on to the token after these (rows)."""
        ...

    def keep(self, rows: Tensor) -> None:
        """Forget all rows but these (a mask)."""
        ...


class _Decoder:
    """A left-to-right network, which has read the prompt."""

    def __init__(self, network: Network, batch: Batch) -> None:
        from transformers import DynamicCache

        self.backbone = cast(Any, network.backbone)
        self.mask = batch["mask"]
        self.inputs, self.positions = batch["ids"], (self.mask.cumsum(-1) - 1).clamp(min=0)
        self.cache = DynamicCache(config=network.config)

    def scores(self) -> Tensor:
        found = self.backbone(
            input_ids=self.inputs, attention_mask=self.mask, position_ids=self.positions,
            past_key_values=self.cache, use_cache=True, logits_to_keep=1,
        )
        return cast(Tensor, found.logits[:, -1])

    def read(self, tokens: Tensor) -> None:
        self.inputs, self.positions = tokens[:, None], self.positions[:, -1:] + 1
        self.mask = torch.cat([self.mask, self.mask.new_ones(len(tokens), 1)], dim=1)

    def keep(self, rows: Tensor) -> None:
        self.cache.batch_select_indices(rows.nonzero()[:, 0])
        self.mask, self.positions = self.mask[rows], self.positions[rows]


class _EncoderDecoder:
    """A network that has read the input with its encoder, and writes with its decoder."""

    def __init__(self, network: Network, batch: Batch) -> None:
        from transformers import DynamicCache, EncoderDecoderCache
        from transformers.modeling_outputs import BaseModelOutput

        self.backbone = cast(Any, network.backbone)
        self.mask, self.output = batch["mask"], BaseModelOutput
        encoder = self.backbone.get_encoder()
        self.states = encoder(input_ids=batch["ids"], attention_mask=self.mask).last_hidden_state
        self.inputs = batch["ids"].new_full((len(self.mask), 1), network.start)
        self.cache = EncoderDecoderCache(DynamicCache(), DynamicCache())

    def scores(self) -> Tensor:
        found = self.backbone(
            encoder_outputs=self.output(last_hidden_state=self.states), attention_mask=self.mask,
            decoder_input_ids=self.inputs, past_key_values=self.cache, use_cache=True,
        )
        return cast(Tensor, found.logits[:, -1])

    def read(self, tokens: Tensor) -> None:
        self.inputs = tokens[:, None]

    def keep(self, rows: Tensor) -> None:
        chosen = rows.nonzero()[:, 0]
        self.cache.self_attention_cache.batch_select_indices(chosen)
        self.cache.cross_attention_cache.batch_select_indices(chosen)
        self.mask, self.states = self.mask[rows], self.states[rows]


def _generated(network: Network, batch: Batch, stop: int, pad: int, cap: int) -> Tensor:
    """What transformers' `generate` writes."""
    found = cast(Any, network.backbone).generate(
        input_ids=batch["ids"], attention_mask=batch["mask"], max_new_tokens=cap, do_sample=False, num_beams=1,
        eos_token_id=stop, pad_token_id=pad,
    )
    start = 1 if network.config.is_encoder_decoder else batch["ids"].shape[1]
    return cast(Tensor, found[:, start:])
