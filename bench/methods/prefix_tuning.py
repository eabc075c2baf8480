"""Keys and values before those of every attention train, and the head; the checkpoint stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.spec import Limits, LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """Give every self- and cross-attention a prefix of `length`.

    While training it is made by a hidden layer of `bottleneck` units; 0 trains the keys and values themselves.
    """
    from bench.learn import prefix

    network.requires_grad_(False)
    prefix.install(network, options["length"], options["bottleneck"])
    network.train_head()


METHOD = Method(
    name="prefix_tuning",
    title="prefix tuning",
    version=1,
    rates=LogRange(low=5e-5, high=5e-3, default=3e-4),
    apply=apply,
    options={"length": 10, "bottleneck": 512},
    limits={"length": Limits(1), "bottleneck": Limits(0)},
    source="Li and Liang 2021, Prefix-Tuning (table-to-text: length 10, 512 units, rate 5e-5); without the hidden "
    "layer 1e-3 and 5e-3 in peft's method_comparison",
)
