"""An answer written as text, token by token: natively, by two encoders, or after a prompt.

Knows tokens and networks; what a text says of a row is for `bench.learn.forms`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional

from bench.learn.batch import Batch, Encoded, Example, collate, here, places
from bench.learn.checkpoint import load_generator
from bench.learn.forms import Read, form_of
from bench.learn.heads.base import HeadLogic, free_positions
from bench.learn.network import Network
from bench.learn.writing import write
from bench.learner import Assignment, Prediction
from bench.spec import Family, Rows

SLACK = 4
"""Tokens that an output may be longer than the longest training target before it is stopped and counted as capped."""

TOGETHER = 32
"""The targets of a batch are filled up to a multiple of this number by some that are not learnt.

The vocabulary's product is the largest of a step: of ever other sizes, each needs a kernel and memory of its own.
"""

CUE = " answer:"
"""Stands before the target of a decoder where the task has no cue of its own."""


class Generate(HeadLogic):
    """The target given the input, greedily decoded; for every task whose answers have a form in texts.

    Encoder-decoders read the input and write the target. Decoders read `input cue target` and learn the target only
    (Radford et al. 2019); their prompts are padded on the left when they write.
    """

    writes = True

    def __init__(self, assignment: Assignment, tokenizer: Any) -> None:
        super().__init__(assignment, tokenizer)
        self.also_here.add("labels")
        self.stop = tokenizer.sep_token_id if self.model.family is Family.ENCODER else tokenizer.eos_token_id
        self.form = form_of(assignment, functools.cache(self._spelt))
        self.cue = (self.task.cue or CUE) if self.decoder else ""
        self.output_tokens = self.task.output_tokens or self.task.input_tokens
        """Most tokens of a target: the task's limit, else that of an input, which an answer about it seldom exceeds."""
        self.cap: int = assignment.facts.get("cap") or self._cap(assignment.train)
        """Most tokens that an output may have."""

    def _cap(self, rows: Rows) -> int:
        targets, _ = self._targets([*self.form.possible, *map(self.form.target, rows)])
        return min(self.output_tokens, max(map(len, targets)) + SLACK)

    @property
    def facts(self) -> Mapping[str, Any]:
        return {"cap": self.cap}

    def fit_to(self, network: Network) -> None:
        """Heed how many positions the network has; in a decoder input, cue and output share them."""
        self.positions = limit = free_positions(network)
        if limit is not None:
            spare = self.cap + len(self._cue_ids) if self.decoder else 0
            self.input_tokens = min(self.input_tokens, limit - spare)

    def build(self, *, pretrained: bool) -> Network:
        backbone, fresh = load_generator(self.model, self.assignment.revision, self.tokenizer, pretrained=pretrained)
        return Network(backbone, self.model.family, None, sorted(fresh))

    @property
    def _cue_ids(self) -> list[int]:
        ids: list[int] = self.tokenizer(self.cue, add_special_tokens=False)["input_ids"] if self.cue else []
        return ids

    def encode(self, rows: Rows, *, targets: bool) -> Encoded:
        """Counted as truncated: rows of which input or target is cut, or whose target is not read as their answer."""
        sources, truncated = self._sources(rows)
        examples: list[dict[str, Any]] = [{"ids": ids} for ids in sources]
        if targets:
            answers, shortened = self._targets([self.form.target(row) for row in rows])
            lost = [not self.form.returns(row) for row in rows]
            truncated = [any(causes) for causes in zip(truncated, shortened, lost, strict=True)]
            for example, target in zip(examples, answers, strict=True):
                if self.decoder:
                    example["labels"] = [-100] * len(example["ids"]) + target
                    example["ids"] = example["ids"] + target
                else:
                    example["labels"] = target
        return Encoded(examples, range(len(rows)), len(rows), sum(truncated), rows)

    def _sources(self, rows: Rows) -> tuple[list[list[int]], list[bool]]:
        """Each input as tokens, and whether it had to be cut."""
        texts = [self.form.source(row) for row in rows]
        limit = self.input_tokens
        whole = self.tokenizer(texts, return_attention_mask=False)["input_ids"]
        cut = self.tokenizer(texts, truncation=True, max_length=limit, return_attention_mask=False)["input_ids"]
        truncated = [len(a) > len(b) for a, b in zip(whole, cut, strict=True)]
        return [ids + self._cue_ids for ids in cut], truncated

    def _targets(self, texts: Sequence[str]) -> tuple[list[list[int]], list[bool]]:
        """Each target as tokens, and whether it had to be cut: then no stop token tells the model to end there."""
        tokens = self.tokenizer([self._lead + text for text in texts], add_special_tokens=False)["input_ids"]
        whole = [[*ids, self.stop] for ids in tokens]
        limit = self.output_tokens
        return [ids[:limit] for ids in whole], [len(ids) > limit for ids in whole]

    @property
    def _lead(self) -> str:
        """A left-to-right tokenizer takes the space before a word for its part."""
        return " " if self.decoder else ""

    def _spelt(self, text: str) -> str:
        """The text as it is read back from its tokens."""
        return self._texts([self.tokenizer(self._lead + text, add_special_tokens=False)["input_ids"]])[0]

    def _texts(self, ids: Sequence[Sequence[int]]) -> list[str]:
        texts: list[str] = self.tokenizer.batch_decode(ids, skip_special_tokens=True)
        return [text.strip() for text in texts]

    def features(self, network: Network, batch: Batch) -> Tensor:
        """Hidden states (rows, tokens, width) that the vocabulary projection reads, the targets being known."""
        inputs = network.inputs(batch)
        if not self.decoder:
            shifted = network.shifted(batch["labels"])
            inputs["decoder_input_ids"] = shifted.masked_fill(shifted == -100, self.tokenizer.pad_token_id)
        with network.without_projection():
            states = cast(Tensor, network.backbone(**inputs, use_cache=False).logits)
        return states[:, len(network.lead) :] if self.decoder else states

    def loss(self, network: Network, features: Tensor, batch: Batch) -> Tensor:
        labels = batch["labels"]
        if self.decoder:
            features, labels = features[:, :-1], labels[:, 1:]
        real = places(self._real(batch), features.device)
        short = -len(real[0]) % TOGETHER
        filled = tuple(functional.pad(each, (0, short)) for each in real)
        learnt = functional.pad(labels[real], (0, short), value=-100)
        return functional.cross_entropy(network.projection()(features[filled]).float(), learnt)

    def targets(self, batch: Batch) -> int:
        return int(self._real(batch).sum())

    def _real(self, batch: Batch) -> Tensor:
        """Which labels are learnt, on the processor; a decoder learns none at its first token."""
        labels = batch[here("labels")]
        return (labels[:, 1:] if self.decoder else labels) != -100

    def answers(self, network: Network, features: Tensor, batch: Batch) -> list[Any]:
        raise NotImplementedError("a text is written token by token, not read off known targets: use predict")

    def predict(self, network: Network, examples: Sequence[Example], device: torch.device) -> list[Any]:
        """The written token ids of each example, greedily, up to the stop token or the cap."""
        lead = list(network.lead)
        inputs = [{"ids": lead + e["ids"]} for e in examples]  # after the padding on the left, not before it
        limit = None if self.positions is None else len(lead) + self.positions - (self.cap if self.decoder else 0)
        batch = collate(inputs, self.fills, device, left=self.decoder, limit=limit)
        written = write(network, batch, stop=self.stop, pad=self.tokenizer.pad_token_id, cap=self.cap)
        return [self._cut(ids) for ids in written.tolist()]

    def _cut(self, ids: list[int]) -> tuple[list[int], bool]:
        """The tokens before the stop token, and whether there was none."""
        return (ids[: ids.index(self.stop)], False) if self.stop in ids else (ids, True)

    def decode(self, raw: Sequence[Any], encoded: Encoded) -> list[Prediction]:
        return [read.prediction for read in self._read(raw, encoded)]

    def _read(self, raw: Sequence[Any], encoded: Encoded) -> list[Read]:
        texts = self._texts([ids for ids, _ in raw])
        return [self.form.read(text, row) for text, row in zip(texts, encoded.notes, strict=True)]

    def capped(self, raw: Sequence[Any]) -> int:
        """Outputs that were stopped by the cap, not by the model."""
        return sum(cut for _, cut in raw)

    def invalid(self, raw: Sequence[Any], encoded: Encoded) -> int:
        """Written texts that are no answer, or in part none."""
        return sum(not read.valid for read in self._read(raw, encoded))
