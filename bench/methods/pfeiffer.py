"""Bottleneck adapters after the feed-forward block only; the checkpoint stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.spec import Limits, LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """AdapterHub's `SeqBnConfig` with these options: `reduction_factor` is width / bottleneck."""
    from bench.learn.adapters import Bottleneck, add_adapters

    network.requires_grad_(False)
    shape = Bottleneck(**options)
    add_adapters(network.backbone, network.width, shape, "end")
    for name, parameter in network.backbone.named_parameters():
        parameter.requires_grad_(".adapter." in name)
    network.train_head()


METHOD = Method(
    name="pfeiffer",
    title="Pfeiffer adapters",
    version=1,
    rates=LogRange(low=1e-4, high=3e-3, default=6e-4),
    apply=apply,
    options={
        "reduction_factor": 16, "non_linearity": "relu", "scaling": 1.0, "dropout": 0.0, "init_weights": "bert",
    },
    limits={
        "reduction_factor": Limits(1), "scaling": Limits(),
        "dropout": Limits(0, 1), "init_weights": Limits(words=("bert", "mam_adapter")),
    },
    source="Pfeiffer et al. 2021, AdapterFusion (rate 1e-4); options and defaults of AdapterHub's SeqBnConfig",
)
