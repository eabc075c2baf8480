"""A backbone with what turns its hidden states into answers, and the handles by which methods take hold of it.

Knows no task, no data and no method.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from bench.errors import UnsupportedError
from bench.learn.batch import Batch
from bench.record import Parameters
from bench.spec import Family

FLOAT_BYTES = 4
"""Size of a stored number: parameters are kept in float32."""


class Network(nn.Module):
    """A backbone and its task head.

    For classify, tag and span, `head` maps hidden states (..., width) to scores (..., answers) and is new to every
    checkpoint. For generation, `backbone` is a whole network that writes text and `head` is its vocabulary projection.
    `fresh` names the parameters (of this module's `named_parameters`) that the checkpoint did not contain. `rereads`
    says that below the head a decoder reads the input a second time, beside what the encoder made of it.

    Raises UnsupportedError for a decoder whose configuration does not say what it reads first.
    """

    def __init__(
        self,
        backbone: nn.Module,
        family: Family,
        head: nn.Module | None,
        fresh: Sequence[str] = (),
        *,
        rereads: bool = False,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.family = family
        self.head = head
        self.fresh = frozenset(f"backbone.{name}" for name in fresh)
        self.rereads = rereads
        if self.decodes:
            _check_start(self.config)
        self.soft: nn.Module | None = None
        """What makes the prompt or the prefixes of a soft-prompt method (`bench.learn.soft`, `bench.learn.prefix`)."""
        self.lead: tuple[int, ...] = ()
        """Ids of the virtual tokens that stand before every input: one number after another."""

    @property
    def config(self) -> Any:
        """The configuration of the backbone."""
        return self.backbone.config

    @property
    def width(self) -> int:
        """Hidden size."""
        config = self.config
        return int(getattr(config, "hidden_size", None) or config.encoder.hidden_size)

    @property
    def decodes(self) -> bool:
        """Whether the backbone is an encoder and a decoder, so that it must be told what the decoder reads."""
        return self.rereads or (self.head is None and bool(self.config.is_encoder_decoder))

    @property
    def gpus(self) -> list[int]:
        """The numbers of the GPUs that it lies on."""
        return sorted({p.device.index for p in self.parameters() if p.device.type == "cuda"})

    def reset(self) -> None:
        """Draw the task head's parameters anew from the current seed: N(0, 0.02), as BERT's initialisation has it."""
        if isinstance(self.head, nn.Linear):
            nn.init.normal_(self.head.weight, std=0.02)
            nn.init.zeros_(self.head.bias)

    def hidden(self, batch: Batch) -> Tensor:
        """Last hidden states (rows, tokens, width) of `ids` under `mask`; those of virtual tokens are cut off.

        A decoder that rereads the input does so without virtual tokens, one token behind, as it was pretrained.
        """
        inputs: dict[str, Any] = {**self.inputs(batch)}
        if self.rereads:
            inputs["decoder_input_ids"] = self.shifted(batch["ids"])
        if self.rereads or self.family is Family.DECODER:
            inputs["use_cache"] = False
        states = cast(Tensor, self.backbone(**inputs).last_hidden_state)
        return states if self.rereads else states[:, len(self.lead) :]

    def shifted(self, tokens: Tensor) -> Tensor:
        """What a decoder reads where it stands for `tokens` (rows, tokens): its start token, then all but the last."""
        return torch.cat([torch.full_like(tokens[:, :1], self.start), tokens[:, :-1]], dim=1)

    @property
    def start(self) -> int:
        """The token that the decoder of an encoder-decoder reads first."""
        return int(self.config.decoder_start_token_id)

    def inputs(self, batch: Batch) -> dict[str, Tensor]:
        """What the backbone reads of a batch that is padded on the right, with virtual tokens before it."""
        inputs = {"input_ids": _before(batch["ids"], self.lead), "attention_mask": _before(batch["mask"], self.lead, 1)}
        if "types" in batch:
            inputs["token_type_ids"] = _before(batch["types"], self.lead, 0)
        return inputs

    def projection(self) -> nn.Linear:
        """The vocabulary projection of a network that writes text."""
        return cast(nn.Linear, cast(Any, self.backbone).get_output_embeddings())

    @contextlib.contextmanager
    def without_projection(self) -> Iterator[None]:
        """Within, the network's `logits` are what its vocabulary projection would have read.

        The projection is the dearest part of a small model, and is needed at target positions only.
        """
        projection = self.projection()
        projection.forward = _same  # type: ignore[method-assign, assignment]
        try:
            yield
        finally:
            del projection.forward

    def untie(self) -> None:
        """Give the vocabulary projection weights of its own where it shares them with the input embeddings."""
        projection = self.projection()
        projection.weight = nn.Parameter(projection.weight.detach().clone())

    def head_parameters(self) -> dict[str, nn.Parameter]:
        """The task's own parameters by name: the head, the vocabulary projection once untied, all that is fresh."""
        own = {id(p) for p in self.head.parameters()} if self.head is not None else self._untied()
        return {n: p for n, p in self.named_parameters() if id(p) in own or n in self.fresh}

    def train_only(self, parameters: Iterable[nn.Parameter]) -> None:
        """Let these train and the task's own, and nothing else."""
        self.requires_grad_(False)
        for parameter in parameters:
            parameter.requires_grad_(True)
        self.train_head()

    def train_head(self) -> None:
        """Let the task's own parameters train."""
        for parameter in self.head_parameters().values():
            parameter.requires_grad_(True)

    def _untied(self) -> set[int]:
        projection = self.projection()
        inputs = [m.weight for m in self.embeddings() if isinstance(m, nn.Embedding)]
        return set() if any(projection.weight is w for w in inputs) else {id(p) for p in projection.parameters()}

    def stacks(self) -> list[nn.ModuleList]:
        """The stacks of layers, lowest layer first: one, or an encoder's and a decoder's."""
        return [m for m in self.backbone.modules() if isinstance(m, nn.ModuleList) and _is_stack(m)]

    def embeddings(self) -> Iterator[nn.Module]:
        """Every module below the first layers: token, position and type embeddings and what normalises them."""
        inside = {id(m) for stack in self.stacks() for m in stack.modules()}
        for name, module in self.backbone.named_modules():
            if id(module) not in inside and _is_embedding(name, module):
                yield module


def _before(entries: Tensor, lead: Sequence[int], value: int | None = None) -> Tensor:
    """`entries` (rows, tokens) with the ids of `lead`, or as many times `value`, before each row."""
    if not lead:
        return entries
    if value is None:  # they follow one another, and are made on the device rather than sent there
        row = torch.arange(lead[0], lead[-1] + 1, dtype=entries.dtype, device=entries.device)
    else:
        row = entries.new_full((len(lead),), value)
    return torch.cat([row.expand(len(entries), -1), entries], dim=1)


def _check_start(config: Any) -> None:
    """A T5 that was configured from nothing lacks it, and would fail in its first loss."""
    if getattr(config, "decoder_start_token_id", None) is None:
        raise UnsupportedError(
            f"the checkpoint's config.json (model type {config.model_type!r}) has no decoder_start_token_id, which its "
            "decoder reads first. Add it: for T5 it is pad_token_id."
        )


def _same(hidden: Tensor) -> Tensor:
    return hidden


def _is_stack(module: nn.ModuleList) -> bool:
    """A list of whole layers, each with attention inside (the parts of one T5 layer are a list too)."""
    parts = any(_is_attention(child) for child in module)
    return not parts and any(_is_attention(inner) for child in module for inner in child.modules())


def _is_attention(module: nn.Module) -> bool:
    return "attention" in type(module).__name__.lower()


def _is_embedding(name: str, module: nn.Module) -> bool:
    return isinstance(module, nn.Embedding) or name.endswith(("embeddings.LayerNorm", "layernorm_embedding"))


def train_mode(network: Network) -> None:
    """Training mode where something trains; what is frozen runs as it does in prediction, without dropout.

    This makes frozen parts a fixed function, so that computing them once is the same as computing them every step.
    """
    network.eval()
    for module in network.modules():
        if any(p.requires_grad for p in module.parameters(recurse=False)):
            module.train()
    _train_dropout_beside(network)


def _train_dropout_beside(network: nn.Module) -> None:
    """Dropout has no parameters of its own: it is on where its parent module holds something that trains."""
    for module in network.modules():
        if any(p.requires_grad for p in module.parameters()):
            module.training = True
            for child in module.children():
                if not any(True for _ in child.parameters()):
                    child.train()


def count(network: Network) -> Parameters:
    """Parameter counts of a network to which a method has been applied; shared tensors count once.

    What only makes a soft prompt while it trains is not stored, but what it makes is.
    """
    head = {id(p) for p in network.head_parameters().values()}
    trainable = [p for p in network.parameters() if p.requires_grad]
    in_head = sum(p.numel() for p in trainable if id(p) in head)
    every = sum(p.numel() for p in trainable)
    maker = network.soft if getattr(network.soft, "reparametrised", False) else None
    made = set() if maker is None else {id(p) for p in maker.parameters()}
    stored = sum(p.numel() * p.element_size() for p in trainable if id(p) not in made)
    return Parameters(
        trainable=every,
        method=every - in_head,
        head=in_head,
        total=sum(p.numel() for p in network.parameters()),
        stored_bytes=stored + (0 if maker is None else cast(Any, maker).kept * FLOAT_BYTES),
        reparametrisation=sum(p.numel() for p in trainable if id(p) in made),
    )


def trained_state(network: Network, names: Collection[str] | None = None) -> dict[str, Tensor]:
    """A copy of the tensors that train, or of those in `names`, by name."""
    return {
        n: p.detach().clone()
        for n, p in network.named_parameters()
        if (p.requires_grad if names is None else n in names)
    }


@torch.no_grad()
def restore(network: Network, state: dict[str, Tensor]) -> None:
    """Put back what `trained_state` copied."""
    for name, parameter in network.named_parameters():
        if name in state:
            parameter.copy_(state[name])
