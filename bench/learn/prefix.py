"""Prefixes: keys and values that every attention of a network finds before its own, and that train.

They enter where transformers hands queries, keys and values to the attention function, after positions were added and
caches filled. So they have no position, take none away, and every architecture that uses this interface is served:
encoders, decoders with any padding, cross-attention. Knows networks; knows no task and no data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.errors import UnsupportedError
from bench.learn import device as devices
from bench.learn.attention import unasked
from bench.learn.network import Network

NAME = "bench_prefix"
"""What transformers knows the attention function with a prefix by."""

START = 0.02
"""Standard deviation of plain prefixes at the start: near nothing, so that the network starts as the checkpoint."""


@dataclass(frozen=True)
class Place:
    """An attention: its number, the sort of attention that it is, its heads and their size."""

    number: int
    sort: str
    heads: int
    size: int


class Prefix(nn.Module):
    """The keys and values (2, heads, length, size) of every attention.

    With a `bottleneck` they are made, while training, of `length` embeddings by a hidden layer of that width with tanh,
    one for each sort of attention, and an output layer for each attention (Li and Liang 2021, section 4.3; in their
    code too encoder, decoder and cross-attention have one each). Else they are the parameters themselves.
    """

    def __init__(self, places: Sequence[Place], length: int, width: int, bottleneck: int) -> None:
        super().__init__()
        self.places, self.length = tuple(places), length
        self.pairs = nn.ParameterList()
        self.embeddings, self.hidden, self.outputs = nn.ModuleDict(), nn.ModuleDict(), nn.ModuleList()
        if not bottleneck:
            self.pairs.extend(torch.empty(self._shape(p)).normal_(std=START) for p in places)
            return
        for sort in dict.fromkeys(p.sort for p in places):
            self.embeddings[sort] = nn.Embedding(length, width)
            self.hidden[sort] = nn.Linear(width, bottleneck)
        self.outputs.extend(nn.Linear(bottleneck, 2 * p.heads * p.size) for p in places)

    @property
    def reparametrised(self) -> bool:
        """Whether the keys and values are made rather than kept."""
        return not self.pairs

    @property
    def kept(self) -> int:
        """Numbers that must be stored."""
        return sum(2 * p.heads * self.length * p.size for p in self.places)

    def pair(self, place: Place) -> Tensor:
        """Keys and values (2, heads, length, size) of one attention."""
        if self.pairs:
            return cast(Tensor, self.pairs[place.number])
        embeddings = cast(nn.Embedding, self.embeddings[place.sort]).weight
        made = self.outputs[place.number](torch.tanh(self.hidden[place.sort](embeddings)))
        return cast(Tensor, made.view(self.length, 2, place.heads, place.size).permute(1, 2, 0, 3))

    @torch.no_grad()
    def fold(self) -> None:
        """Keep the keys and values that are made, and let go of what makes them."""
        self.pairs = nn.ParameterList([self.pair(p).float().contiguous() for p in self.places])
        self.embeddings, self.hidden, self.outputs = nn.ModuleDict(), nn.ModuleDict(), nn.ModuleList()

    def _shape(self, place: Place) -> tuple[int, ...]:
        return 2, place.heads, self.length, place.size


@dataclass
class _Before:
    """Puts the prefix of one attention before its keys and values. A copied network copies it along."""

    prefix: Prefix
    place: Place

    def __call__(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        pair = self.prefix.pair(self.place).to(key.dtype).unsqueeze(1).expand(2, len(key), -1, -1, -1)
        return torch.cat([pair[0], key], dim=2), torch.cat([pair[1], value], dim=2)


class _Probe:
    """Looks at the keys that an attention is given, to learn its shape."""

    def __init__(self) -> None:
        self.shape: tuple[int, ...] = ()

    def __call__(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        self.shape = tuple(key.shape)
        return key, value


def install(network: Network, length: int, bottleneck: int) -> None:
    """Give every attention of the network a prefix of `length`, and let it train.

    Raises UnsupportedError for architectures that do not take their attention from transformers' interface.
    """
    attentions = _attentions(network)
    _use_own_attention(network)
    probes = [_Probe() for _ in attentions]
    for (_, attention), probe in zip(attentions, probes, strict=True):
        cast(Any, attention).prefix = probe
    _try_out(network)
    if not attentions or not all(probe.shape for probe in probes):
        raise UnsupportedError(
            f"prefix_tuning: the attention of model type {network.config.model_type!r} cannot be given a prefix, since "
            "it does not go through transformers' attention interface"
        )
    places = [
        Place(i, name, probe.shape[1], probe.shape[3])
        for i, ((name, _), probe) in enumerate(zip(attentions, probes, strict=True))
    ]
    prefix = network.soft = Prefix(places, length, network.width, bottleneck)
    for (_, attention), place in zip(attentions, places, strict=True):
        cast(Any, attention).prefix = _Before(prefix, place)


def _attentions(network: Network) -> list[tuple[str, nn.Module]]:
    """The innermost attention modules with their sort, lowest first: self of the first or second stack, or cross."""
    found = []
    for number, stack in enumerate(network.stacks()):
        for name, module in stack.named_modules():
            if _is_innermost(module):
                found.append(("cross" if _is_cross(name) else f"stack{number}", module))
    return found


def _is_innermost(module: nn.Module) -> bool:
    inside = [m for m in module.modules() if "attention" in type(m).__name__.lower() and hasattr(m, "config")]
    return inside == [module]


def _is_cross(name: str) -> bool:
    return any(word in name.lower() for word in ("cross", "encdec", "encoder_attn"))


def _use_own_attention(network: Network) -> None:
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import eager_mask

    AttentionInterface.register(NAME, attend)
    plain = devices.pick_attention() == "eager"
    AttentionMaskInterface.register(NAME, eager_mask if plain else unasked(eager_mask))
    for module in network.backbone.modules():
        if hasattr(module, "config"):
            cast(Any, module).config._attn_implementation = NAME


@torch.no_grad()
def _try_out(network: Network) -> None:
    """Run the network once on two tokens."""
    was_training = network.backbone.training
    network.backbone.eval()
    device = next(network.backbone.parameters()).device
    ids = torch.ones(1, 2, dtype=torch.long, device=device)
    inputs = {"input_ids": ids, "attention_mask": ids}
    if network.decodes:
        inputs["decoder_input_ids"] = ids
    network.backbone(**inputs)
    network.backbone.train(was_training)


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    position_bias: Tensor | None = None,
    softcap: float | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Scaled dot-product attention in which every query also sees the module's prefix.

    Query (rows, heads, queries, size), key and value (rows, heads, keys, size); `attention_mask` and `position_bias`
    (rows or 1, heads or 1, queries, keys) are added to the scores, None where every query sees every key. The result
    is (rows, queries, heads, size), as transformers wants it.
    """
    if softcap is not None:
        raise UnsupportedError("prefix_tuning: attention with capped scores cannot be given a prefix")
    before = getattr(module, "prefix", None)
    length = key.shape[2]
    if before is not None:
        key, value = before(key, value)
    added = [a for a in (attention_mask, position_bias) if a is not None]
    bias = functional.pad(cast(Tensor, sum(added)), (key.shape[2] - length, 0)).to(query.dtype) if added else None
    attended = functional.scaled_dot_product_attention(
        query, key, value, attn_mask=bias, dropout_p=dropout, scale=scaling, enable_gqa=query.shape[1] != key.shape[1]
    )
    return attended.transpose(1, 2).contiguous(), None
