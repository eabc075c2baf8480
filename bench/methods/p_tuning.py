"""Virtual tokens before the input, made by a small network that trains with the head; the checkpoint stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.errors import UnsupportedError
from bench.spec import Limits, LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network

ENCODERS = ("lstm", "mlp")


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """Put `length` rows, made by an `encoder` ("lstm" as in the paper, or "mlp" as in peft), before every input."""
    from bench.learn import soft

    if options["encoder"] not in ENCODERS:
        raise UnsupportedError(f"p_tuning: encoder is one of {', '.join(ENCODERS)}, not {options['encoder']!r}")
    network.requires_grad_(False)
    width = soft.words_of(network).embedding_dim
    soft.prepend(network, soft.EncodedRows(options["length"], width, options["encoder"]))
    network.train_head()


METHOD = Method(
    name="p_tuning",
    title="P-tuning",
    version=1,
    rates=LogRange(low=1e-4, high=1e-2, default=1e-3),
    apply=apply,
    options={"length": 20, "encoder": "lstm"},
    limits={"length": Limits(1), "encoder": Limits(words=("lstm", "mlp"))},
    source="Liu et al. 2021, GPT Understands, Too; rate 5e-4 with 20 tokens and LSTM in peft's method_comparison",
)
