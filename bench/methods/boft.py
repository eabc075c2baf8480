"""The inputs of attention projections rotated by a product of butterfly factors, and every output rescaled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.methods.parts.inject import inject, merge, query_value
from bench.spec import Limits, LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """Put `n_butterfly_factor` factors of rotations in blocks of `block_size` before query and value projections.

    The width must be a multiple of block_size * 2 ** (n_butterfly_factor - 1).
    """
    from peft import BOFTConfig

    from bench.learn.surgery import linearize

    _without_cuda_kernel()
    linearize(network.backbone)  # peft has no such layer for GPT-2's Conv1D
    config = BOFTConfig(
        boft_block_size=options["block_size"],
        boft_n_butterfly_factor=options["n_butterfly_factor"],
        target_modules=query_value(network),
    )
    inject(network, config)


def _without_cuda_kernel() -> None:
    """Give peft the block-diagonal step in plain torch.

    Where its CUDA kernel cannot be compiled, peft silently takes one factor for any number asked for, which is not
    BOFT; and where it can, the same cell would have other parameters. With this it is the same everywhere.
    """
    from peft.tuners.boft import layer

    from bench.learn.surgery import BlockDiagonal

    layer._FBD_CUDA = BlockDiagonal


METHOD = Method(
    name="boft",
    title="BOFT",
    version=1,
    rates=LogRange(low=1e-4, high=5e-3, default=1e-3),
    apply=apply,
    options={"block_size": 8, "n_butterfly_factor": 2},
    limits={"block_size": Limits(1), "n_butterfly_factor": Limits(1)},
    source="Liu et al. 2023, Parameter-Efficient Orthogonal Finetuning via Butterfly Factorization (m=2, b=8, as there "
    "on GLUE); peft",
    merge=merge,
)
