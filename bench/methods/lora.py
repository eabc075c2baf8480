"""Low-rank updates of the attention projections; the checkpoint stays as it is, the head trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.errors import UnsupportedError
from bench.spec import LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network

OWN_TARGETS = {"distilbert": ["q_lin", "v_lin"], "encoder-decoder": ["query", "value"]}
"""Attention projections of architectures for which peft has no default."""


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """Put rank-`r` updates, scaled by alpha / r, on the query and value projections (fused into one in GPT-2)."""
    from peft import LoraConfig, inject_adapter_in_model

    network.requires_grad_(False)
    model_type = network.config.model_type
    config = LoraConfig(
        r=options["r"],
        lora_alpha=options["alpha"],
        lora_dropout=options["dropout"],
        target_modules=_targets(model_type),
        fan_in_fan_out=model_type == "gpt2",
        # Cross-attention that the checkpoint does not contain trains whole: a low-rank update would add nothing to it.
        exclude_modules=r".*crossattention.*" if model_type == "encoder-decoder" else None,
    )
    inject_adapter_in_model(config, network.backbone)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_("lora_" in name)
    network.train_head()


def _targets(model_type: str) -> list[str]:
    from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as DEFAULTS

    targets = OWN_TARGETS.get(model_type) or DEFAULTS.get(model_type)
    if targets is None:
        raise UnsupportedError(f"lora: peft knows no attention projections for model type {model_type!r}")
    return list(targets)


METHOD = Method(
    name="lora",
    title="LoRA",
    version=1,
    rates=LogRange(low=1e-4, high=3e-3, default=6e-4),
    apply=apply,
    options={"r": 8, "alpha": 16, "dropout": 0.0},
    source="Hu et al. 2021, LoRA; peft",
)
