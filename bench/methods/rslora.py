"""LoRA with its update scaled by alpha / sqrt(r), so that a higher rank does not learn more slowly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.methods import lora
from bench.methods.parts.inject import merge
from bench.spec import LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """As `lora` with the same options, whose scale alpha / r becomes alpha / sqrt(r)."""
    lora.apply(network, options, use_rslora=True)


METHOD = Method(
    name="rslora",
    title="rsLoRA",
    version=1,
    rates=LogRange(low=3e-5, high=1e-3, default=2e-4),
    apply=apply,
    options=lora.METHOD.options,
    limits=lora.METHOD.limits,
    source="Kalajdzievski 2023, A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA; peft. LoRA's rates, "
    "lower by the square root of r, by which its updates are larger",
    merge=merge,
)
