"""Batches in which tokens are missing, and the loss on those tokens."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bench.learn import contrast, objectives
from bench.learn.objectives import Vocabulary
from bench.learn.recipes import Recipe, build_network
from bench.learn.tokenizers import train_tokenizer
from bench.spec import Family

torch.set_num_threads(1)

PAD, UNKNOWN, CLS, SEP, MASK = range(5)
SENTINELS = tuple(range(90, 98))
TEXTS = ["the cat sat on the mat, quietly.", "a dog ran after the red ball", "rating: two stars out of five."] * 5


STOP = 50
"""The token that ends a sentence."""


def words(*, continuing: tuple[int, ...] = ()) -> Vocabulary:
    """A vocabulary of 100: five special tokens, ordinary ones, sentinels at 90-97."""
    special, starts = np.zeros(100, bool), np.ones(100, bool)
    special[[PAD, UNKNOWN, CLS, SEP, MASK, *SENTINELS]] = True
    starts[list(continuing)] = False
    ends = np.zeros(100, bool)
    ends[STOP] = True
    return Vocabulary(100, PAD, SEP, MASK, special, starts, ends, SENTINELS)


def documents(count: int = 200, length: int = 40) -> list[list[int]]:
    rng = np.random.default_rng(0)
    return [[CLS, *map(int, rng.integers(10, 90, length - int(rng.integers(5)))), SEP] for _ in range(count)]


def masked(share: float = 0.15, vocabulary: Vocabulary | None = None, seed: int = 1) -> objectives.Batch:
    return objectives.masked_batch(documents(), vocabulary or words(), np.random.default_rng(seed), share)


def test_the_chosen_share_of_tokens_is_to_be_predicted() -> None:
    tokens = sum(len(document) - 2 for document in documents())
    assert len(masked(0.15).labels) / tokens == pytest.approx(0.15, abs=0.01)
    assert len(masked(0.30).labels) / tokens == pytest.approx(0.30, abs=0.015)


def test_of_the_chosen_tokens_eight_in_ten_are_masked_one_is_replaced_and_one_stays() -> None:
    batch = masked(0.3)
    seen = batch.inputs.flatten()[batch.positions]
    assert float((seen == MASK).float().mean()) == pytest.approx(0.8, abs=0.03)
    assert float((seen == batch.labels).float().mean()) == pytest.approx(0.1, abs=0.03)


def test_labels_are_the_tokens_that_stood_there_and_all_other_tokens_stay() -> None:
    batch = masked()
    original = torch.from_numpy(objectives.padded(documents(), PAD)[0])
    restored = batch.inputs.clone()
    restored.view(-1)[batch.positions] = batch.labels
    assert torch.equal(restored, original)


def test_special_tokens_are_neither_predicted_nor_put_in() -> None:
    batch = masked(0.5)
    assert not set(batch.labels.tolist()) & {PAD, CLS, SEP, MASK, *SENTINELS}
    assert not set(batch.inputs.flatten()[batch.positions].tolist()) & {PAD, CLS, SEP, *SENTINELS}


def test_a_word_of_several_pieces_is_chosen_whole_or_not_at_all() -> None:
    pieces = tuple(range(50, 90))
    batch = masked(0.2, words(continuing=pieces))
    original = torch.from_numpy(objectives.padded(documents(), PAD)[0])
    chosen = torch.zeros_like(original, dtype=torch.bool)
    chosen.view(-1)[batch.positions] = True
    continues = torch.isin(original[:, 1:], torch.tensor(pieces)) & (original[:, :-1] != CLS)
    assert torch.equal(chosen[:, 1:][continues], chosen[:, :-1][continues])


def test_a_batch_in_which_chance_chose_no_word_still_has_one_prediction() -> None:
    batch = objectives.masked_batch([[CLS, 10, SEP]], words(), np.random.default_rng(0), 1e-9)
    assert batch.labels.tolist() == [10]


def test_the_same_generator_state_gives_the_same_batch_and_another_state_another() -> None:
    assert torch.equal(masked(seed=1).inputs, masked(seed=1).inputs)
    assert not torch.equal(masked(seed=1).inputs, masked(seed=2).inputs)


def test_a_causal_batch_predicts_every_token_but_the_first_and_no_padding() -> None:
    batch = objectives.causal_batch([[10, 11, 12, 9], [20, 9]], words())
    assert batch.inputs.tolist() == [[10, 11, 12], [20, 9, PAD]]
    assert batch.labels.tolist() == [11, 12, 9, 9]
    assert batch.positions.tolist() == [0, 1, 2, 3]


def test_an_encoder_that_reads_on_predicts_the_next_token_and_sees_none_to_its_right() -> None:
    """Changing what stands to the right of a place leaves what is predicted there as it was."""
    tokenizer = train_tokenizer(Family.ENCODER, TEXTS, 400, 32)
    recipe = Recipe("tiny", Family.ENCODER, layers=2, hidden=16, heads=2, feed_forward=32, positions=32)
    network = build_network(recipe, tokenizer).eval()
    rows = [list(tokenizer(text)["input_ids"]) for text in TEXTS[:3]]
    changed = [[*row[:5], *([7] * (len(row) - 5))] for row in rows]
    one, other = (objectives.onward_batch(r, objectives.vocabulary_of(tokenizer)) for r in (rows, changed))
    assert one.labels[:5].tolist() == rows[0][1:6]
    with torch.no_grad():
        first, second = (objectives.predictions(network, Family.ENCODER, batch)[0] for batch in (one, other))
    assert torch.allclose(first[:5], second[:5], atol=1e-6)
    assert not torch.allclose(first[5], second[5], atol=1e-3)


def test_a_beginning_and_its_continuation_are_the_document() -> None:
    plain = [document[1:-1] for document in documents()] + [[10, 11], [12, 13, 14]]
    batch = objectives.continuation_batch(plain, words(), np.random.default_rng(0))
    assert batch.decoder_inputs is not None
    ends = iter(batch.labels.tolist())
    for source, document in zip(batch.inputs.tolist(), plain, strict=True):
        beginning = source[: source.index(SEP)]
        rest = [next(ends) for _ in range(len(document) - len(beginning))]
        assert beginning
        assert rest
        assert beginning + rest == document
        assert next(ends) == SEP
    assert batch.decoder_inputs[0, 0] == PAD
    assert batch.decoder_inputs[0, 1] == batch.labels[0]


def test_the_share_that_is_the_beginning_changes_from_batch_to_batch() -> None:
    plain = [list(range(10, 50))] * 4
    shares = []
    for seed in range(20):
        batch = objectives.continuation_batch(plain, words(), np.random.default_rng(seed))
        shares.append((batch.inputs.shape[1] - 1) / 40)
    assert min(shares) < 0.35 < 0.65 < max(shares)


def restore(source: list[int], target: list[int]) -> list[int]:
    """The document that a source and its target were made from."""
    spans: dict[int, list[int]] = {}
    for token in target:
        if token in SENTINELS:
            spans[token] = []
        elif token != SEP:
            spans[list(spans)[-1]].append(token)
    return [t for token in source if token not in (SEP, PAD) for t in spans.get(token, [token])]


def test_putting_the_spans_of_the_target_in_place_of_sentinels_gives_the_document_back() -> None:
    plain = [document[1:-1] for document in documents()] + [[10], [11, 12], [13, 14, 15]]
    batch = objectives.span_batch(plain, words(), np.random.default_rng(0), 0.15, 3.0)
    assert batch.decoder_inputs is not None
    ends = torch.zeros(batch.decoder_inputs.numel(), dtype=torch.long)
    ends[batch.positions] = batch.labels
    targets = ends.view(batch.decoder_inputs.shape)
    for document, source, target in zip(plain, batch.inputs.tolist(), targets.tolist(), strict=True):
        assert restore(source, [token for token in target if token != PAD]) == document
    assert torch.equal(batch.decoder_inputs[:, 1:], targets[:, :-1] * (batch.decoder_inputs[:, 1:] != PAD))


def test_the_missing_share_and_the_mean_span_are_those_asked_for() -> None:
    plain = [document[1:-1] for document in documents()]
    batch = objectives.span_batch(plain, words(), np.random.default_rng(0), 0.15, 3.0)
    labels = batch.labels
    missing = int((~torch.isin(labels, torch.tensor([SEP, *SENTINELS]))).sum())
    spans = int(torch.isin(labels, torch.tensor(SENTINELS)).sum()) - len(plain)  # each target ends with one more
    assert missing / sum(map(len, plain)) == pytest.approx(0.15, abs=0.01)
    assert missing / spans == pytest.approx(3.0, abs=0.3)


def test_the_first_and_the_last_token_of_a_document_are_missing_about_as_often_as_any() -> None:
    plain = [list(range(10, 50))] * 2000
    batch = objectives.span_batch(plain, words(), np.random.default_rng(0), 0.15, 3.0)
    labels = batch.labels
    for token in (10, 30, 49):
        assert 0.04 < int((labels == token).sum()) / len(plain) < 0.3


@pytest.mark.parametrize("bias", [True, False])
def test_the_sliced_cross_entropy_and_its_gradients_are_those_of_torch(bias: bool) -> None:
    torch.manual_seed(0)
    count = 2 * 256 + 7
    hidden, weight = torch.randn(count, 8), torch.randn(30, 8)
    labels, offset = torch.randint(30, (count,)), torch.randn(30) if bias else None
    leaves = [x.requires_grad_() for x in (hidden, weight, offset) if x is not None]
    ours = objectives.projected_cross_entropy(hidden, weight, offset, labels)
    torchs = torch.nn.functional.cross_entropy(torch.nn.functional.linear(hidden, weight, offset), labels)
    assert torch.allclose(ours, torchs, atol=1e-5)
    gradients = zip(torch.autograd.grad(2 * ours, leaves), torch.autograd.grad(2 * torchs, leaves), strict=True)
    for mine, theirs in gradients:
        assert torch.allclose(mine, theirs, atol=1e-6)


@pytest.mark.parametrize("family", list(Family))
def test_the_loss_at_gathered_positions_is_the_loss_that_transformers_computes(family: Family) -> None:
    """transformers projects every place and ignores the rest; we project the places asked for."""
    tokenizer = train_tokenizer(family, TEXTS, 400, 32)
    recipe = Recipe("tiny", family, layers=1, hidden=16, heads=2, feed_forward=32, positions=32)
    network = build_network(recipe, tokenizer).eval()
    rows = [list(tokenizer(text)["input_ids"]) for text in TEXTS[:3]]
    batch = objectives.make_batch(recipe, objectives.vocabulary_of(tokenizer), rows, np.random.default_rng(0))
    places = batch.inputs if batch.decoder_inputs is None else batch.decoder_inputs
    labels = torch.full((places.numel(),), -100)
    labels[batch.positions] = batch.labels
    labels = labels.view(places.shape)
    with torch.no_grad():
        ours = objectives.projected_cross_entropy(*objectives.predictions(network, family, batch), batch.labels)
        if family is Family.DECODER:  # transformers shifts causal labels itself
            theirs = network(batch.inputs, attention_mask=batch.attention).logits.flatten(0, 1)
            expected = torch.nn.functional.cross_entropy(theirs, labels.flatten())
        else:
            expected = network(batch.inputs, attention_mask=batch.attention, labels=labels).loss
    assert torch.allclose(ours, expected, atol=1e-5)


def test_a_document_is_halved_at_the_end_of_the_sentence_nearest_its_middle() -> None:
    document = [CLS, 11, STOP, 12, 13, STOP, 14, 15, 16, 17, STOP, SEP]
    first, second = contrast.halves([document], words())
    assert first == [[CLS, 11, STOP, 12, 13, STOP, SEP]]
    assert second == [[CLS, 14, 15, 16, 17, STOP, SEP]]


def test_a_document_of_one_sentence_is_halved_in_the_middle() -> None:
    assert contrast.halves([[11, 12, 13, 14, STOP]], words()) == ([[11, 12]], [[13, 14, STOP]])


@pytest.mark.parametrize("family", list(Family))
def test_halves_that_are_alike_are_easier_to_match_than_halves_that_differ(family: Family) -> None:
    """With random weights a half is most like itself; the loss of guessing among four is ln 4."""
    recipe = Recipe("tiny", family, layers=1, hidden=16, heads=2, feed_forward=32, vocabulary=100)
    network = build_network(recipe, _Tokens()).eval()
    same = [[11, STOP, 11, STOP], [21, STOP, 21, STOP], [31, STOP, 31, STOP], [41, STOP, 41, STOP]]
    other = [[11, STOP, 21, STOP], [21, STOP, 31, STOP], [31, STOP, 41, STOP], [41, STOP, 11, STOP]]
    alike, different = (contrast.contrast_loss(network, family, rows, words()).item() for rows in (same, other))
    assert alike < np.log(4) < different


class _Tokens:
    """As much of a tokenizer as a network is built from."""

    pad_token_id, bos_token_id, eos_token_id = PAD, CLS, SEP

    def __len__(self) -> int:
        return 100
