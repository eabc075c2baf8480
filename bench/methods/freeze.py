"""Embeddings and the lower layers stay as they are; the upper layers and the head train."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.errors import UnsupportedError
from bench.spec import Limits, LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """Freeze the embeddings and the lowest `k` layers of every stack; k = 0 means half of them (at least one).

    Raises UnsupportedError where a stack has fewer than `k` layers.
    """
    layers = min(len(stack) for stack in network.stacks())
    if options["k"] > layers:
        raise UnsupportedError(f"freeze[k={options['k']}]: this model has stacks of only {layers} layers")
    network.requires_grad_(True)
    if network.head is None:
        network.untie()
    for module in network.embeddings():
        module.requires_grad_(False)
    for stack in network.stacks():
        for layer in stack[: lower(len(stack), int(options["k"]))]:
            layer.requires_grad_(False)
    network.train_head()


def lower(layers: int, k: int) -> int:
    """How many of a stack's layers are frozen."""
    return min(k, layers) if k else max(1, layers // 2)


METHOD = Method(
    name="freeze",
    title="lower half frozen",
    version=1,
    rates=LogRange(low=2e-5, high=5e-4, default=1e-4),
    apply=apply,
    options={"k": 0},
    limits={"k": Limits(0)},
    frozen="lower",
    source="Lee et al. 2019, What Would Elsa Do? Freezing Layers During Transformer Fine-Tuning",
)
