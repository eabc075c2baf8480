"""Low-rank updates of the attention projections; the checkpoint stays as it is, the head trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.methods.parts.inject import inject, is_transposed, merge, query_value
from bench.spec import Limits, LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network


def apply(network: Network, options: Mapping[str, Any], **variant: bool) -> None:
    """Put rank-`r` updates, scaled by alpha / r, on the query and value projections (fused into one in GPT-2).

    `variant` is a switch of peft's configuration that makes another method of it (`use_dora`, `use_rslora`).
    """
    from peft import LoraConfig

    config = LoraConfig(
        r=options["r"],
        lora_alpha=options["alpha"],
        lora_dropout=options["dropout"],
        target_modules=query_value(network),
        fan_in_fan_out=is_transposed(network),
        **variant,
    )
    inject(network, config)


METHOD = Method(
    name="lora",
    title="LoRA",
    version=1,
    rates=LogRange(low=1e-4, high=3e-3, default=6e-4),
    apply=apply,
    options={"r": 8, "alpha": 16, "dropout": 0.0},
    limits={"r": Limits(1), "alpha": Limits(1), "dropout": Limits(0, 1)},
    source="Hu et al. 2021, LoRA; peft",
    merge=merge,
)
