"""Updates that are the elementwise product of two low-rank matrices, whose rank may reach r squared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.methods.parts.inject import inject, merge, query_value
from bench.spec import Limits, LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """Put updates (B1 A1) * (B2 A2) of rank `r` each, scaled by alpha / r, on query and value projections."""
    from peft import LoHaConfig

    from bench.learn.surgery import linearize

    linearize(network.backbone)  # peft has no such layer for GPT-2's Conv1D
    config = LoHaConfig(
        r=options["r"],
        alpha=options["alpha"],
        target_modules=query_value(network),
    )
    inject(network, config)


METHOD = Method(
    name="loha",
    title="LoHa",
    version=1,
    rates=LogRange(low=3e-4, high=1e-2, default=2e-3),
    apply=apply,
    options={"r": 8, "alpha": 8},
    limits={"r": Limits(1), "alpha": Limits(1)},
    source="Hyeon-Woo et al. 2022, FedPara: Low-Rank Hadamard Product; Yeh et al. 2023, LyCORIS; peft",
    merge=merge,
)
