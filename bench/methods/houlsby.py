"""Bottleneck adapters after attention and after the feed-forward block; the checkpoint stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.spec import Limits, LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """AdapterHub's `DoubleSeqBnConfig` with these options: `reduction_factor` is width / bottleneck.

    Decoders that read an encoder have no adapter after their cross-attention unless `cross_adapter`, as there.
    """
    from bench.learn.adapters import Bottleneck, add_adapters

    network.requires_grad_(False)
    shape = Bottleneck(**{name: value for name, value in options.items() if name != "cross_adapter"})
    places = ("attention", "feedforward", "cross") if options["cross_adapter"] else ("attention", "feedforward")
    add_adapters(network.backbone, network.width, shape, *places)
    for name, parameter in network.backbone.named_parameters():
        parameter.requires_grad_(".adapter." in name)
    network.train_head()


METHOD = Method(
    name="houlsby",
    title="Houlsby adapters",
    version=1,
    rates=LogRange(low=1e-4, high=3e-3, default=6e-4),
    apply=apply,
    options={
        "reduction_factor": 16, "non_linearity": "swish", "scaling": 1.0, "dropout": 0.0, "init_weights": "bert",
        "cross_adapter": False,
    },
    limits={
        "reduction_factor": Limits(1), "scaling": Limits(),
        "dropout": Limits(0, 1), "init_weights": Limits(words=("bert", "mam_adapter")),
    },
    source="Houlsby et al. 2019, Parameter-Efficient Transfer Learning for NLP (rates 3e-5 to 3e-3); "
    "options and defaults of AdapterHub's DoubleSeqBnConfig",
)
