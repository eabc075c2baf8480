"""Virtual tokens before the input train, and the head; the checkpoint stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.errors import UnsupportedError
from bench.spec import Limits, LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """Put `length` rows before every input: `init` is "vocabulary" (embeddings of common words) or "random".

    In an encoder-decoder they stand before the encoder's input, as in the paper; the decoder sees them from there.
    """
    from bench.learn import soft

    starts = {"vocabulary": soft.common_words, "random": soft.random_rows}
    if options["init"] not in starts:
        raise UnsupportedError(f"prompt_tuning: init is one of {', '.join(starts)}, not {options['init']!r}")
    network.requires_grad_(False)
    soft.prepend(network, soft.PlainRows(starts[options["init"]](network, options["length"])))
    network.train_head()


METHOD = Method(
    name="prompt_tuning",
    title="prompt tuning",
    version=1,
    rates=LogRange(low=1e-3, high=1e-1, default=1e-2),
    apply=apply,
    options={"length": 20, "init": "vocabulary"},
    limits={"length": Limits(1), "init": Limits(words=("vocabulary", "random"))},
    source="Lester et al. 2021, The Power of Scale for Parameter-Efficient Prompt Tuning (rate 0.3, with Adafactor); "
    "1e-3 in peft's method_comparison",
)
