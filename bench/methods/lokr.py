"""Updates that are the Kronecker product of a small matrix and a low-rank one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.methods.parts.inject import inject, merge, query_value
from bench.spec import Limits, LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """Put updates C x (B A) with B A of rank `r` at most, scaled by alpha / r, on query and value projections."""
    from peft import LoKrConfig

    from bench.learn.surgery import linearize

    linearize(network.backbone)  # peft has no such layer for GPT-2's Conv1D
    config = LoKrConfig(
        r=options["r"],
        alpha=options["alpha"],
        target_modules=query_value(network),
    )
    inject(network, config)


METHOD = Method(
    name="lokr",
    title="LoKr",
    version=1,
    rates=LogRange(low=3e-4, high=1e-2, default=2e-3),
    apply=apply,
    options={"r": 8, "alpha": 8},
    limits={"r": Limits(1), "alpha": Limits(1)},
    source="Edalati et al. 2022, KronA; Yeh et al. 2023, LyCORIS; peft",
    merge=merge,
)
