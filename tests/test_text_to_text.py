"""Models that answer every task by writing: the texts of answers, what is read back, and what learns to write them."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from bench import catalog, estimate, score
from bench.errors import UnsupportedError
from bench.learn import distill
from bench.learn.checkpoint import load_tokenizer
from bench.learn.fit import ModelLearner, open_learner
from bench.learn.forms import Read
from bench.learn.heads import open_head
from bench.learn.heads.generate import Generate
from bench.learner import Assignment, Fitted
from bench.models import MODELS, WRITERS
from bench.record import Health
from bench.spec import Budget, Family, Head, Model, Row, Task
from leaderboard import health
from tests import fake_records, fakes, tiny

torch.set_num_threads(1)

pytestmark = pytest.mark.usefixtures("float32")

BUNDLED = ("t5-mini-text", "gpt2-mini-text")
ANSWERED = (Head.CLASSIFY, Head.TAG, Head.SPAN)
"""The heads that a writing model answers in another way than its plain twin."""


tokenizer_of = functools.cache(lambda name: load_tokenizer(catalog.model(name), None))


def writer(
    task: Task, rows: Sequence[Row], labels: Sequence[str] = (), model: str = "t5-mini-text", **changes: Any
) -> Generate:
    """The head of a bundled model that writes."""
    method, options = catalog.method("full")
    row = dataclasses.replace(catalog.model(model), **changes)
    head = open_head(
        Assignment(task, row, method, options, Budget(), rows, rows, tuple(labels)), tokenizer_of(model)
    )
    assert isinstance(head, Generate)
    return head


def tagger(*sentences: Row, model: str = "t5-mini-text") -> Generate:
    labels = sorted({tag for row in sentences for tag in row["tags"]} | {"B-PER", "B-LOC", "I-PER"} - {"O"})
    return writer(catalog.task("ner"), sentences, ("O", *labels), model)


def sentence(words: str, tags: str) -> Row:
    return {"tokens": words.split(), "tags": [tag if tag == "O" else f"{tag[0]}-{tag[1:]}" for tag in tags.split()]}


SENTENCES = {
    "at both ends": sentence("anna met tom green", "BPER O BPER IPER"),
    "side by side": sentence("anna tom green oslo", "BPER BPER IPER BLOC"),
    "all of it": sentence("new york", "BLOC ILOC"),
    "none": sentence("it rains .", "O O O"),
    "the same twice": sentence("anna and anna", "BPER O BPER"),
    "other alphabets": sentence("José é de Málaga ... naïve ﬁn", "BPER O O BLOC O O BPER"),
    "marks within": sentence("o'neil ; of st. john's : here", "BPER O O BLOC ILOC O O"),
    "part of a word before": sentence("annabel saw anna", "O O BPER"),
    "a type with marks": sentence("the b.b.c. said", "O Bcreative-work O"),
}


# -- What is written, and what comes back --


@pytest.mark.parametrize("model", BUNDLED)
@pytest.mark.parametrize("row", SENTENCES.values(), ids=SENTENCES)
def test_the_tags_of_a_sentence_come_back_from_its_list_of_entities(row: Row, model: str) -> None:
    head = tagger(row, model=model)
    assert head.form.returns(row)
    assert head.form.read(head.form.spell(head.form.target(row)), {"tokens": row["tokens"]}) == Read(row["tags"])


def test_entities_are_written_in_order_of_appearance() -> None:
    row = SENTENCES["side by side"]
    assert tagger(row).form.target(row) == "per: anna; per: tom green; loc: oslo"
    assert tagger(row).form.target(SENTENCES["none"]) == "none"


def test_a_training_row_whose_list_is_read_at_another_place_is_counted() -> None:
    """The words of the mention stood there before, untagged: a list without places cannot tell."""
    lost = sentence("paris met paris", "O O BPER")
    head = tagger(lost, SENTENCES["at both ends"])
    assert not head.form.returns(lost)
    assert head.encode([lost, SENTENCES["at both ends"]], targets=True).truncated == 1
    assert head.encode([{"tokens": lost["tokens"]}], targets=False).truncated == 0


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("", "O O O O O"),
        ("anna", "O O O O O"),
        ("per: marta", "O O O O O"),
        ("per: ann", "O O O O O"),
        ("per:", "O O O O O"),
        ("animal: anna", "O O O O O"),
        ("per: anna; per: marta", "BPER O O O O"),
        ("per: anna; animal: oslo", "O O O O O"),
        ("loc: oslo; per: anna", "O O O O BLOC"),
        ("per: marta; loc: oslo", "O O O O BLOC"),
        ("none; per: anna", "BPER O O O O"),
    ],
)
def test_a_list_that_is_in_part_no_answer_is_invalid_and_keeps_what_is_there(text: str, tags: str) -> None:
    row = sentence("anna met tom in oslo", tags)
    assert tagger(SENTENCES["side by side"]).form.read(text, row) == Read(row["tags"], valid=False)


REVIEWS: list[Row] = [{"text": "we loved it", "label": "positive"}, {"text": "we did not", "label": "negative"}]
SENTIMENT = catalog.task("sentiment")


@pytest.mark.parametrize("model", BUNDLED)
def test_labels_are_written_as_their_words_and_nothing_else_is_a_label(model: str) -> None:
    form = writer(SENTIMENT, REVIEWS, ("negative", "positive"), model).form
    assert [form.target(row) for row in REVIEWS] == ["good", "bad"]
    assert [form.read(form.spell(form.target(row)), row).prediction for row in REVIEWS] == ["positive", "negative"]
    for text in ("", "goo", "good good", "positive", "Good"):
        assert form.read(text, REVIEWS[0]) == Read(None, valid=False)


def test_a_model_that_knows_the_task_by_its_prompt_is_given_the_published_format() -> None:
    """Raffel et al. 2020, appendix D: SST2 and SQuAD."""
    form = writer(SENTIMENT, REVIEWS, ("negative", "positive"), prompted=True).form
    assert form.source(REVIEWS[0]) == "sst2 sentence: we loved it"
    assert form.target(REVIEWS[0]) == "positive"
    asked = {"question": "who?", "context": "tom did.", "answers": {"text": ["tom"], "answer_start": [0]}}
    form = writer(catalog.task("qa"), [asked]).form
    assert form.source(asked) == "question: who? context: tom did."
    assert form.target(asked) == "tom"
    assert form.read("anna", asked) == Read("anna")


def test_labels_that_cannot_be_told_apart_or_written_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="'yes' and 'yes ' would both be written as 'yes'"):
        writer(SENTIMENT, [{"text": "a", "label": "yes"}], ("yes", "yes "))
    with pytest.raises(UnsupportedError, match="the label '漢' cannot be written"):
        writer(SENTIMENT, [{"text": "a", "label": "漢"}], ("a", "漢"))


@pytest.mark.parametrize("model", BUNDLED)
def test_a_context_that_does_not_fit_is_cut_and_counted_and_the_question_is_kept(model: str) -> None:
    """One example a row, without windows: a row is written for once."""
    answers = {"text": ["tom"], "answer_start": [0]}
    rows = [{"question": "who sang?", "context": "tom sang. " * times, "answers": answers} for times in (3, 300)]
    head = writer(catalog.task("qa"), rows, (), model)
    encoded = head.encode(rows, targets=False)
    assert (len(encoded.examples), encoded.truncated) == (2, 1)
    text = head.tokenizer.decode(encoded.examples[1]["ids"]).strip()
    assert text.startswith("question: who sang? context: tom sang.")
    assert head.cue == ("" if model == "t5-mini-text" else " answer:")
    assert text.removesuffix("</s>").endswith(head.cue)


# -- What learns to write --


def accept(predictions: Sequence[Any]) -> float:
    return 0.0


def opened(root: Path, head: Head, method: str = "full", kind: str = tiny.WRITER, **budget: Any) -> ModelLearner:
    model = dataclasses.replace(tiny.checkpoint(kind, root / kind), writes=True)
    return ModelLearner(tiny.assignment(head, model, method, **{"batch_size": 8, "evaluations": 1, **budget}))


def right(head: Head, predictions: Sequence[Any]) -> float:
    """Share of the tiny rows that are answered exactly."""
    column = tiny.TASKS[head].reference
    wanted = [row[column]["text"][0] if head is Head.SPAN else row[column] for row in tiny.rows(head)]
    return float(sum(a == b for a, b in zip(predictions, wanted, strict=True)) / len(wanted))


LEARNING = [*((head, tiny.WRITER) for head in ANSWERED), (Head.CLASSIFY, Family.DECODER)]
EACH_LEARNT = pytest.mark.parametrize(("head", "kind"), LEARNING, ids=str)


@functools.cache
def learnt(root: Path, head: Head, kind: str) -> Fitted:
    made = opened(root, head, "full", kind, epochs=300, evaluations=20, patience=99)
    return made.fit(1e-2, 1, lambda p: right(head, p), lambda point: point.validation < 1, 300)


@EACH_LEARNT
def test_a_training_set_is_learnt_by_heart_in_writing(root: Path, head: Head, kind: str) -> None:
    fitted = learnt(root, head, kind)
    assert fitted.value == 1
    answered = fitted.predict(tiny.rows(head))
    assert right(head, answered.predictions) == 1
    assert answered.health.invalid == answered.health.capped == 0


@EACH_LEARNT
def test_padding_batch_size_and_order_do_not_change_what_is_written(
    root: Path, head: Head, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a model that writes real answers, of different lengths."""
    fitted = learnt(root, head, kind)
    rows = tiny.rows(head)
    together = list(fitted.predict(rows).predictions)
    tiny.predict_by(monkeypatch, 40)
    assert list(fitted.predict(rows[::-1]).predictions)[::-1] == together
    assert [fitted.predict([row]).predictions[0] for row in rows] == together


@pytest.mark.parametrize("head", [Head.CLASSIFY, Head.TAG])
def test_what_an_untrained_model_writes_is_counted_as_invalid_and_scored_as_wrong(root: Path, head: Head) -> None:
    made = opened(root, head, epochs=1)
    answered = made.fit(1e-9, 1, accept, lambda point: True, 1).predict(tiny.rows(head))
    assert answered.health.invalid == len(tiny.rows(head))
    references = [row[tiny.TASKS[head].reference] for row in tiny.rows(head)]
    metric = score.METRICS["accuracy" if head is Head.CLASSIFY else "entity_f1"]
    assert set(metric.compute(predictions=answered.predictions, references=references).values()) == {0.0}
    if head is Head.CLASSIFY:
        assert set(answered.predictions) == {None}
        assert answered.health.empty == 0


def test_the_plain_model_counts_no_invalid_answers(root: Path) -> None:
    made = ModelLearner(tiny.assignment(Head.TAG, tiny.checkpoint(Family.ENCODER, root / "encoder"), "full"))
    assert made.fit(1e-9, 1, accept, lambda point: True, 1).predict(tiny.rows(Head.TAG)).health.invalid == 0


def test_an_answer_may_be_as_long_as_the_longest_in_training_and_the_rest_is_capped(root: Path) -> None:
    made = opened(root, Head.TAG)
    assert isinstance(made.head, Generate)
    longest = max(len(example["labels"]) for example in made.train_set.examples)
    assert longest < made.head.cap <= tiny.TASKS[Head.TAG].input_tokens
    answered = made.fit(1e-9, 1, accept, lambda point: True, 1).predict(tiny.rows(Head.TAG))
    assert answered.health.capped == len(tiny.rows(Head.TAG))


# -- Methods that look at answers --


@pytest.mark.parametrize("head", ANSWERED)
def test_a_model_that_writes_learns_from_its_teachers_answers(root: Path, head: Head) -> None:
    """A teacher that gives labels or tags has no scores of the student's words."""
    made = opened(root, head, f"distill[teacher={tiny.teacher(root / 'teacher')}]")
    assert made.objective is None
    assert made.versions is not None
    column, row = tiny.TASKS[head].reference, tiny.rows(head)[0]
    assert distill._answered(made, row, None) == row
    if head is not Head.SPAN:
        assert distill._answered(made, row, "other")[column] == "other"


def test_a_teacher_that_writes_is_asked_for_answers(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its scores are of words, not of labels."""
    large = dataclasses.replace(tiny.checkpoint(tiny.WRITER, root / tiny.WRITER), name="large")
    monkeypatch.setattr(catalog, "model", lambda name: large)
    given = tiny.assignment(Head.CLASSIFY, tiny.checkpoint(Family.ENCODER, root / "encoder"), "distill[teacher=large]")
    made = ModelLearner(given)
    assert made.objective is None
    assert made.versions is not None


def test_a_model_that_writes_is_asked_for_labels_as_its_plain_twin_is(root: Path) -> None:
    """Zero-shot compares the likelihoods of label words, and nothing is written."""
    plain = tiny.checkpoint(Family.ENCODER_DECODER, root / "plain")
    task = dataclasses.replace(tiny.TASKS[Head.CLASSIFY], template="{text} it was {answer}.")
    given = dataclasses.replace(tiny.assignment(Head.CLASSIFY, plain, "zero_shot"), task=task)

    def answers(model: Model) -> list[Any]:
        asked = open_learner(dataclasses.replace(given, model=model)).fit(None, 1, accept, lambda point: True, 1)
        return list(asked.predict(tiny.rows(Head.CLASSIFY)).predictions)

    assert answers(dataclasses.replace(plain, writes=True)) == answers(plain)


# -- Around it --


def test_a_model_that_writes_shares_the_checkpoint_of_its_plain_row() -> None:
    for name in WRITERS:
        plain, writes = catalog.model(name), catalog.model(f"{name}-text")
        assert dataclasses.replace(plain, name=writes.name, writes=True, note=writes.note) == writes
        assert "text to text" in writes.note
    assert {row.name for row in MODELS if row.writes} == {f"{name}-text" for name in WRITERS}


def test_a_cell_that_writes_takes_as_long_as_one_that_generates() -> None:
    plain, writes = (
        dataclasses.replace(fakes.cell(), model=catalog.model(name)) for name in ("t5-mini", "t5-mini-text")
    )
    generating = dataclasses.replace(plain, task=dataclasses.replace(plain.task, head=Head.GENERATE))
    assert estimate.seconds(plain) < estimate.seconds(writes) == estimate.seconds(generating)


def test_invalid_answers_are_told_beside_the_score() -> None:
    record = fake_records.record("sentiment", "t5-mini", "full")
    finals = tuple(
        dataclasses.replace(final, health=Health(invalid=invalid, distinct=2))
        for invalid, final in enumerate(record.finals, start=1)
    )
    assert health.words(dataclasses.replace(record, finals=finals)) == ("3 invalid answers",)
    assert health.words(dataclasses.replace(record, finals=finals[:1])) == ("1 invalid answer",)
