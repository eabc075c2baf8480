"""What the methods that change weights through peft share: where their updates go, and what trains beside them.

All of them change the query and value projections of attention (Hu et al. 2021, section 7.1; peft's default for LoRA),
so that a board compares parametrisations and not places. Our heads are not peft's: its `modules_to_save` has no part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.errors import UnsupportedError

if TYPE_CHECKING:
    from bench.learn.network import Network

OWN_TARGETS = {
    "albert": ("query", "value"),
    "camembert": ("query", "value"),
    "distilbert": ("q_lin", "v_lin"),
    "encoder-decoder": ("query", "value"),
    "marian": ("q_proj", "v_proj"),
    "mbart": ("q_proj", "v_proj"),
    "modernbert": ("Wqkv",),
    "mpnet": ("attn.q", "attn.v"),
    "pegasus": ("q_proj", "v_proj"),
}
"""Query and value projections (or one that fuses them with the keys) of architectures for which peft has no default."""

FRESH = r"(?!.*crossattention)"
"""Cross-attention that the checkpoint does not contain trains whole: an update would add nothing to it."""


def query_value(network: Network) -> str:
    """A pattern for the names of all query and value projections.

    Raises UnsupportedError where the architecture has none that are linear layers.
    """
    from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as DEFAULTS

    model_type = network.config.model_type
    targets = OWN_TARGETS.get(model_type) or DEFAULTS.get(model_type)
    if targets is None:
        raise UnsupportedError(f"no query and value projections are known for model type {model_type!r}")
    return pattern(*targets)


def pattern(*names: str) -> str:
    """A pattern for modules whose dotted name ends with one of `names` (each a pattern)."""
    return rf"{FRESH}(?:.*\.)?(?:{'|'.join(names)})"


def is_transposed(network: Network) -> bool:
    """Whether linear layers store their weights as (inputs, outputs): GPT-2's Conv1D (peft's `fan_in_fan_out`)."""
    return bool(network.config.model_type == "gpt2")


def inject(network: Network, config: Any) -> None:
    """Let only what `config` (peft's) adds to the backbone train, and the task's own parameters.

    Raises UnsupportedError where peft cannot put it on this network.
    """
    from peft import PEFT_TYPE_TO_TUNER_MAPPING

    network.requires_grad_(False)
    try:
        # As peft's inject_adapter_in_model does, which refuses VeRA: what VeRA's layers share is held by each of them.
        PEFT_TYPE_TO_TUNER_MAPPING[config.peft_type](network.backbone, config, "default")
    except (ValueError, TypeError) as error:
        raise UnsupportedError(f"peft cannot change this network: {str(error).splitlines()[0]}") from error
    network.train_head()


def merge(network: Network) -> None:
    """Fold every update into the weight that it changes, and put the plain layers back, in place."""
    import torch
    from peft.tuners.tuners_utils import BaseTunerLayer

    with torch.no_grad():
        for name, module in list(network.backbone.named_modules()):
            if isinstance(module, BaseTunerLayer):
                module.merge()
                network.backbone.set_submodule(name, module.get_base_layer())
