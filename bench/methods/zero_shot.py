"""Nothing trains: the model is asked in words, without an example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.spec import Method

if TYPE_CHECKING:
    from bench.learn.network import Network


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """Every parameter stays as it is; `bench.learn.prompting` asks."""
    network.requires_grad_(False)


METHOD = Method(
    name="zero_shot",
    title="asked in words, no example",
    version=1,
    rates=None,
    apply=apply,
    frozen="backbone",
    source="Radford et al. 2019 (decoders); Schick and Schuetze 2021 (masked models, without their training)",
)
