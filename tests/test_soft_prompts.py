"""Prompt tuning, P-tuning and prefix tuning on every family and head: what trains, where it stands, what is kept."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import nn

from bench.errors import UnsupportedError
from bench.learn import fit
from bench.learn.fit import ModelLearner
from bench.learn.network import Network, count, restore, trained_state
from bench.learn.prefix import Prefix, install
from bench.learn.soft import EncodedRows, PlainRows, prepend, words_of
from bench.learner import Fitted
from bench.methods import p_tuning, prefix_tuning, prompt_tuning
from bench.spec import Family, Head, Method
from tests import tiny

torch.set_num_threads(1)

pytestmark = pytest.mark.usefixtures("float32")
METHODS: dict[str, tuple[Method, dict[str, Any]]] = {
    "prompt_tuning": (prompt_tuning.METHOD, {"length": 5, "init": "vocabulary"}),
    "p_tuning": (p_tuning.METHOD, {"length": 5, "encoder": "lstm"}),
    "p_tuning[mlp]": (p_tuning.METHOD, {"length": 5, "encoder": "mlp"}),
    "prefix_tuning": (prefix_tuning.METHOD, {"length": 4, "bottleneck": 24}),
    "prefix_tuning[plain]": (prefix_tuning.METHOD, {"length": 4, "bottleneck": 0}),
}
VARIANTS = ("p_tuning[mlp]", "prefix_tuning[plain]")
EVERYWHERE = [(n, head, family) for n in METHODS if n not in VARIANTS for head in Head for family in tiny.FAMILIES]
EVERY_VARIANT = [(name, head, family) for name in METHODS for head in Head for family in tiny.FAMILIES]
ATTENTIONS = {Family.ENCODER: (2, 6), Family.DECODER: (2, 2), Family.ENCODER_DECODER: (2, 6)}
"""Attentions of the tiny networks under a head, and under generation (encoder, decoder and cross, two layers each)."""


def learner(root: Path, name: str, head: Head, family: Family, **changes: Any) -> ModelLearner:
    method, options = METHODS[name]
    budget = {key: changes.pop(key) for key in ("batch_size", "epochs", "evaluations", "patience") if key in changes}
    model = tiny.checkpoint(family, root / str(family))
    given = tiny.assignment(head, model, "full", **budget)
    return fit.ModelLearner(replace(given, method=method, options={**options, **changes}))


def network(root: Path, name: str, head: Head, family: Family, **changes: Any) -> Network:
    return learner(root, name, head, family, **changes)._network(1).eval()


def accept(predictions: Sequence[Any]) -> float:
    return 0.0


def train(made: ModelLearner, rate: float = 1e-2) -> Fitted:
    return made.fit(rate, 1, accept, lambda point: True, made.assignment.budget.epochs)


def watched(made: ModelLearner, monkeypatch: pytest.MonkeyPatch) -> list[Network]:
    """The networks that the learner builds from now on."""
    seen: list[Network] = []
    build = made._network

    def building(seed: int) -> Network:
        seen.append(build(seed))
        return seen[-1]

    monkeypatch.setattr(made, "_network", building)
    return seen


@pytest.mark.parametrize(("name", "head", "family"), EVERYWHERE)
def test_only_the_soft_prompt_and_the_head_move(
    root: Path, name: str, head: Head, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = learner(root, name, head, family, epochs=2, evaluations=1)
    before = dict(made._network(1).named_parameters())
    seen = watched(made, monkeypatch)
    train(made)
    after = dict(seen[0].named_parameters())
    moved = {n for n, p in after.items() if not torch.equal(p, before[n])}
    asked = {n for n, p in after.items() if n.startswith("soft.") or n in seen[0].head_parameters()}
    assert any(n.startswith("soft.") for n in moved)
    # A key's bias shifts all scores of a query alike, which softmax undoes: its true gradient is zero.
    assert {n for n in asked ^ moved if not n.endswith("key.bias")} == set()
    assert asked == {n for n, p in after.items() if p.requires_grad}


@pytest.mark.parametrize(("name", "head", "family"), EVERYWHERE)
def test_padding_batch_size_and_order_do_not_change_predictions(
    root: Path, name: str, head: Head, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Among them decoders that write: their prompts are padded on the left, and virtual tokens stand after the pads."""
    made = learner(root, name, head, family, epochs=2, evaluations=1)
    fitted = train(made, rate=3e-2)
    rows = tiny.rows(head)
    together = list(fitted.predict(rows).predictions)
    assert tiny.alike(list(fitted.predict(rows[::-1]).predictions)[::-1], together)
    tiny.predict_by(monkeypatch, 1)
    assert tiny.alike(list(fitted.predict(rows).predictions), together)


@pytest.mark.parametrize(("name", "head", "family"), EVERYWHERE)
def test_what_trains_is_enough_to_have_the_trained_network_again(
    root: Path, name: str, head: Head, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = learner(root, name, head, family, epochs=1, evaluations=1)
    seen = watched(made, monkeypatch)
    train(made, rate=3e-2)
    again = made._network(2).eval()
    batch = made.head.collate(made.train_examples, made.torch_device)
    trained = made.head.features(seen[0], batch)
    assert not torch.allclose(made.head.features(again, batch), trained, atol=1e-4)
    restore(again, trained_state(seen[0]))
    assert torch.equal(made.head.features(again, batch), trained)


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("name", METHODS)
def test_only_what_is_stored_is_needed_after_training(root: Path, name: str, family: Family) -> None:
    """Folding throws away what made the prompt; what is left has the reported size and gives the same answers."""
    made = learner(root, name, Head.GENERATE, family)
    trained = made._network(1).eval()
    batch = made.head.collate(made.train_examples, made.torch_device)
    expected, counted = made.head.features(trained, batch), count(trained)
    cast(Any, trained.soft).fold()
    assert torch.allclose(made.head.features(trained, batch), expected, atol=1e-6)
    left = sum(p.numel() for p in trained.parameters() if p.requires_grad)
    assert counted.stored_bytes == 4 * left
    assert count(trained).reparametrisation == 0
    assert (counted.reparametrisation > 0) == (name not in ("prompt_tuning", "prefix_tuning[plain]"))


@pytest.mark.parametrize(("name", "head", "family"), EVERY_VARIANT)
def test_parameters_are_those_of_a_count_by_hand(root: Path, name: str, head: Head, family: Family) -> None:
    counted, width = learner(root, name, head, family).parameters, tiny.SIZE
    rereads = head is Head.SPAN and family is Family.ENCODER_DECODER
    attentions = ATTENTIONS[family][head is Head.GENERATE or rereads]
    sorts = 3 if attentions == 6 else 1
    cells = [4 * (width // 2) * (width + width // 2 + 2)] * 4  # two directions of two layers, as wide as their input
    by_hand = {
        "prompt_tuning": (5 * width, 0),
        "p_tuning": (5 * width, 5 * width + sum(cells) + 2 * width * (width + 1)),
        "p_tuning[mlp]": (5 * width, 5 * width + 3 * width * (width + 1)),
        "prefix_tuning": (
            attentions * 2 * 4 * width,
            sorts * (4 * width + 24 * (width + 1)) + attentions * 25 * 2 * width,
        ),
        "prefix_tuning[plain]": (attentions * 2 * 4 * width, 0),
    }
    kept, made = by_hand[name]
    assert counted.method == (made or kept)
    assert counted.reparametrisation == made
    assert counted.stored_bytes == 4 * (kept + counted.head)
    assert counted.trainable == counted.method + counted.head


@pytest.mark.parametrize("length", [10, 200])
def test_a_prefix_on_berts_default_shape_has_the_size_of_the_paper_and_of_peft(length: int) -> None:
    """Li and Liang 2021: 2 x layers x width x length numbers; peft counts the same."""
    from peft import PrefixTuningConfig, TaskType, get_peft_model
    from transformers import BertConfig, BertModel

    config = PrefixTuningConfig(task_type=TaskType.FEATURE_EXTRACTION, num_virtual_tokens=length)
    with torch.device("meta"):
        theirs = get_peft_model(BertModel(BertConfig()), config)
    small = BertModel(BertConfig(intermediate_size=8, vocab_size=8), add_pooling_layer=False)
    made = Network(small.requires_grad_(False), Family.ENCODER, nn.Linear(768, 2))
    install(made, length, 512)
    counted = count(made)
    assert counted.stored_bytes // 4 - counted.head == 2 * 12 * 768 * length
    assert theirs.get_nb_trainable_parameters()[0] == 2 * 12 * 768 * length
    assert counted.reparametrisation == length * 768 + 512 * 769 + 12 * 2 * 768 * 513


@pytest.mark.parametrize(
    ("name", "head", "family"),
    [("prefix_tuning", head, family) for head in (Head.CLASSIFY, Head.TAG, Head.SPAN) for family in tiny.FAMILIES]
    + [(name, Head.CLASSIFY, family) for name in ("prompt_tuning", "p_tuning") for family in tiny.FAMILIES],
)
def test_a_training_set_can_be_learnt_by_heart(root: Path, name: str, head: Head, family: Family) -> None:
    made = learner(root, name, head, family, epochs=240, batch_size=8, evaluations=8, patience=8)
    column = tiny.TASKS[head].reference
    answers = [row[column]["text"][0] if head is Head.SPAN else row[column] for row in tiny.rows(head)]

    def exact(predictions: Sequence[Any]) -> float:
        return sum(bool(p == a) for p, a in zip(predictions, answers, strict=True)) / len(answers)

    assert made.fit(3e-2, 1, exact, lambda point: point.validation < 1.0, made.assignment.budget.epochs).value == 1.0


def test_virtual_tokens_are_cut_off_before_the_head(root: Path) -> None:
    """Labels and places of spans stay where they were: there are as many states as tokens, of the right tokens."""
    made = learner(root, "prompt_tuning", Head.TAG, Family.ENCODER)
    batch = made.head.collate(made.train_examples, made.torch_device)
    bare = copy.deepcopy(made.template).eval()
    ours = made._network(1).eval()
    assert ours.hidden(batch).shape == (*batch["ids"].shape, tiny.SIZE)
    rows = cast(PlainRows, ours.soft).rows
    words = words_of(bare)(batch["ids"])
    embedded = torch.cat([rows.expand(len(words), -1, -1), words], dim=1)
    mask = torch.cat([torch.ones(len(words), 5), batch["mask"]], dim=1)
    states = bare.backbone(inputs_embeds=embedded, attention_mask=mask).last_hidden_state[:, 5:]
    real = batch["mask"].bool()
    assert torch.allclose(ours.hidden(batch)[real], states[real], atol=1e-5)


def test_a_written_text_is_that_of_the_prompt_in_front_of_unpadded_embeddings(root: Path) -> None:
    """Each row alone, through `inputs_embeds`, is what the batch with padding on the left must give."""
    made = learner(root, "prompt_tuning", Head.GENERATE, Family.DECODER)
    ours = made._network(1).eval()
    cast(PlainRows, ours.soft).rows.data.normal_()
    examples = made.validation_examples
    bare = copy.deepcopy(made.template).eval()
    for example, (written, _) in zip(examples, made.head.predict(ours, examples, torch.device("cpu")), strict=True):
        words = words_of(bare)(torch.tensor([example["ids"]]))
        embedded = torch.cat([cast(PlainRows, ours.soft).rows[None], words], dim=1)
        mask = torch.ones(embedded.shape[:2], dtype=torch.long)
        options: dict[str, Any] = {"max_new_tokens": cast(Any, made.head).cap, "do_sample": False}
        alone = cast(Any, bare.backbone).generate(inputs_embeds=embedded, attention_mask=mask, **options)[0].tolist()
        assert written == (alone[: alone.index(0)] if 0 in alone else alone)


def test_a_prefix_is_what_a_filled_cache_is_to_a_decoder(root: Path) -> None:
    """transformers' own way to give GPT-2 earlier keys and values, at positions that start from 0."""
    from transformers import DynamicCache

    made = learner(root, "prefix_tuning[plain]", Head.TAG, Family.DECODER)
    ours, bare = made._network(1).eval(), copy.deepcopy(made.template).eval()
    prefix = cast(Prefix, ours.soft)
    for pair in prefix.pairs:
        pair.data.normal_()
    ids = torch.tensor([made.train_examples[0]["ids"]])
    cache = DynamicCache()
    for layer, pair in enumerate(prefix.pairs):
        cache.update(pair[0][None], pair[1][None], layer)
    positions = torch.arange(ids.shape[1])[None]
    expected = bare.backbone(input_ids=ids, past_key_values=cache, position_ids=positions).last_hidden_state
    assert torch.allclose(ours.hidden({"ids": ids, "mask": torch.ones_like(ids)}), expected, atol=1e-5)


@pytest.mark.parametrize("family", [Family.ENCODER, Family.DECODER])
@pytest.mark.parametrize("head", Head)
def test_a_prompt_takes_positions_from_the_input_and_never_more_than_there_are(
    root: Path, head: Head, family: Family
) -> None:
    """128 positions, 70 of them the prompt's: inputs of 64 tokens no longer fit, and the longest still runs."""
    made = learner(root, "prompt_tuning", head, family, length=70)
    assert made.head.positions == 58
    assert made.head.input_tokens <= 58
    inputs = tiny.TASKS[head].inputs
    text: dict[str, Any] = dict.fromkeys(inputs, "anna met oskar in berlin " * 40)
    row = {"tokens": text["tokens"].split()} if head is Head.TAG else text
    predicted = train(made).predict([row])
    assert len(predicted.predictions) == 1
    assert head is Head.SPAN or predicted.health.truncated == 1
    assert learner(root, "prefix_tuning", head, family, length=70).head.positions == 128


def test_a_prompt_that_leaves_no_room_is_refused_when_the_learner_is_opened(root: Path) -> None:
    with pytest.raises(UnsupportedError, match="a prompt of 120 tokens leaves fewer than 16 of the model's 128"):
        learner(root, "prompt_tuning", Head.CLASSIFY, Family.ENCODER, length=120)
    overfull = network(root, "prompt_tuning", Head.CLASSIFY, Family.ENCODER, length=100)
    ids = torch.ones(1, 30, dtype=torch.long)
    with pytest.raises((IndexError, RuntimeError)):
        overfull.hidden({"ids": ids, "mask": ids})


def test_a_prompt_of_relative_positions_takes_none_away(root: Path) -> None:
    assert learner(root, "prompt_tuning", Head.CLASSIFY, Family.ENCODER_DECODER, length=200).head.input_tokens == 64


def test_attention_outside_the_interface_of_transformers_is_refused_a_prefix() -> None:
    """DeBERTa computes its attention itself: an attention function with a prefix would never be called."""
    from transformers import DebertaV2Config, DebertaV2Model

    config = DebertaV2Config(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, vocab_size=50
    )
    made = Network(DebertaV2Model(config), Family.ENCODER, nn.Linear(32, 2))
    with pytest.raises(UnsupportedError, match="model type 'deberta-v2' cannot be given a prefix"):
        install(made, 4, 0)


@pytest.mark.parametrize("architecture", ["Roberta", "DistilBert", "Electra", "Bart", "Llama", "Qwen2", "OPT"])
def test_other_architectures_read_prompts_and_prefixes(architecture: str) -> None:
    """Among them RoBERTa, whose positions depend on which tokens are pads, and Llama with grouped keys and values."""
    import transformers

    sizes = {
        "hidden_size": 32, "dim": 32, "hidden_dim": 64, "d_model": 32, "num_hidden_layers": 2, "n_layers": 2,
        "num_attention_heads": 4, "n_heads": 4, "intermediate_size": 64, "vocab_size": 50, "encoder_layers": 2,
        "encoder_attention_heads": 4, "encoder_ffn_dim": 64, "max_position_embeddings": 64, "embedding_size": 32,
        "ffn_dim": 64, "word_embed_proj_dim": 32,
    }  # fmt: skip
    if architecture in ("Llama", "Qwen2"):
        sizes["num_key_value_heads"] = 2
    family = Family.DECODER if architecture in ("Llama", "Qwen2", "OPT") else Family.ENCODER
    torch.manual_seed(0)
    config = getattr(transformers, f"{architecture}Config")(**sizes)
    body = getattr(transformers, f"{architecture}Model")(config).eval()
    backbone = body.get_encoder() if architecture == "Bart" else body
    ids = torch.randint(5, 50, (2, 9))
    mask = torch.tensor([[1] * 9, [1] * 5 + [0] * 4])
    ids[1, 5:] = config.pad_token_id if config.pad_token_id is not None else 0
    for soft in ("prompt", "prefix"):
        made = Network(copy.deepcopy(backbone), family, nn.Linear(32, 2)).eval()
        plain = made.hidden({"ids": ids, "mask": mask})
        if soft == "prompt":
            prepend(made, PlainRows(torch.randn(4, 32)))
        else:
            install(made, 4, 0)
            for pair in cast(Prefix, made.soft).pairs:
                pair.data.normal_()
        states = made.hidden({"ids": ids, "mask": mask})
        alone = made.hidden({"ids": ids[1:, :5], "mask": mask[1:, :5]})
        assert torch.allclose(states[1, :5], alone[0], atol=1e-5)
        assert not torch.allclose(states[1, :5], plain[1, :5], atol=1e-3)


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("prompt_tuning", {"init": "zeros"}, "init is one of vocabulary, random, not 'zeros'"),
        ("p_tuning", {"encoder": "gru"}, "encoder is one of lstm, mlp, not 'gru'"),
    ],
)
def test_a_choice_that_is_none_is_refused(root: Path, name: str, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UnsupportedError, match=words):
        learner(root, name, Head.CLASSIFY, Family.ENCODER, **changes)


def test_rows_start_as_words_or_evenly_drawn(root: Path) -> None:
    words = network(root, "prompt_tuning", Head.CLASSIFY, Family.ENCODER)
    rows = cast(PlainRows, words.soft).rows
    table = words_of(words).weight
    assert all(any(torch.equal(row, word) for word in table) for row in rows)
    drawn = cast(PlainRows, network(root, "prompt_tuning", Head.CLASSIFY, Family.ENCODER, init="random").soft).rows
    assert drawn.abs().max() <= 0.5
    assert drawn.std() > 0.2


def test_the_encoder_of_a_prompt_is_two_way_so_that_every_row_knows_of_the_others() -> None:
    torch.manual_seed(0)
    rows = EncodedRows(4, 8, "lstm")
    first = rows()[0].sum()
    first.backward()
    gradient = cast(nn.Embedding, rows.embeddings).weight.grad
    assert gradient is not None
    assert bool(gradient[3].abs().sum() > 0)
