"""Only the task's head trains, on features of the frozen checkpoint (feature extraction, linear probing)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.spec import LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """The head trains, and whatever else the checkpoint does not contain.

    A vocabulary projection that is tied to the input embeddings gets weights of its own.
    """
    network.requires_grad_(False)
    if network.head is None:
        network.untie()
    network.train_head()


METHOD = Method(
    name="head_only",
    title="head only (feature extraction)",
    version=1,
    rates=LogRange(low=3e-4, high=1e-2, default=2e-3),
    apply=apply,
    frozen="backbone",
    source="Peters et al. 2019, To Tune or Not to Tune?",
)
