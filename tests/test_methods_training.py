"""What methods do before and around a training: what their names say, on tiny real checkpoints."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bench.errors import DivergedError, UnavailableError, UnsupportedError
from bench.learn import adapt, distill
from bench.learn.edits import edited_rows
from bench.learn.fit import ModelLearner
from bench.learn.loop import Trained, make_optimizer, train
from bench.learn.network import Network
from bench.learn.objectives import make_batch, vocabulary_of
from bench.learn.recipes import Recipe
from bench.learn.stream import encode
from bench.learner import Assignment
from bench.methods import gradual_unfreeze
from bench.spec import Family, Head, Pinned, Row
from tests import tiny

torch.set_num_threads(1)

pytestmark = pytest.mark.usefixtures("float32")


def learner(root: Path, head: Head, family: Family, method: str, **budget: Any) -> ModelLearner:
    return ModelLearner(tiny.assignment(head, tiny.checkpoint(family, root / str(family)), method, **budget))


# -- Gradual unfreezing --

DEPTH = {"head": 0, "layer.1": 1, "layer.0": 2, "embeddings": 3}
"""Of a BERT of two layers; each part joins an eighth of the steps after the one above it."""


def depth_of(name: str) -> int:
    return next(depth for part, depth in DEPTH.items() if part in name)


def test_layers_join_from_the_top_and_stay(root: Path) -> None:
    network = learner(root, Head.CLASSIFY, Family.ENCODER, "gradual_unfreeze")._network(0)
    routine = gradual_unfreeze.routine(network, {"decay": 2.6, "unfreeze": 0.5}, 16)
    assert routine.before_step is not None
    joined: dict[int, int] = {}
    for step in range(1, 17):
        routine.before_step(step)
        awake = {depth_of(n) for n, p in network.named_parameters() if p.requires_grad}
        asleep = {depth_of(n) for n, p in network.named_parameters() if not p.requires_grad}
        assert not awake & asleep
        for depth in awake - set(joined):
            joined[depth] = step
    assert joined == {0: 1, 1: 3, 2: 5, 3: 7}


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("head", [Head.TAG, Head.GENERATE])
def test_every_lower_group_learns_at_a_lower_rate(root: Path, head: Head, family: Family) -> None:
    network = learner(root, head, family, "gradual_unfreeze")._network(0)
    factors = gradual_unfreeze.routine(network, {"decay": 2.6, "unfreeze": 0.5}, 16).rate_factors
    groups = gradual_unfreeze.depths(network)
    assert sorted(name for group in groups for name in group) == sorted(n for n, _ in network.named_parameters())
    assert [{factors[name] for name in group} for group in groups] == [{2.6**-depth} for depth in range(4)]
    assert set(network.head_parameters()) <= set(groups[0])
    optimizer = make_optimizer(network, 1e-3, factors)
    assert {group["factor"] for group in optimizer.param_groups} == {2.6**-depth for depth in range(4)}


def test_what_joins_after_the_best_evaluation_is_kept_as_it_was_then(root: Path) -> None:
    """The state of the best evaluation holds every tensor that ever trains, those asleep at the time too."""
    made = learner(root, Head.CLASSIFY, Family.ENCODER, "gradual_unfreeze[unfreeze=1]", batch_size=8, epochs=8,
                   evaluations=4, patience=9)
    kept: list[Network] = []
    start: dict[str, torch.Tensor] = {}
    build = made._network

    def watched(seed: int) -> Network:
        kept.append(build(seed))
        start.update({n: p.detach().clone() for n, p in kept[-1].named_parameters()})
        return kept[-1]

    values = iter([1.0, 0.0, 0.0, 0.0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(made, "_network", watched)
        fitted = made.fit(1e-2, 1, lambda predictions: next(values), lambda point: True, 8)
    assert (fitted.best_step, fitted.steps) == (2, 8)
    moved = {depth_of(n) for n, p in kept[-1].named_parameters() if not torch.equal(p, start[n])}
    assert moved == {0}
    assert all(p.requires_grad for p in kept[-1].parameters())


# -- Augmentation --

MANY = range(200)


def edited(row: Row, head: Head, seed: int, mask: str | None = "[MASK]") -> Any:
    return edited_rows([row], tiny.TASKS[head], share=0.2, mask=mask, rng=random.Random(seed))[0]


def test_a_text_is_edited_and_keeps_its_label() -> None:
    row: Any = {"text": "a small red house on a long hill", "label": "good", "other": 1}
    made = [edited(row, Head.CLASSIFY, seed) for seed in MANY]
    assert all((new["label"], new["other"]) == ("good", 1) for new in made)
    lengths = {len(new["text"].split()) for new in made}
    assert lengths == {6, 8, 10}
    assert any("[MASK]" in new["text"] for new in made)
    assert any(sorted(new["text"].split()) == sorted(row["text"].split()) for new in made)
    assert {word for new in made for word in new["text"].split()} == {*row["text"].split(), "[MASK]"}


def test_nothing_is_masked_without_a_mask() -> None:
    row: Any = {"text": "a small red house on a long hill", "label": "good"}
    made = [edited(row, Head.CLASSIFY, seed, None)["text"] for seed in MANY]
    assert {word for text in made for word in text.split()} == {*row["text"].split()}


def test_tags_move_with_their_words_and_entities_stay_whole() -> None:
    tags = {"anna": "B-PER", "maria": "I-PER", "met": "O", "orlan": "B-ORG", "in": "O", "paris": "B-LOC", ".": "O"}
    row = {"tokens": list(tags), "tags": list(tags.values())}
    kinds = set()
    for seed in MANY:
        new = edited(row, Head.TAG, seed)
        assert len(new["tokens"]) == len(new["tags"]) > 0
        pairs = list(zip(new["tokens"], new["tags"], strict=True))
        assert all(word == "[MASK]" or tags[word] == tag for word, tag in pairs)
        for place, tag in enumerate(new["tags"]):
            assert tag != "I-PER" or new["tags"][place - 1] == "B-PER"
        kinds.add(tuple(new["tokens"]))
    assert len(kinds) > 20


@pytest.mark.parametrize(
    ("context", "answer"),
    [("the house is old. (anna) met him in the wide street", "anna"), ("anna", "anna"), ("by the sea anna b", "anna b"),
     ("we saw it:\nthe old sea, by day", "the old sea")],
)
def test_an_answer_stays_where_its_offset_says(context: str, answer: str) -> None:
    row = {"question": "who?", "context": context,
           "answers": {"text": [answer, "x"], "answer_start": [context.index(answer), 0]}}
    for seed in MANY:
        new = edited(row, Head.SPAN, seed)
        start = new["answers"]["answer_start"][0]
        assert new["answers"]["text"] == [answer]
        assert new["context"][start : start + len(answer)] == answer
        assert new["question"] == "who?"
    assert len(context.split()) < 5 or len({edited(row, Head.SPAN, seed)["context"] for seed in MANY}) > 20


def test_a_text_to_be_written_is_not_edited() -> None:
    row = {"source": "a small red house on a long hill", "target": "una casa roja"}
    made = [edited(row, Head.GENERATE, seed) for seed in MANY]
    assert {new["target"] for new in made} == {"una casa roja"}
    assert len({new["source"] for new in made}) > 20


@pytest.mark.parametrize("text", ["", "word"])
def test_what_cannot_be_edited_stays_readable(text: str) -> None:
    for seed in MANY:
        assert edited({"text": text, "label": "good"}, Head.CLASSIFY, seed)["text"] in (text, "[MASK]", "word word")


@pytest.mark.parametrize("head", Head)
def test_augmented_trainings_have_the_steps_of_plain_ones_and_see_edited_rows(root: Path, head: Head) -> None:
    made = learner(root, head, Family.ENCODER, "augment[alpha=0.3]")
    plain = learner(root, head, Family.ENCODER, "full")
    assert made.versions is not None
    shown = made.versions.epoch(random.Random(0))
    assert len(shown) == len(plain.train_examples)
    unedited = [example["ids"] for example in plain.train_examples]
    assert 0 < sum(example["ids"] not in unedited for example in shown) < len(shown)
    fitted, other = (m.fit(1e-3, 1, lambda predictions: 0.0, lambda point: True, 2) for m in (made, plain))
    assert (fitted.steps, fitted.examples) == (other.steps, other.examples)


# -- Task-adaptive pretraining --


def state(network: Network) -> dict[str, torch.Tensor]:
    return {name: p.detach() for name, p in network.backbone.named_parameters()}


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("head", [Head.SPAN, Head.GENERATE])
def test_all_trainings_start_from_the_same_adapted_weights(root: Path, head: Head, family: Family) -> None:
    """They differ from the checkpoint's wherever its objective reaches, and are the same in every run."""
    method = "domain_adaptive[steps=4,rate=1e-3]"
    adapted, again = (state(learner(root, head, family, method)._network(seed)) for seed in (1, 2))
    plain = state(learner(root, head, family, "full")._network(1))
    assert adapted.keys() == plain.keys()
    assert all(torch.equal(adapted[name], again[name]) for name in adapted)
    same = {name for name in plain if torch.equal(plain[name], adapted[name])}
    assert all("token_type" in name or "key.bias" in name or "cross" in name for name in same), same


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_the_objective_is_the_models_own_and_it_gets_better_at_it(
    root: Path, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mean loss of the tokens that are missing from the training texts falls."""
    done = continued(root, family, monkeypatch)
    assert np.mean([point.loss for point in done.curve[-2:]]) < 0.8 * np.mean([p.loss for p in done.curve[:2]])


def continued(
    root: Path, family: Family, monkeypatch: pytest.MonkeyPatch, options: str = "steps=60,rate=2e-4,batch=8"
) -> Trained:
    """The pretraining of a learner that is opened."""
    found: list[Trained] = []

    def watched(*arguments: Any, **named: Any) -> Trained:
        found.append(train(*arguments, **named))
        return found[-1]

    monkeypatch.setattr(adapt, "train", watched)
    learner(root, Head.CLASSIFY, family, f"domain_adaptive[{options}]")
    return found[0]


def test_a_pretraining_that_diverges_says_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapt, "language_loss", lambda network, batch: next(network.parameters()).sum() * float("nan"))
    with pytest.raises(DivergedError, match="continued pretraining: the training loss was nan by step 1"):
        learner(root, Head.CLASSIFY, Family.ENCODER, "domain_adaptive[steps=10]")


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_its_loss_is_that_of_transformers(root: Path, family: Family) -> None:
    """Computed there over whole sequences, with labels."""
    from bench.learn.checkpoint import load_language_model, load_tokenizer

    model = tiny.checkpoint(family, root / str(family))
    tokenizer, backbone = load_tokenizer(model, None), load_language_model(model, None).eval()
    recipe = Recipe("adapted", family, length=32)
    documents = encode(recipe, tokenizer, tiny.TEXT)
    batch = make_batch(recipe, vocabulary_of(tokenizer), documents, np.random.default_rng(0))
    shape = batch.inputs.shape if batch.decoder_inputs is None else batch.decoder_inputs.shape
    labels = torch.full(shape, -100).flatten()
    labels[batch.positions] = batch.labels
    inputs: dict[str, Any] = {"input_ids": batch.inputs, "attention_mask": batch.attention}
    if batch.decoder_inputs is not None:
        inputs["decoder_input_ids"] = batch.decoder_inputs
    scores = backbone(**inputs).logits.flatten(0, 1)
    expected = torch.nn.functional.cross_entropy(scores, labels)
    found = adapt.language_loss(Network(backbone, family, None), adapt.in_rows(batch))
    assert torch.allclose(found, expected, atol=1e-5)


def test_only_the_inputs_of_training_rows_are_read(root: Path) -> None:
    """Neither their answers nor the rows of validation; test rows a learner does not have before it predicts."""
    model = tiny.checkpoint(Family.ENCODER, root / "encoder")
    wanted = tiny.assignment(Head.GENERATE, model, "domain_adaptive[steps=1]")
    wanted = dataclasses.replace(wanted, validation=[{"source": "a secret", "target": "b secret"}])
    read: list[str] = []

    def watched(recipe: Recipe, tokenizer: Any, documents: list[str]) -> list[list[int]]:
        read.extend(documents)
        return encode(recipe, tokenizer, documents)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapt, "encode", watched)
        ModelLearner(wanted)
    assert read == [row["source"] for row in wanted.train]


def test_a_model_whose_objective_is_not_known_is_refused_in_one_sentence(root: Path) -> None:
    made = learner(root, Head.CLASSIFY, Family.ENCODER_DECODER, "full")
    made.head.tokenizer.convert_ids_to_tokens = lambda ids: ["x"] * len(ids)
    with pytest.raises(UnsupportedError, match="missing spans") as caught:
        adapt.adapt(made, steps=1, rate=1e-4, batch_size=8)
    assert "\n" not in str(caught.value)


# -- A searched depth --


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize(("thirds", "layers"), [(0, 0), (1, 1), (2, 1), (3, 2)])
def test_as_many_layers_train_as_were_chosen(root: Path, family: Family, thirds: int, layers: int) -> None:
    """The upper ones of each stack; the embeddings only with all of them."""
    made = learner(root, Head.GENERATE, family, "freeze_auto", evaluations=1, epochs=1)
    counted = made.parameters
    made.fit(1e-3, 1, lambda predictions: 0.0, lambda point: True, 1, {"thirds": thirds})
    network = made._network(0)
    for stack in network.stacks():
        trains = [any(p.requires_grad for n, p in layer.named_parameters() if "cross" not in n) for layer in stack]
        assert trains == [False] * (2 - layers) + [True] * layers
    assert {p.requires_grad for m in network.embeddings() for p in m.parameters()} == {thirds == 3}
    assert made.parameters.trainable == sum(p.numel() for p in network.parameters() if p.requires_grad)
    assert (made.parameters == counted) == (thirds in (1, 2))


# -- Distillation --


def wanted(root: Path, head: Head, family: Family, options: str = "", **budget: Any) -> Assignment:
    """With a teacher that is larger; for two of the families it has another architecture and tokenizer."""
    named = f"distill[teacher={tiny.teacher(root / 'teacher')}{options}]"
    return tiny.assignment(head, tiny.checkpoint(family, root / str(family)), named, **budget)


class Watched(ModelLearner):
    """Keeps the learner that was opened last: in a distillation the teacher's."""

    last: ModelLearner

    def __init__(self, assignment: Assignment) -> None:
        super().__init__(assignment)
        Watched.last = self


def student_and_teacher(root: Path, head: Head, family: Family, options: str = "") -> tuple[ModelLearner, ModelLearner]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distill, "ModelLearner", Watched)
        return ModelLearner(wanted(root, head, family, options)), Watched.last


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("head", [Head.CLASSIFY, Head.TAG])
def test_the_students_objective_is_hintons(root: Path, head: Head, family: Family) -> None:
    """Computed again from the teacher's network, row by row and word by word."""
    made, teacher = student_and_teacher(root, head, family, ",alpha=0.3,temperature=3")
    network = made._network(1).eval()
    batch = made.head.collate(made.train_examples, made.torch_device)
    with torch.no_grad():
        loss, objective = made._losses(network, batch)
        ours, theirs = (scores_of(m, n) for m, n in ((made, network), (teacher, teacher.network)))
    assert len(ours) == len(theirs)
    apart = [
        float((p * (p.log() - (a / 3).log_softmax(-1))).sum())
        for a, p in ((a, (b / 3).softmax(-1)) for a, b in zip(ours, theirs, strict=True))
    ]
    assert float(objective) == pytest.approx(0.7 * float(loss) + 0.3 * 9 * float(np.mean(apart)), rel=1e-4)
    assert float(objective) != pytest.approx(float(loss), rel=1e-3)


def scores_of(made: ModelLearner, network: Network) -> list[torch.Tensor]:
    """Scores of every row, or of every word of every row, each read by itself."""
    found = []
    for number, example in enumerate(made.train_set.examples):
        features = made.head.features(network.eval(), made.head.collate([example], made.torch_device))
        assert network.head is not None
        scores = network.head(features)[0]
        places = made.train_set.notes[number][1] if scores.dim() > 1 else None
        found += [scores] if places is None else [scores[places[word]] for word in sorted(places)]
    return found


def test_a_student_of_the_teacher_alone_scores_as_it_does(root: Path) -> None:
    """Whatever the labels say; and the teacher is not trained again."""
    made, teacher = student_and_teacher(root, Head.CLASSIFY, Family.ENCODER, ",alpha=1.0")
    kept = [p.detach().clone() for p in teacher.network.parameters()]
    made.train_examples = [{**example, "soft": torch.tensor([2.0, 0.0])} for example in made.train_examples]
    made.fit(5e-3, 1, lambda predictions: 0.0, lambda point: True, 20)
    with torch.no_grad():
        ours = torch.stack(scores_of(made, made.network)).softmax(-1)
    assert torch.allclose(ours, torch.tensor([2.0, 0.0]).softmax(-1).expand_as(ours), atol=0.1)
    assert all(torch.equal(a, b) for a, b in zip(kept, teacher.network.parameters(), strict=True))


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("head", [Head.SPAN, Head.GENERATE])
def test_spans_and_texts_are_learnt_from_the_teachers_answers(root: Path, head: Head, family: Family) -> None:
    made, teacher = student_and_teacher(root, head, family, ",alpha=1.0")
    answers = teacher._answers(teacher.network, teacher.train_set, teacher.train_set.examples)[0]
    column = made.assignment.task.reference
    rows = [distill._answered(made, row, answer) for row, answer in zip(made.assignment.train, answers, strict=True)]
    expected = made.head.encode(rows, targets=True).examples
    assert made.versions is not None
    assert made.versions.epoch(random.Random(0)) == list(expected)
    for row, answer in zip(rows, answers, strict=True):
        if head is Head.SPAN and answer:
            start = row[column]["answer_start"][0]
            assert row["context"][start : start + len(answer)] == answer
        if head is Head.GENERATE:
            assert row[column] == answer


def test_a_span_that_occurs_twice_is_the_one_nearest_to_the_right_one(root: Path) -> None:
    made = learner(root, Head.SPAN, Family.ENCODER, "full")
    row = {"question": "?", "context": "anna saw anna and anna", "answers": {"text": ["saw"], "answer_start": [5]}}
    assert distill._answered(made, row, "anna")["answers"] == {"text": ["anna"], "answer_start": [9]}
    assert distill._answered(made, row, "marta") == row
    assert distill._answered(made, row, "") == row


def test_a_teacher_that_was_there_when_the_run_was_planned_is_a_failure_to_be_tried_again(root: Path) -> None:
    """A hub that is down for a minute says nothing about what the method can do."""
    given = wanted(root, Head.CLASSIFY, Family.ENCODER)
    chosen = dataclasses.replace(given.others["teacher"].model, package="no_such_package")
    given = dataclasses.replace(given, others={"teacher": Pinned(chosen, "c0ffee" * 6 + "c0de")})
    with pytest.raises(UnavailableError, match="not installed"):
        ModelLearner(given)


@pytest.mark.parametrize(
    ("teacher", "words"), [("encoder", "is no larger than"), ("missing", "cannot be had here")]
)
def test_a_teacher_that_cannot_teach_is_refused_in_one_sentence(root: Path, teacher: str, words: str) -> None:
    model = tiny.checkpoint(Family.ENCODER, root / "encoder")
    given = wanted(root, Head.CLASSIFY, Family.ENCODER)
    chosen = model if teacher == "encoder" else dataclasses.replace(model, name="minilm", package="no_such_package")
    given = dataclasses.replace(given, others={"teacher": Pinned(chosen)})
    with pytest.raises(UnsupportedError, match=words) as caught:
        ModelLearner(given)
    assert "distill[teacher=NAME]" in str(caught.value)
    assert "\n" not in str(caught.value)
