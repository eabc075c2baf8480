"""Every parameter trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.spec import LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """All of the checkpoint and the head train."""
    network.requires_grad_(True)


METHOD = Method(
    name="full",
    title="full fine-tuning",
    version=1,
    rates=LogRange(low=2e-5, high=5e-4, default=1e-4),
    apply=apply,
    source="Devlin et al. 2019 (rates 2e-5 to 5e-5 at width 768)",
)
