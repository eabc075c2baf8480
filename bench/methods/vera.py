"""Two random matrices that all projections share and that never train, with trained scales for ranks and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.methods.parts.inject import inject, is_transposed, merge, query_value
from bench.spec import Limits, LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """Updates b * B (d * A x) of rank `r`, with b from 0 and d from `d_initial`, on query and value projections.

    A and B are drawn from a fixed seed, so only b and d are stored.
    """
    from peft import VeraConfig

    config = VeraConfig(
        r=options["r"],
        d_initial=options["d_initial"],
        vera_dropout=options["dropout"],
        target_modules=query_value(network),
        fan_in_fan_out=is_transposed(network),
    )
    inject(network, config)


METHOD = Method(
    name="vera",
    title="VeRA",
    version=1,
    rates=LogRange(low=1e-3, high=2e-2, default=5e-3),
    apply=apply,
    options={"r": 256, "d_initial": 0.1, "dropout": 0.0},
    limits={"r": Limits(1), "d_initial": Limits(), "dropout": Limits(0, 1)},
    source="Kopiczko et al. 2023, VeRA: Vector-based Random Matrix Adaptation (rates 2e-3 to 2e-2 on GLUE); peft",
    merge=merge,
)
