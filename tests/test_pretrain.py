"""Pretraining: from plain text to a directory that transformers loads, and the same weights after an interruption."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.errors import DivergedError, RequestError
from bench.learn import pretrain as pretraining
from bench.learn import stream
from bench.learn.optimize import make_optimizers
from bench.learn.pretrain import RECIPES, Progress, pretrain
from bench.learn.recipes import WORLDS, Recipe, build_network, sinusoids
from bench.learn.tokenizers import SENTINELS, train_tokenizer
from bench.spec import Family

torch.set_num_threads(1)

NOUNS = "cat dog house river stone table garden window bridge candle".split()
VERBS = "sees likes finds paints washes carries".split()
REAL_TEXT = ["The café's naïve señor, 日本 Ω!", "https://t.co/AbC @RobertDowneyJr #nowPlaying 😀", "", "   ", "x" * 300]


def farm(seed: int) -> Iterator[str]:
    rng = random.Random(seed)
    while True:
        sentences = (f"the {rng.choice(NOUNS)} {rng.choice(VERBS)} the {rng.choice(NOUNS)}." for _ in range(5))
        yield " ".join(islice(sentences, rng.randint(1, 5)))


def counting(seed: int) -> Iterator[str]:
    rng = random.Random(seed)
    while True:
        start = rng.randint(1, 90)
        yield "count: " + ", ".join(str(n) for n in range(start, start + rng.randint(3, 9)))


STREAMS: dict[str, stream.Texts] = {"farm": farm, "counting": counting}
FAMILIES = list(Family)


def tiny(family: Family, **changes: Any) -> Recipe:
    """A recipe of seconds; resuming is tested with relative rates (T5), with Muon (BERT, T5) and with neither."""
    recipe = Recipe("tiny", family, layers=1, hidden=16, heads=2, feed_forward=32, positions=64, vocabulary=450,
                    tokenizer_documents=200, length=48, steps=12, batch_tokens=192, warmup=3, chunk_tokens=900,
                    worlds=("farm", "counting"), held_out_documents=10, checkpoint_every=5, dropout=0.1,
                    relative_rates=family is Family.ENCODER_DECODER, tuning_dropout=0.2,
                    matrix_rate=0.0 if family is Family.DECODER else 4e-3, onward_every=2, position_scale=0.1)
    return replace(recipe, **changes)


def ignore(progress: Progress) -> None:
    """A reader of progress that does nothing."""


def make(out: Path, recipe: Recipe, tell: Callable[[Progress], None] = ignore, *, resume: bool = True) -> Path:
    return pretrain(recipe, out, progress=tell, resume=resume, streams=STREAMS)


class InterruptionError(Exception):
    """What the tests raise in the middle of a training."""


def interrupt(
    out: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch, *, step: int = 8, resume: bool = True
) -> None:
    """Train until `step`, and be interrupted there."""
    taken = pretraining._Training.step

    def stop(self: Any, documents: list[list[int]]) -> torch.Tensor:
        if self.at.step == step:
            raise InterruptionError
        return taken(self, documents)

    with monkeypatch.context() as patch:
        patch.setattr(pretraining._Training, "step", stop)
        with pytest.raises(InterruptionError):
            make(out, recipe, resume=resume)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> dict[Family, Path]:
    """One uninterrupted training a family."""
    return {family: make(tmp_path_factory.mktemp(family.name), tiny(family)) for family in FAMILIES}


@pytest.fixture(scope="module")
def tokenizers() -> dict[Family, Any]:
    return {family: train_tokenizer(family, tokenizer_texts(), 450, 64) for family in FAMILIES}


def tokenizer_texts() -> list[str]:
    return [text for pair in islice(zip(farm(0), counting(0), strict=False), 100) for text in pair]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_resumed_training_ends_with_the_bytes_of_an_uninterrupted_one(
    family: Family, finished: dict[Family, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(tmp_path, tiny(family), monkeypatch)
    assert [path.name for path in (tmp_path / ".resume").glob("step-*")] == ["step-00000005"]
    make(tmp_path, tiny(family))
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (tmp_path / name).read_bytes() == (finished[family] / name).read_bytes()
    facts = [json.loads((out / "pretraining.json").read_text()) for out in (tmp_path, finished[family])]
    assert facts[0]["loss_curve"] == facts[1]["loss_curve"]
    assert facts[0]["tokens"] == facts[1]["tokens"]


def test_without_resume_a_training_starts_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(tmp_path, tiny(Family.DECODER), monkeypatch)
    interrupt(tmp_path, tiny(Family.DECODER), monkeypatch, step=2, resume=False)
    assert not list((tmp_path / ".resume").glob("step-*"))


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(tmp_path, tiny(Family.DECODER), monkeypatch)
    with pytest.raises(RequestError, match="peak_rate"):
        make(tmp_path, tiny(Family.DECODER, peak_rate=1e-4))


def test_no_checkpoint_is_left_behind_and_none_is_a_pickle(
    finished: dict[Family, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not (finished[Family.ENCODER] / ".resume").exists()
    interrupt(tmp_path, tiny(Family.ENCODER), monkeypatch)
    kept = {path.name for path in (tmp_path / ".resume" / "step-00000005").iterdir()}
    assert kept == {"state.safetensors", "state.json"}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_directory_loads_through_the_auto_classes_without_missing_weights(
    family: Family, finished: dict[Family, Path]
) -> None:
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSeq2SeqLM, AutoTokenizer

    auto = {Family.ENCODER: AutoModelForMaskedLM, Family.DECODER: AutoModelForCausalLM,
            Family.ENCODER_DECODER: AutoModelForSeq2SeqLM}[family]
    network, report = auto.from_pretrained(finished[family], output_loading_info=True)
    tokenizer = AutoTokenizer.from_pretrained(finished[family])
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    assert network.config.vocab_size == len(tokenizer)
    assert tokenizer.pad_token_id == network.config.pad_token_id


@pytest.mark.parametrize("family", FAMILIES)
def test_the_finished_configuration_has_dropout_for_fine_tuning(family: Family, finished: dict[Family, Path]) -> None:
    config = json.loads((finished[family] / "config.json").read_text())
    names = {Family.ENCODER: "hidden_dropout_prob", Family.DECODER: "resid_pdrop",
             Family.ENCODER_DECODER: "dropout_rate"}
    assert config[names[family]] == 0.2


@pytest.mark.parametrize("family", FAMILIES)
def test_the_loss_falls_on_text_that_was_not_trained_on(
    family: Family, finished: dict[Family, Path], tmp_path: Path
) -> None:
    make(tmp_path, tiny(family, steps=60, checkpoint_every=1000, peak_rate=1e-2))
    reports = [json.loads((out / "pretraining.json").read_text()) for out in (finished[family], tmp_path)]
    short, long = (report["held_out_loss"] for report in reports)
    assert set(long) == {"farm", "counting"}
    assert all(long[world] < short[world] - 0.3 for world in long)


def test_a_card_written_before_keeps_its_section_on_transfer(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# old\n\n## Transfer\n\n| measured | 0.9 |\n")
    card = (make(tmp_path, tiny(Family.DECODER, steps=2)) / "README.md").read_text()
    assert "| measured | 0.9 |" in card
    assert "# old" not in card
    assert "python -m bench pretrain tiny" in card


def test_the_report_names_the_weights_by_their_hash(finished: dict[Family, Path]) -> None:
    out = finished[Family.ENCODER]
    facts = json.loads((out / "pretraining.json").read_text())
    assert facts["sha256"] == hashlib.sha256((out / "model.safetensors").read_bytes()).hexdigest()
    assert facts["steps"] == 12
    assert facts["recipe"]["name"] == "tiny"


def test_a_loss_that_is_no_number_ends_the_training_with_advice(tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match="peak_rate"):
        make(tmp_path, tiny(Family.DECODER, peak_rate=1e30, warmup=1))


def test_progress_is_told_at_the_end_with_speed_and_nothing_left(tmp_path: Path) -> None:
    told: list[Progress] = []
    make(tmp_path, tiny(Family.DECODER, steps=3), told.append)
    assert (told[-1].step, told[-1].steps, told[-1].seconds_left) == (3, 3, 0)
    assert told[-1].tokens_per_second > 0


def test_every_world_has_an_equal_share_of_the_tokens_of_a_chunk(tokenizers: dict[Family, Any]) -> None:
    recipe = tiny(Family.DECODER, chunk_tokens=4000)
    numbers = {tokenizers[Family.DECODER].convert_tokens_to_ids("Ġcount")}
    documents = [ids for batch in stream.chunk(0, recipe, STREAMS, tokenizers[Family.DECODER]) for ids in batch]
    counted = sum(len(ids) for ids in documents if numbers & set(ids))
    assert counted / sum(map(len, documents)) == pytest.approx(0.5, abs=0.03)


def test_batches_keep_to_their_budget_with_little_padding(tokenizers: dict[Family, Any]) -> None:
    recipe = tiny(Family.DECODER, chunk_tokens=20_000)
    batches = stream.chunk(0, recipe, STREAMS, tokenizers[Family.DECODER])
    padded = [len(batch) * max(map(len, batch)) for batch in batches]
    assert max(padded) <= recipe.batch_tokens
    assert sum(len(ids) for batch in batches for ids in batch) > 0.85 * sum(padded)


def test_the_text_goes_on_from_any_place(tokenizers: dict[Family, Any]) -> None:
    recipe = tiny(Family.ENCODER)
    steps = list(islice(stream.batches_from(stream.Place(), recipe, STREAMS, tokenizers[Family.ENCODER]), 12))
    assert steps[-1][0].chunk > 0
    place = steps[4][0]
    assert list(islice(stream.batches_from(place, recipe, STREAMS, tokenizers[Family.ENCODER]), 7)) == steps[5:]


def test_documents_are_cut_at_the_recipes_length(tokenizers: dict[Family, Any]) -> None:
    for family in FAMILIES:
        found = stream.encode(tiny(family, length=12), tokenizers[family], ["the cat sees the dog. " * 20])
        assert len(found[0]) == (11 if family is Family.ENCODER_DECODER else 12)  # T5's gets its end after the gaps


@pytest.mark.parametrize("family", FAMILIES)
def test_no_text_is_too_strange_for_a_tokenizer(family: Family, tokenizers: dict[Family, Any]) -> None:
    for text in REAL_TEXT:
        ids = tokenizers[family](text)["input_ids"]
        assert all(0 <= number < len(tokenizers[family]) for number in ids)


def test_a_byte_level_tokenizer_gives_every_text_back(tokenizers: dict[Family, Any]) -> None:
    for text in REAL_TEXT[:2]:
        assert tokenizers[Family.DECODER].decode(tokenizers[Family.DECODER](text)["input_ids"]).strip() == text


def test_words_that_were_never_seen_fall_into_letters_not_into_unknown(tokenizers: dict[Family, Any]) -> None:
    for family in (Family.ENCODER, Family.ENCODER_DECODER):
        tokenizer = tokenizers[family]
        assert tokenizer.unk_token_id not in tokenizer("quixotic señor, jumbo (fez) 7%")["input_ids"]


def test_bert_pairs_have_type_numbers_and_both_separators(tokenizers: dict[Family, Any]) -> None:
    tokenizer = tokenizers[Family.ENCODER]
    found = tokenizer("the cat", "the dog sees")
    tokens = tokenizer.convert_ids_to_tokens(found["input_ids"])
    assert tokens == ["[CLS]", "the", "cat", "[SEP]", "the", "dog", "sees", "[SEP]"]
    assert found["token_type_ids"] == [0, 0, 0, 0, 1, 1, 1, 1]


def test_t5_closes_a_text_and_has_the_special_numbers_of_t5(tokenizers: dict[Family, Any]) -> None:
    tokenizer = tokenizers[Family.ENCODER_DECODER]
    assert tokenizer("the cat")["input_ids"][-1] == 1
    assert (tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id) == (0, 1, 2)
    sentinels = tokenizer.convert_tokens_to_ids([f"<extra_id_{n}>" for n in range(SENTINELS)])
    assert set(sentinels) <= set(tokenizer.all_special_ids)
    assert len(set(sentinels)) == SENTINELS


def test_gpt2_has_a_separator_and_padding_apart_from_its_end(tokenizers: dict[Family, Any]) -> None:
    tokenizer = tokenizers[Family.DECODER]
    assert tokenizer.sep_token == "<|sep|>"
    assert len({tokenizer.sep_token_id, tokenizer.pad_token_id, tokenizer.eos_token_id}) == 3
    assert tokenizer("the<|sep|>cat")["input_ids"].count(tokenizer.sep_token_id) == 1


def test_a_frequent_word_is_one_token_for_every_family(tokenizers: dict[Family, Any]) -> None:
    for family in FAMILIES:
        assert len(tokenizers[family]("candle", add_special_tokens=False)["input_ids"]) == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_training_a_tokenizer_again_gives_the_same_bytes(family: Family, tokenizers: dict[Family, Any]) -> None:
    """The libraries' own trainers walk hash maps whose order differs from one training to the next."""
    again = train_tokenizer(family, tokenizer_texts(), 450, 64)
    assert again.backend_tokenizer.to_str() == tokenizers[family].backend_tokenizer.to_str()


def test_the_bundled_recipes_read_every_world_and_name_themselves() -> None:
    assert {name: recipe.name for name, recipe in RECIPES.items()} == {name: name for name in RECIPES}
    assert {recipe.family for recipe in RECIPES.values()} == set(Family)
    assert all(recipe.worlds == WORLDS for recipe in RECIPES.values())


def test_the_rate_rises_to_its_peak_and_falls_to_its_last_share() -> None:
    recipe = tiny(Family.DECODER, steps=100, warmup=10, peak_rate=1.0, decay_to=0.1)
    rates = [recipe.rate(step) for step in range(100)]
    assert rates[9] == max(rates) == 1.0
    assert rates[0] == pytest.approx(0.1)
    assert rates[-1] == pytest.approx(0.11)


def test_relative_rates_are_in_proportion_to_the_first_weights(tokenizers: dict[Family, Any]) -> None:
    recipe = tiny(Family.ENCODER_DECODER, matrix_rate=0.0)
    network = build_network(recipe, tokenizers[Family.ENCODER_DECODER])
    (adamw,) = make_optimizers(network, recipe)
    scales = {id(parameter): group["scale"] for group in adamw.param_groups for parameter in group["params"]}
    assert scales[id(network.shared.weight)] == 1.0
    assert len(scales) == len(list(network.parameters()))
    query = network.encoder.block[0].layer[0].SelfAttention.q.weight
    assert scales[id(query)] == pytest.approx(float(query.detach().square().mean().sqrt()), rel=0.3)


@pytest.mark.parametrize("family", FAMILIES)
def test_muon_updates_the_matrices_inside_the_layers_and_adamw_all_else(
    family: Family, tokenizers: dict[Family, Any]
) -> None:
    """Embeddings, the projection onto the vocabulary, biases and norms are no maps between hidden states."""
    recipe = tiny(family, matrix_rate=1e-2, peak_rate=2e-3)
    network = build_network(recipe, tokenizers[family])
    muon, adamw = make_optimizers(network, recipe)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    inside, rest = ([names[id(p)] for g in o.param_groups for p in g["params"]] for o in (muon, adamw))
    assert sorted(inside + rest) == sorted(names.values())
    assert all(network.get_parameter(name).ndim == 2 for name in inside)
    assert not any(part in name for name in inside for part in ("embedding", "wte", "wpe", "shared", "bias"))
    assert len(inside) >= 4
    assert muon.param_groups[0]["scale"] == pytest.approx(5.0)


def test_neighbours_look_alike_to_sinusoids_wherever_they_stand() -> None:
    table = sinusoids(64, 32)
    likeness = table @ table.T
    assert torch.allclose(likeness[5, 6], likeness[50, 51], atol=1e-4)
    assert likeness[20, 21] > likeness[20, 25] > likeness[20, 40]


def test_random_weights_depend_on_the_seed_alone(tokenizers: dict[Family, Any]) -> None:
    tokenizer = tokenizers[Family.ENCODER]
    first, again, other = (
        torch.cat([p.flatten() for p in build_network(tiny(Family.ENCODER, seed=seed), tokenizer).parameters()])
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
