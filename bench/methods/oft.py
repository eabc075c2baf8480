"""The inputs of attention projections rotated block by block, which keeps the angles between neurons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.methods.parts.inject import inject, merge, query_value
from bench.spec import Limits, LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """Put rotations of blocks of `block_size` inputs (all, where that is fewer) before query and value projections.

    They are exact Cayley transforms; peft's default cuts their series off, which stops being a rotation at high rates.
    """
    from peft import OFTConfig

    from bench.learn.surgery import linearize

    linearize(network.backbone)  # peft has no such layer for GPT-2's Conv1D
    config = OFTConfig(
        oft_block_size=min(options["block_size"], network.width),
        use_cayley_neumann=False,
        target_modules=query_value(network),
    )
    inject(network, config)


METHOD = Method(
    name="oft",
    title="OFT",
    version=1,
    rates=LogRange(low=1e-4, high=3e-3, default=1e-3),
    apply=apply,
    options={"block_size": 32},
    limits={"block_size": Limits(1)},
    source="Qiu et al. 2023, Controlling Text-to-Image Diffusion by Orthogonal Finetuning; peft",
    merge=merge,
)
