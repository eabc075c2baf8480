"""Only the normalisation layers train, and the head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.errors import UnsupportedError
from bench.spec import LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """Scales of all layer norms train, and shifts where the architecture has them (T5's and Llama's norms do not).

    Raises UnsupportedError for architectures whose norms have no parameters.
    """
    norms = [module for module in network.backbone.modules() if "norm" in type(module).__name__.lower()]
    trained = [p for norm in norms for p in norm.parameters(recurse=False)]
    if not trained:
        raise UnsupportedError(f"a network of type {network.config.model_type!r} has no norms to train")
    network.train_only(trained)


METHOD = Method(
    name="layernorm",
    title="LayerNorm tuning",
    version=1,
    rates=LogRange(low=2e-4, high=6e-3, default=1.5e-3),
    apply=apply,
    source="Zhao et al. 2023, Tuning LayerNorm in Attention: Towards Efficient Multi-Modal LLM Finetuning; "
    "ValizadehAslani and Liang 2024, LayerNorm: A Key Component in Parameter-Efficient Fine-Tuning",
)
