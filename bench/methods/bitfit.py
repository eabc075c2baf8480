"""Only the biases train, and the head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.errors import UnsupportedError
from bench.spec import LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """Every bias vector of the backbone trains, those of normalisation layers among them.

    Raises UnsupportedError for architectures without biases, such as T5.
    """
    biases = [p for name, p in network.backbone.named_parameters() if name.endswith("bias")]
    if not biases:
        raise UnsupportedError(f"a network of type {network.config.model_type!r} has no biases to train")
    network.train_only(biases)


METHOD = Method(
    name="bitfit",
    title="BitFit (biases only)",
    version=1,
    rates=LogRange(low=2e-4, high=1e-2, default=2e-3),
    apply=apply,
    source="Ben Zaken et al. 2022, BitFit: Simple Parameter-efficient Fine-tuning for Transformer-based Masked "
    "Language-models (rates 1e-4 to 1e-3, at most ten times those of full fine-tuning)",
)
