"""What the mini models learn from plain text: batches in which tokens are missing, and the loss on those tokens.

Knows tensors and token numbers; knows nothing of texts, files or schedules. Every batch is a function of its documents
and of the random generator that is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.learn.recipes import Recipe
from bench.spec import Family

Ids = NDArray[np.int64]
Documents = Sequence[Sequence[int]]


PREFIX = (0.2, 0.8)
"""The share of a document that is its beginning, where the rest is to be written."""


@dataclass(frozen=True)
class Batch:
    """One step's input, and what is to be predicted.

    `inputs` and `attention` are (documents, tokens), but `attention` is (1, 1, tokens, tokens), to be added to scores,
    where tokens see only what stands to their left; `decoder_inputs` (documents, target tokens) or None. `positions`
    are the places in the flattened last hidden states (of the decoder, where there is one) from which `labels` are
    predicted: both (predictions,).
    """

    inputs: Tensor
    attention: Tensor
    decoder_inputs: Tensor | None
    positions: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch on `device`."""
        target = self.decoder_inputs
        return Batch(
            self.inputs.to(device),
            self.attention.to(device),
            None if target is None else target.to(device),
            self.positions.to(device),
            self.labels.to(device),
        )


@dataclass(frozen=True)
class Vocabulary:
    """The token numbers that objectives need. `starts_word` and `ends_sentence` are (vocabulary,): whether a token
    begins a word, or ends a sentence; `sentinels` stand for the first, second, ... span that is missing."""

    size: int
    pad: int
    end: int
    mask: int
    special: NDArray[np.bool_]
    starts_word: NDArray[np.bool_]
    ends_sentence: NDArray[np.bool_]
    sentinels: tuple[int, ...]


def vocabulary_of(tokenizer: Any) -> Vocabulary:
    """Read off a fast tokenizer what objectives need; a model without a mask token has `mask` -1."""
    size = len(tokenizer)
    tokens = tokenizer.convert_ids_to_tokens(list(range(size)))
    special = np.zeros(size, bool)
    special[tokenizer.all_special_ids] = True
    sentinels = sorted((t for t in tokens if t.startswith("<extra_id_")), key=lambda t: int(t[10:-1]))
    return Vocabulary(
        size=size,
        pad=tokenizer.pad_token_id,
        end=tokenizer.sep_token_id if tokenizer.eos_token_id is None else tokenizer.eos_token_id,
        mask=-1 if tokenizer.mask_token_id is None else tokenizer.mask_token_id,
        special=special,
        starts_word=np.array([not token.startswith("##") for token in tokens]),
        ends_sentence=np.array([token.endswith((".", "?", "!", ";")) for token in tokens]),
        sentinels=tuple(tokenizer.convert_tokens_to_ids(sentinels)),
    )


def make_batch(
    recipe: Recipe, words: Vocabulary, documents: Documents, rng: np.random.Generator, *, onward: bool = False
) -> Batch:
    """The batch of the recipe's family: masked words, next tokens, or missing spans.

    `onward` asks every family to read on from left to right: an encoder under a left-to-right mask, an encoder-decoder
    from a beginning to its continuation.
    """
    if recipe.family is Family.ENCODER:
        return onward_batch(documents, words) if onward else masked_batch(documents, words, rng, recipe.mask_share)
    if recipe.family is Family.DECODER:
        return causal_batch(documents, words)
    if onward:
        return continuation_batch(documents, words, rng)
    return span_batch(documents, words, rng, recipe.mask_share, recipe.span)


def padded(documents: Documents, pad: int) -> tuple[Ids, NDArray[np.bool_]]:
    """Documents side by side, padded on the right, and which places hold a token: both (documents, longest)."""
    width = max(map(len, documents))
    ids = np.full((len(documents), width), pad, np.int64)
    for row, document in zip(ids, documents, strict=True):
        row[: len(document)] = document
    return ids, np.arange(width) < np.array([[len(document)] for document in documents])


def masked_batch(documents: Documents, words: Vocabulary, rng: np.random.Generator, share: float) -> Batch:
    """Masked language modelling (Devlin et al. 2019) over whole words.

    A share of the words is chosen; of their tokens 80% become [MASK], 10% a random ordinary token, 10% stay. Whole
    words, because a piece is easily told from its neighbours, which would teach spelling in place of meaning.
    """
    ids, real = padded(documents, words.pad)
    ordinary = real & ~words.special[ids]
    word = np.cumsum(words.starts_word[ids], axis=1, dtype=np.int64)
    chosen = ordinary & (np.take_along_axis(rng.random((len(ids), ids.shape[1] + 1)), word, axis=1) < share)
    if not chosen.any():
        chosen.flat[np.flatnonzero(ordinary)[:1]] = True
    fate = rng.random(ids.shape)
    inputs = np.where(chosen & (fate < 0.8), words.mask, ids)
    random_token = rng.choice(np.flatnonzero(~words.special), ids.shape)
    inputs = np.where(chosen & (fate >= 0.8) & (fate < 0.9), random_token, inputs)
    return _batch(inputs, real, None, chosen, ids)


def causal_batch(documents: Documents, words: Vocabulary) -> Batch:
    """Predict every token from those before it (Radford et al. 2019); nothing random."""
    ids, real = padded(documents, words.pad)
    return _batch(ids[:, :-1], real[:, :-1], None, real[:, 1:], ids[:, 1:])


def onward_batch(documents: Documents, words: Vocabulary) -> Batch:
    """Predict every token from those before it with an encoder, as UniLM does in part (Dong et al. 2019)."""
    batch = causal_batch(documents, words)
    tokens = batch.inputs.shape[1]
    unseen = torch.full((1, 1, tokens, tokens), torch.finfo(torch.float32).min).triu(1)
    return replace(batch, attention=unseen)


def continuation_batch(documents: Documents, words: Vocabulary, rng: np.random.Generator) -> Batch:
    """The encoder reads the beginning of each document, the decoder writes the rest (prefix language modelling:
    Raffel et al. 2020; sequential denoising: Tay et al. 2023, UL2). One random share for the whole batch saves padding.
    """
    share = rng.uniform(*PREFIX)
    cuts = [min(len(document) - 1, max(1, round(share * len(document)))) for document in documents]
    return _pair_batch(
        [[*document[:cut], words.end] for document, cut in zip(documents, cuts, strict=True)],
        [[*document[cut:], words.end] for document, cut in zip(documents, cuts, strict=True)],
        words,
    )


def span_batch(
    documents: Documents, words: Vocabulary, rng: np.random.Generator, share: float, mean_span: float
) -> Batch:
    """Span corruption (Raffel et al. 2020): sentinels stand in for spans; the target lists each one and its span."""
    pairs = [_without_spans(document, words, rng, share, mean_span) for document in documents]
    return _pair_batch([source for source, _ in pairs], [target for _, target in pairs], words)


def _pair_batch(sources: Documents, wanted_texts: Documents, words: Vocabulary) -> Batch:
    inputs, real = padded(sources, words.pad)
    targets, wanted = padded(wanted_texts, words.pad)
    shifted = np.concatenate([np.full((len(targets), 1), words.pad), targets[:, :-1]], axis=1)
    return _batch(inputs, real, shifted, wanted, targets)


def _without_spans(
    document: Sequence[int], words: Vocabulary, rng: np.random.Generator, share: float, mean_span: float
) -> tuple[list[int], list[int]]:
    missing, spans = _span_counts(len(document), len(words.sentinels) - 1, share, mean_span)
    gaps = _split(missing, spans, rng)
    # The first and the last stretch may be empty: an answer often ends the document, and must be missing sometimes.
    kept = _split(len(document) - missing + 2, spans + 1, rng)
    kept[0] -= 1
    source, target, at = list(document[: kept[0]]), [], kept[0]
    for sentinel, gap, stretch in zip(words.sentinels, gaps, kept[1:], strict=False):
        target += [sentinel, *document[at : at + gap]]
        source += [sentinel, *document[at + gap : at + gap + stretch]]
        at += gap + stretch
    return [*source, words.end], [*target, words.sentinels[spans], words.end]


def _span_counts(length: int, most: int, share: float, mean_span: float) -> tuple[int, int]:
    """How many tokens are missing (at least one, never all of several), in how many spans."""
    missing = max(1, min(length - 1, round(length * share)))
    return missing, max(1, min(most, missing, length - missing + 1, round(missing / mean_span)))


def _split(total: int, parts: int, rng: np.random.Generator) -> list[int]:
    """`total` into `parts` positive numbers, every way equally likely."""
    cuts = np.sort(rng.choice(total - 1, parts - 1, replace=False)) + 1
    return [int(n) for n in np.diff(np.concatenate([[0], cuts, [total]]))]


def _batch(inputs: Ids, real: NDArray[np.bool_], shifted: Ids | None, wanted: NDArray[np.bool_], answers: Ids) -> Batch:
    return Batch(
        inputs=torch.from_numpy(np.ascontiguousarray(inputs)),
        attention=torch.from_numpy(real.astype(np.int64)),
        decoder_inputs=None if shifted is None else torch.from_numpy(shifted),
        positions=torch.from_numpy(np.flatnonzero(wanted)),
        labels=torch.from_numpy(answers[wanted]),
    )


def predictions(network: Any, family: Family, batch: Batch) -> tuple[Tensor, Tensor, Tensor | None]:
    """Hidden states at the batch's positions only (predictions, hidden), and the projection's weight and bias.

    The projection onto the vocabulary is the largest product of a small model: it is computed where a token is asked.
    """
    if family is Family.ENCODER:
        states = network.bert(batch.inputs, attention_mask=batch.attention).last_hidden_state
        head = network.cls.predictions
        return head.transform(states.flatten(0, 1)[batch.positions]), head.decoder.weight, head.decoder.bias
    if family is Family.DECODER:
        # Padding is on the right and attention looks left: no mask is needed, and none is faster.
        states = network.transformer(batch.inputs).last_hidden_state
        return states.flatten(0, 1)[batch.positions], network.lm_head.weight, None
    source = network.encoder(batch.inputs, attention_mask=batch.attention).last_hidden_state
    states = network.decoder(
        batch.decoder_inputs, encoder_hidden_states=source, encoder_attention_mask=batch.attention, use_cache=False
    ).last_hidden_state
    scale = network.config.d_model**-0.5  # T5 ties its embeddings and shrinks the states before projecting
    return states.flatten(0, 1)[batch.positions] * scale, network.lm_head.weight, None


class _ProjectedCrossEntropy(torch.autograd.Function):
    """Mean cross-entropy of `softmax(hidden @ weight.T + bias)`, in slices, with the gradient made on the way.

    Keeping a slice of logits in the processor's cache and never storing them for a backward pass is half the time of a
    causal step at this size. The idea is that of fused linear cross-entropy (Hsu et al. 2024, Liger Kernel).
    """

    SLICE = 256

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor) -> Tensor:
        table = weight.to(hidden.dtype)
        d_hidden, d_weight = torch.empty_like(hidden), torch.zeros_like(weight)
        d_bias = None if bias is None else torch.zeros_like(bias)
        total = hidden.new_zeros((), dtype=torch.float32)
        for part in range(0, len(hidden), _ProjectedCrossEntropy.SLICE):
            rows = slice(part, part + _ProjectedCrossEntropy.SLICE)
            logits = torch.nn.functional.linear(hidden[rows], table, None if bias is None else bias.to(hidden.dtype))
            chances, answer = torch.softmax(logits, 1), labels[rows, None]
            right = chances.gather(1, answer).float()
            total -= right.clamp_min(1e-30).log().sum()
            error = chances.scatter_(1, answer, (right - 1).to(chances.dtype))
            d_hidden[rows] = error @ table
            d_weight += error.T @ hidden[rows]
            if d_bias is not None:
                d_bias += error.sum(0, dtype=torch.float32)
        ctx.save_for_backward(d_hidden, d_weight, d_bias)
        return total / len(hidden)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        d_hidden, d_weight, d_bias = ctx.saved_tensors
        scale = gradients[0] / len(d_hidden)
        return d_hidden * scale, d_weight * scale, None if d_bias is None else d_bias * scale, None


def projected_cross_entropy(hidden: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor) -> Tensor:
    """Mean cross-entropy (nats) of `labels` (n,) under logits `hidden` (n, d) @ `weight` (v, d).T + `bias` (v,)."""
    loss: Tensor = _ProjectedCrossEntropy.apply(hidden, weight, bias, labels)  # type: ignore[no-untyped-call]
    return loss
