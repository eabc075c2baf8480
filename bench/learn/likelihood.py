"""How likely a network finds an answer in its place: sums of log-probabilities of the answer's tokens.

One way for each family: masked, left to right, and as the target of an encoder-decoder. Every way is the chain rule,
each token given those of the answer before it and none after. Knows networks and token ids; knows no task.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from bench.learn.batch import Batch, collate
from bench.learn.memory import Room
from bench.learn.network import Network
from bench.learn.wording import Question

SENTINELS = ("<extra_id_0>", "<extra_id_1>")
"""What stands for the first missing span, and what ends it, in models that learnt by span corruption."""


@dataclass(frozen=True)
class Probe:
    """One token of an answer: it is read at `position` of what the network makes of `ids` (or writes, of `target`)."""

    ids: tuple[int, ...]
    target: tuple[int, ...]
    position: int
    token: int


@dataclass(frozen=True)
class Specials:
    """The tokenizer's marks: before and after every input, for a missing word, and for a missing span and its end."""

    lead: tuple[int, ...]
    tail: tuple[int, ...]
    mask: int | None
    gap: int | None
    gap_end: int | None

    @staticmethod
    def of(tokenizer: Any) -> Specials:
        """As the tokenizer puts them around a word."""
        (word, *_) = tokenizer("a", add_special_tokens=False)["input_ids"]
        whole = tokenizer("a")["input_ids"]
        at = whole.index(word)
        rest = len(tokenizer("a", add_special_tokens=False)["input_ids"])
        known = tokenizer.get_vocab()
        gap, gap_end = (known.get(sentinel) for sentinel in SENTINELS)
        return Specials(tuple(whole[:at]), tuple(whole[at + rest :]), tokenizer.mask_token_id, gap, gap_end)


def masked(question: Question, answer: Sequence[int], marks: Specials) -> list[Probe]:
    """A mask for each token; one is read at a time, those before it known, those after it masked.

    Pseudo-log-likelihood (Salazar et al. 2020) with the rest of the word masked too (Kauf and Ivanova 2023), since a
    piece of a word is no surprise beside the others.
    """
    assert marks.mask is not None
    probes = []
    for i, token in enumerate(answer):
        filled = (*answer[:i], *[marks.mask] * (len(answer) - i))
        ids = (*marks.lead, *question.before, *filled, *question.after, *marks.tail)
        probes.append(Probe(ids, (), len(marks.lead) + len(question.before) + i, token))
    return probes


def causal(question: Question, answer: Sequence[int], start: int) -> list[Probe]:
    """Each token after the question and the tokens before it (Radford et al. 2019); what follows cannot be seen."""
    before = question.before or (start,)
    ids = (*before, *answer[:-1])
    return [Probe(ids, (), len(before) - 1 + i, token) for i, token in enumerate(answer)]


def seq2seq(question: Question, answer: Sequence[int], marks: Specials, start: int, *, gap: bool) -> list[Probe]:
    """The answer as what the decoder writes: with `gap`, as the span that a sentinel stands for in the input."""
    ids, lead = asked(question, marks, start, gap=gap)
    target = (*lead, *answer[:-1])
    return [Probe(ids, target, len(lead) - 1 + i, token) for i, token in enumerate(answer)]


def asked(question: Question, marks: Specials, start: int, *, gap: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What the encoder reads, and what the decoder has written before the answer."""
    if not gap:
        return (*question.before, *marks.tail), (start,)
    assert marks.gap is not None
    return (*question.before, marks.gap, *question.after, *marks.tail), (start, marks.gap)


def log_probabilities(
    network: Network, probes: Iterable[Probe], pad: int, device: torch.device, limit: int | None, room: Room
) -> dict[Probe, float]:
    """The natural logarithm of each probe's probability. A context that several share is read once."""
    contexts: dict[tuple[tuple[int, ...], tuple[int, ...]], list[Probe]] = {}
    for probe in dict.fromkeys(probes):
        contexts.setdefault((probe.ids, probe.target), []).append(probe)
    each = list(contexts)
    found: dict[Probe, float] = {}

    def read(members: list[int]) -> None:
        chosen = [each[i] for i in members]
        asked_here = [(row, probe) for row, context in enumerate(chosen) for probe in contexts[context]]
        states = _states(network, chosen, pad, device, limit)
        picked = states[[row for row, _ in asked_here], [probe.position for _, probe in asked_here]]
        logs = network.projection()(picked).float().log_softmax(-1)
        values = logs[range(len(asked_here)), [probe.token for _, probe in asked_here]].tolist()
        found.update(zip((probe for _, probe in asked_here), values, strict=True))

    room.each([len(ids) for ids, _ in each], read)
    return found


def _states(
    network: Network,
    contexts: Sequence[tuple[tuple[int, ...], tuple[int, ...]]],
    pad: int,
    device: torch.device,
    limit: int | None,
) -> Tensor:
    """What the vocabulary projection reads (rows, tokens, width)."""
    batch = _padded([ids for ids, _ in contexts], pad, device, limit)
    inputs = {"input_ids": batch["ids"], "attention_mask": batch["mask"]}
    if contexts[0][1]:
        inputs["decoder_input_ids"] = _padded([target for _, target in contexts], pad, device, None)["ids"]
    with network.without_projection():
        return cast(Tensor, network.backbone(**inputs).logits)


def _padded(sequences: Sequence[tuple[int, ...]], pad: int, device: torch.device, limit: int | None) -> Batch:
    return collate([{"ids": list(ids)} for ids in sequences], {"ids": pad}, device, limit=limit)
