"""Embeddings and lower layers stay as they are; how many layers train is searched along with the learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.spec import LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """The head trains, what stands above the layers, and the upper `thirds` of the layers of every stack.

    With none of the layers this is a linear probe with its last norm, where there is one; with all three thirds the
    embeddings train as well, as in full fine-tuning (a vocabulary projection has weights of its own in any case).
    """
    network.requires_grad_(True)
    if network.head is None:
        network.untie()
    for module in network.embeddings():
        module.requires_grad_(options["thirds"] == THIRDS)
    for stack in network.stacks():
        for layer in stack[: len(stack) - unfrozen(len(stack), options["thirds"])]:
            layer.requires_grad_(False)
    network.train_head()


def unfrozen(layers: int, thirds: int) -> int:
    """How many of a stack's layers train."""
    return round(layers * thirds / THIRDS)


THIRDS = 3

METHOD = Method(
    name="freeze_auto",
    title="frozen up to a layer that is searched",
    version=1,
    rates=LogRange(low=2e-5, high=2e-3, default=1e-4),
    apply=apply,
    # The second trial, at a high rate, takes none of the layers; the third, at a low one, all.
    choices={"thirds": (2, 0, 3, 1)},
    source="Lee et al. 2019, What Would Elsa Do? Freezing Layers During Transformer Fine-Tuning (a quarter of the "
    "layers gives most of the quality); thirds suit networks of 3, 6, 12 and 24 layers",
)
