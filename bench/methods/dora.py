"""LoRA's update with the length of every output's weight vector trained apart from its direction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.methods import lora
from bench.methods.parts.inject import merge
from bench.spec import LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """As `lora` with the same options, and one magnitude for each output of a projection."""
    lora.apply(network, options, use_dora=True)


METHOD = Method(
    name="dora",
    title="DoRA",
    version=1,
    rates=LogRange(low=1e-4, high=3e-3, default=6e-4),
    apply=apply,
    options=lora.METHOD.options,
    limits=lora.METHOD.limits,
    source="Liu et al. 2024, DoRA: Weight-Decomposed Low-Rank Adaptation (at LoRA's rates, as there); peft",
    merge=merge,
)
