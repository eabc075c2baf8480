"""Bottleneck adapters: small networks put between the sublayers of a frozen backbone, where AdapterHub puts them.

Knows the architectures' sublayers; knows no task and no training. An adapter hangs on the module whose output it
changes, as that module's child `adapter`, so that networks can be copied and their tensors have stable names.

The places are those of the `adapters` library (Poth et al. 2023; its `BnConfig`). With x the output of a sublayer, to
which the residual is added, and f the bottleneck, `up(act(down(.)))`:

- `houlsby` (Houlsby et al. 2019; AdapterHub's `DoubleSeqBnConfig`): x becomes x + f(x) in both sublayers.
- `pfeiffer` (Pfeiffer et al. 2021; AdapterHub's `SeqBnConfig`): in the feed-forward sublayer only, x becomes
  x + f(norm(x + residual)), norm being the frozen one that follows the sum, where one does (BERT, BART; not GPT-2, T5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from torch import Tensor, nn

from bench.errors import UnsupportedError


@dataclass(frozen=True)
class Bottleneck:
    """The shape of an adapter, in AdapterHub's words.

    `reduction_factor` is hidden size / bottleneck size (at least one unit is left); `non_linearity` a name of
    transformers' activations, such as "relu", "swish" or "gelu"; `scaling` multiplies what the adapter adds; `dropout`
    acts on what it reads; `init_weights` is "bert" (all weights N(0, 0.02): near the identity) or "mam_adapter" (the
    upper weights 0: the identity exactly, He et al. 2022).
    """

    reduction_factor: int
    non_linearity: str
    scaling: float
    dropout: float
    init_weights: str


class Adapter(nn.Module):
    """What is added: `scaling * up(act(down(x)))`, from (..., width) to (..., width)."""

    def __init__(self, width: int, shape: Bottleneck) -> None:
        super().__init__()
        size = max(1, width // shape.reduction_factor)
        self.dropout = nn.Dropout(shape.dropout)
        self.down, self.up = nn.Linear(width, size), nn.Linear(size, width)
        self.act = _activation(shape.non_linearity)
        self.scaling = shape.scaling
        self._reset(shape.init_weights)

    def _reset(self, how: str) -> None:
        if how not in ("bert", "mam_adapter"):
            raise UnsupportedError(f"init_weights={how!r} is not known; choose bert or mam_adapter")
        if how == "bert":
            nn.init.normal_(self.down.weight, std=0.02)
            nn.init.normal_(self.up.weight, std=0.02)
        else:
            nn.init.kaiming_uniform_(self.down.weight, a=5**0.5)
            nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.down.bias)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.scaling * cast(Tensor, self.up(self.act(self.down(self.dropout(x)))))


def _activation(name: str) -> nn.Module:
    from transformers.activations import ACT2FN

    if name not in ACT2FN:
        raise UnsupportedError(f"non_linearity={name!r} is not known; choose one of {', '.join(sorted(ACT2FN))}")
    return cast(nn.Module, ACT2FN[name])


@dataclass(frozen=True)
class _Layer:
    """Where adapters hang in one class of layers: paths of modules inside it, "" for itself, None for nowhere.

    `attention`, `cross` and `feedforward` lead to the output of a sublayer before it is added to the residual: its
    dropout where that is a module, else its last linear layer. `end` leads to the end of the feed-forward sublayer: the
    norm of the sum where `normed`, else what hands on the sum.
    """

    attention: str | None = None
    cross: str | None = None
    feedforward: str | None = None
    end: str | None = None
    normed: bool = True


_BERT = _Layer("attention.output.dropout", "crossattention.output.dropout", "output.dropout", "output.LayerNorm")
_BART = _Layer("self_attn.out_proj", "encoder_attn.out_proj", "fc2", "final_layer_norm")
_LLAMA = _Layer("self_attn.o_proj", None, "mlp", "", normed=False)

LAYERS: dict[str, _Layer] = {
    **dict.fromkeys(("BertLayer", "RobertaLayer", "ElectraLayer", "CamembertLayer", "XLMRobertaLayer"), _BERT),
    **dict.fromkeys(("BartEncoderLayer", "BartDecoderLayer", "MarianEncoderLayer", "MarianDecoderLayer"), _BART),
    **dict.fromkeys(("LlamaDecoderLayer", "MistralDecoderLayer", "Qwen2DecoderLayer", "Qwen3DecoderLayer"), _LLAMA),
    "TransformerBlock": _Layer("attention.out_lin", None, "ffn.dropout", "output_layer_norm"),  # DistilBERT
    "GPT2Block": _Layer("attn.resid_dropout", None, "mlp.dropout", "", normed=False),
    "T5LayerSelfAttention": _Layer(attention="dropout"),
    "T5LayerCrossAttention": _Layer(cross="dropout"),
    "T5LayerFF": _Layer(feedforward="dropout", end="", normed=False),
}
"""The known layers by the name of their class in transformers."""


def add_adapters(backbone: nn.Module, width: int, shape: Bottleneck, *places: str) -> list[nn.Parameter]:
    """Hang an adapter in each of `places` ("attention", "cross", "feedforward", "end") of every layer that has it.

    Returns the parameters of all of them.

    Raises UnsupportedError for an architecture whose layers are not known.
    """
    found = [(module, LAYERS[kind]) for module in backbone.modules() if (kind := type(module).__name__) in LAYERS]
    if not found:
        raise UnsupportedError(f"no sublayers are known for {type(backbone).__name__}, so adapters have no place in it")
    added: list[nn.Parameter] = []
    for module, layer in found:
        for place in places:
            path = getattr(layer, place)
            if path is not None and _has(module, path):
                adapter = Adapter(width, shape)
                _hang(module.get_submodule(path), adapter, before=place == "end" and layer.normed)
                added += adapter.parameters()
    return added


def _has(module: nn.Module, path: str) -> bool:
    """Whether the layer has that sublayer: BERT's has cross-attention in a decoder only."""
    return hasattr(module, path.split(".")[0]) if path else True


def _hang(module: nn.Module, adapter: Adapter, *, before: bool) -> None:
    device = next((p.device for p in module.parameters()), None)
    module.add_module("adapter", adapter if device is None else adapter.to(device))
    module.register_forward_hook(_before_norm if before else _after)


def _after(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    """What the module gives, changed by its adapter."""
    return output + cast(Tensor, cast(Any, module).adapter(output))


def _before_norm(norm: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    """The norm of its input changed by the adapter, which reads the norm of the plain input."""
    return cast(Tensor, norm.forward(inputs[0] + cast(Any, norm).adapter(output)))
