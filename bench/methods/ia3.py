"""Keys, values and the inner activations of every feed-forward block rescaled by trained vectors: (IA)^3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.errors import UnsupportedError
from bench.methods.parts.inject import inject, is_transposed, merge, pattern
from bench.spec import LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network


KEYS_VALUES_OUTPUT = {
    **dict.fromkeys(
        ("bert", "roberta", "electra", "camembert", "xlm-roberta", "encoder-decoder"),
        ("key|value", r"layer\.\d+\.output\.dense"),
    ),
    "distilbert": ("k_lin|v_lin", "ffn.lin2"),
    "gpt2": ("attn.c_attn", "mlp.c_proj"),
    **dict.fromkeys(("t5", "mt5"), ("k|v", "wo")),
    **dict.fromkeys(("bart", "mbart", "marian", "pegasus", "opt"), ("k_proj|v_proj", "fc2")),
    **dict.fromkeys(("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2"), ("k_proj|v_proj", "down_proj")),
}
"""Names of the key and value projections, whose outputs are scaled, and of the feed-forward output, whose input is.

In GPT-2 queries are fused with them; scaling a query is the same as scaling its key. peft's own defaults also scale the
input of BERT's attention output, and take BART's queries for its keys.
"""


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """Put the vectors, all ones at first."""
    from peft import IA3Config

    model_type = network.config.model_type
    if model_type not in KEYS_VALUES_OUTPUT:
        raise UnsupportedError(f"no key, value and feed-forward layers are known for model type {model_type!r}")
    keys_values, output = KEYS_VALUES_OUTPUT[model_type]
    config = IA3Config(
        target_modules=pattern(keys_values, output),
        feedforward_modules=pattern(output),
        fan_in_fan_out=is_transposed(network),
    )
    inject(network, config)


METHOD = Method(
    name="ia3",
    title="(IA)^3",
    version=1,
    rates=LogRange(low=1e-3, high=3e-2, default=5e-3),
    apply=apply,
    source="Liu et al. 2022, Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context Learning "
    "(rate 3e-3); peft",
    merge=merge,
)
