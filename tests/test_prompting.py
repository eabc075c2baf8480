"""Methods that train nothing: what is asked, how answers are scored and written, and what a record says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import safetensors.torch
import torch
from torch import Tensor

from bench import catalog, estimate
from bench import cell as cells
from bench.commands.list import LISTS
from bench.errors import DivergedError, UnsupportedError
from bench.learn import likelihood
from bench.learn.fit import open_learner
from bench.learn.likelihood import Specials, masked
from bench.learn.prompting import PromptingLearner
from bench.learn.wording import Question, Wording, draw, template_of
from bench.learner import Assignment
from bench.methods import few_shot, zero_shot
from bench.record import Outcome, Record, from_json, to_json
from bench.spec import Family, Head, Method, Row
from leaderboard import figures, frame, markdown, single, tables
from tests import fakes, tiny

torch.set_num_threads(1)

pytestmark = pytest.mark.usefixtures("float32")
METHODS: dict[str, Method] = {"zero_shot": zero_shot.METHOD, "few_shot": few_shot.METHOD}
WORDS = {"good": "happy", "bad": "dreadful slow"}
"""The second label is of several tokens in every tiny vocabulary."""
TEMPLATES = {
    Head.CLASSIFY: "{text} it was {answer}, they were.",
    Head.SPAN: "{context} {question} {answer}",
    Head.GENERATE: "",
}
SUPPORTED = [
    (name, head, family)
    for name in METHODS
    for head in TEMPLATES
    for family in tiny.FAMILIES
    if head is Head.CLASSIFY or family is not Family.ENCODER
]


def assignment(root: Path, name: str, head: Head, family: Family, k: int = 3, **changes: Any) -> Assignment:
    given = tiny.assignment(head, tiny.checkpoint(family, root / str(family)), "full")
    task = replace(given.task, template=TEMPLATES.get(head, ""), verbalizers=WORDS if head is Head.CLASSIFY else {})
    options = {"k": k} if name == "few_shot" else {}
    return replace(given, method=METHODS[name], options=options, task=replace(task, **changes))


def learner(root: Path, name: str, head: Head, family: Family, k: int = 3, **changes: Any) -> PromptingLearner:
    opened = open_learner(assignment(root, name, head, family, k, **changes))
    assert isinstance(opened, PromptingLearner)
    return opened


def accept(predictions: Sequence[Any]) -> float:
    return 0.0


def predictions(made: PromptingLearner, rows: Sequence[Row], seed: int = 1) -> list[Any]:
    return list(made.fit(None, seed, accept, lambda point: True, 1).predict(rows).predictions)


def question(made: PromptingLearner, row: Row, examples: Sequence[tuple[int, ...]] = ()) -> Question:
    return made.wording.question(row, examples, 120)


def written_out(made: PromptingLearner, row: Row, label: str) -> float:
    """The score of a label computed one token at a time, with transformers and torch only."""
    asked, word = question(made, row), made.wording.answer(WORDS[label])
    model, marks, total = cast(Any, made.network.backbone), made.marks, 0.0
    before, after = list(asked.before), list(asked.after)
    for i, token in enumerate(word):
        known = list(word[:i])
        if made.model.family is Family.ENCODER:
            blanks = [cast(int, marks.mask)] * (len(word) - i)
            ids = [*marks.lead, *before, *known, *blanks, *after, *marks.tail]
            logits = model(input_ids=torch.tensor([ids])).logits[0, len(marks.lead) + len(before) + i]
        elif made.model.family is Family.DECODER:
            logits = model(input_ids=torch.tensor([before + known])).logits[0, -1]
        else:
            start = [0] if marks.gap is None else [0, marks.gap]
            ids = [*before, *marks.tail] if marks.gap is None else [*before, marks.gap, *after, *marks.tail]
            target = torch.tensor([start + known])
            logits = model(input_ids=torch.tensor([ids]), decoder_input_ids=target).logits[0, -1]
        total += float(cast(Tensor, logits).log_softmax(-1)[token])
    return total


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_label_scores_are_those_of_a_slow_computation_one_token_at_a_time(root: Path, family: Family) -> None:
    made = learner(root, "zero_shot", Head.CLASSIFY, family)
    assert len(made.wording.answer(WORDS["bad"])) > len(made.wording.answer(WORDS["good"])) >= 1
    rows = tiny.rows(Head.CLASSIFY)[:5]
    with torch.inference_mode():
        scores = made.scores([question(made, row) for row in rows])
        expected = [[written_out(made, row, label) for label in ("bad", "good")] for row in rows]
    for one, other in zip(scores, expected, strict=True):
        assert one == pytest.approx(other, abs=1e-4)
    best = [("bad", "good")[row.index(max(row))] for row in expected]
    assert predictions(made, rows) == best


@torch.inference_mode()
def test_a_causal_score_is_the_loss_that_transformers_computes(root: Path) -> None:
    """An oracle with no code of ours: labels of -100 on everything but the answer."""
    made = learner(root, "zero_shot", Head.CLASSIFY, Family.DECODER)
    asked, word = question(made, tiny.rows(Head.CLASSIFY)[0]), made.wording.answer(WORDS["bad"])
    ids = torch.tensor([[*asked.before, *word]])
    labels = ids.clone()
    labels[:, : len(asked.before)] = -100
    loss = cast(Any, made.network.backbone)(input_ids=ids, labels=labels).loss
    assert made.scores([asked])[0][0] == pytest.approx(-float(loss) * len(word), abs=1e-4)


@torch.inference_mode()
def test_an_encoder_decoder_that_learnt_by_gaps_is_asked_with_one(tmp_path: Path) -> None:
    """With sentinels in the vocabulary the answer is the span that the first stands for, after it in the target."""
    model = tiny.checkpoint(Family.ENCODER_DECODER, tmp_path)
    from transformers import AutoTokenizer, T5ForConditionalGeneration

    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    tokenizer.add_special_tokens({"extra_special_tokens": list(likelihood.SENTINELS)})
    tokenizer.save_pretrained(tmp_path)
    network = T5ForConditionalGeneration.from_pretrained(tmp_path)
    network.resize_token_embeddings(len(tokenizer))
    network.save_pretrained(tmp_path)
    given = assignment(tmp_path, "zero_shot", Head.CLASSIFY, Family.ENCODER_DECODER)
    made = PromptingLearner(replace(given, model=model))
    gap = made.marks.gap
    assert gap == tokenizer.convert_tokens_to_ids("<extra_id_0>")
    row = tiny.rows(Head.CLASSIFY)[1]
    asked = question(made, row)
    (probe, *_) = made._probes(asked, made.wording.answer("happy"))
    assert probe.ids == (*asked.before, gap, *asked.after, *made.marks.tail)
    assert probe.target[:2] == (0, gap)
    expected = [written_out(made, row, label) for label in ("bad", "good")]
    assert made.scores([asked])[0] == pytest.approx(expected, abs=1e-4)


def test_a_later_piece_of_a_word_does_not_give_an_earlier_one_away() -> None:
    marks = Specials((2,), (3,), 4, None, None)
    probes = masked(Question((10, 11), (12,), False, 0), (20, 21), marks)
    assert [probe.ids for probe in probes] == [(2, 10, 11, 4, 4, 12, 3), (2, 10, 11, 20, 4, 12, 3)]
    assert [(probe.position, probe.token) for probe in probes] == [(3, 20), (4, 21)]


@pytest.mark.parametrize(("name", "head", "family"), SUPPORTED)
def test_padding_batch_size_and_order_do_not_change_predictions(
    root: Path, name: str, head: Head, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, rows = learner(root, name, head, family, k=2), tiny.rows(head)
    together = predictions(made, rows)
    assert predictions(made, rows[::-1])[::-1] == together
    tiny.predict_by(monkeypatch, 1)
    assert predictions(made, rows) == together


@pytest.mark.parametrize("family", [Family.DECODER, Family.ENCODER_DECODER])
def test_a_written_answer_is_the_greedy_continuation_of_the_question_alone(root: Path, family: Family) -> None:
    made = learner(root, "few_shot", Head.GENERATE, family, k=1)
    rows = tiny.rows(Head.GENERATE)
    example = made.wording.demonstration(draw(made.task, rows, 1, 1)[0])
    for row, answer in zip(rows, predictions(made, rows), strict=True):
        asked = question(made, row, [example])
        if family is Family.DECODER:
            assert asked.before[: len(example)] == example
        read, begun = made._asked(asked)
        ids, written = list(asked.before), list(begun)
        for _ in range(made.cap):
            if family is Family.DECODER:
                logits = cast(Any, made.network.backbone)(input_ids=torch.tensor([ids])).logits[0, -1]
                ids.append(int(logits.argmax()))
            else:
                inputs, target = torch.tensor([read]), torch.tensor([written])
                logits = cast(Any, made.network.backbone)(input_ids=inputs, decoder_input_ids=target).logits[0, -1]
                written.append(int(logits.argmax()))
        new = ids[len(asked.before) :] if family is Family.DECODER else written[len(begun) :]
        ends = {made.tokenizer.eos_token_id, made.marks.gap_end}
        first = next((n for n, token in enumerate(new) if token in ends), len(new))
        text = made.tokenizer.decode(new[:first], skip_special_tokens=True)
        assert answer == (text.strip().splitlines() or [""])[0].strip()


@pytest.mark.parametrize(("name", "head", "family"), SUPPORTED)
def test_nothing_trains_and_nothing_is_stored(root: Path, name: str, head: Head, family: Family) -> None:
    made = learner(root, name, head, family)
    fitted = made.fit(None, 1, accept, lambda point: True, made.assignment.budget.epochs)
    assert (made.parameters.trainable, made.parameters.stored_bytes) == (0, 0)
    assert made.parameters.total > 0
    assert not any(p.requires_grad for p in made.network.parameters())
    assert (fitted.state, fitted.value, fitted.steps, fitted.curve) == ("COMPLETE", None, 0, ())


def test_examples_are_training_rows_drawn_by_the_seed_and_evenly_over_labels(root: Path) -> None:
    task, rows = tiny.TASKS[Head.CLASSIFY], tiny.rows(Head.CLASSIFY)
    drawn = [draw(task, rows, 4, seed) for seed in range(6)]
    assert all(row in rows for chosen in drawn for row in chosen)
    assert all(sorted(row["label"] for row in chosen) == ["bad", "bad", "good", "good"] for chosen in drawn)
    assert draw(task, rows, 4, 3) == drawn[3]
    assert len({str(chosen) for chosen in drawn}) > 1
    assert len(draw(task, rows, 99, 1)) == len(rows)
    assert draw(task, rows, 0, 1) == []


def test_every_seed_of_few_shot_shows_other_examples_and_zero_shot_none(root: Path) -> None:
    made = learner(root, "few_shot", Head.CLASSIFY, Family.DECODER)
    seen: list[tuple[Any, ...]] = []
    ask = made.wording.question

    def spying(row: Row, examples: Sequence[tuple[int, ...]], room: int) -> Question:
        seen.append(tuple(examples))
        return ask(row, examples, room)

    made.wording.question = spying  # type: ignore[method-assign]
    for seed in (1, 2, 1):
        predictions(made, tiny.rows(Head.CLASSIFY)[:1], seed)
    assert seen[0] == seen[2] != seen[1]
    assert len(seen[0]) == 3
    assert "k" not in zero_shot.METHOD.options


def test_examples_that_do_not_fit_are_left_out_whole_and_counted(root: Path) -> None:
    """128 positions hold some of eight examples; the question is never cut for them."""
    made = learner(root, "few_shot", Head.CLASSIFY, Family.ENCODER, k=8)
    rows = tiny.rows(Head.CLASSIFY)
    health = made.fit(None, 1, accept, lambda point: True, 1).predict(rows).health
    assert health.fewer_examples == len(rows)
    assert health.truncated == 0
    examples = [made.wording.demonstration(row) for row in rows]
    asked, alone = question(made, rows[0], examples), question(made, rows[0])
    assert 0 < asked.shown < 8
    assert asked.before[-len(alone.before) :] == alone.before
    assert asked.before == (*sum(examples[: asked.shown], ()), *alone.before)
    few = learner(root, "few_shot", Head.CLASSIFY, Family.ENCODER, k=2)
    assert few.fit(None, 1, accept, lambda point: True, 1).predict(rows).health.fewer_examples == 0


@pytest.mark.parametrize(("head", "family"), [(h, f) for n, h, f in SUPPORTED if n == "few_shot"])
def test_an_input_that_is_too_long_is_cut_and_counted_and_still_asked(root: Path, head: Head, family: Family) -> None:
    made = learner(root, "few_shot", head, family)
    inputs = tiny.TASKS[head].inputs
    row = dict.fromkeys(inputs, "anna met oskar in berlin on monday " * 60)
    predicted = made.fit(None, 1, accept, lambda point: True, 1).predict([row])
    assert predicted.health.truncated == 1
    asked = made.wording.question(row, (), 100)
    assert len(asked.before) <= 64
    if head is Head.CLASSIFY:  # the other templates end with an input
        assert asked.before[-1:] == made.wording._ids(made.wording.left.format_map({"text": ""}))[-1:]


def test_a_label_without_a_verbalizer_stands_itself_and_a_known_prefix_goes_before_the_template(root: Path) -> None:
    task = replace(tiny.TASKS[Head.CLASSIFY], template="{text} so: {answer}", verbalizers={"good": "fine"})
    model = tiny.checkpoint(Family.ENCODER, root / "encoder")
    wording = Wording(task, model, learner(root, "zero_shot", Head.CLASSIFY, Family.ENCODER).tokenizer)
    assert [wording.word(label) for label in ("good", "bad")] == ["fine", "bad"]
    prompted = replace(model, prompted=True)
    assert template_of(replace(task, prompt="sst2 sentence: "), prompted) == "sst2 sentence: {text} {answer}"
    assert template_of(task, prompted) == task.template
    taught = Wording(replace(task, prompt="sst2 sentence: "), prompted, wording.tokenizer)
    assert [taught.word(label) for label in ("good", "bad")] == ["good", "bad"]
    pair = replace(tiny.TASKS[Head.REGRESS], prompt="stsb sentence1: {one} sentence2: {other}")
    assert template_of(pair, prompted) == "stsb sentence1: {one} sentence2: {other} {answer}"
    assert template_of(tiny.TASKS[Head.GENERATE], model) == "{source} = {answer}"


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    ("head", "family", "words"),
    [(Head.TAG, family, "a tag for every word cannot be asked for") for family in tiny.FAMILIES]
    + [(Head.REGRESS, family, "a number on a scale cannot be asked for") for family in tiny.FAMILIES]
    + [(head, Family.ENCODER, "cannot write an answer of unknown length") for head in (Head.SPAN, Head.GENERATE)],
)
def test_what_cannot_be_asked_is_refused(root: Path, name: str, head: Head, family: Family, words: str) -> None:
    with pytest.raises(UnsupportedError, match=words):
        learner(root, name, head, family)


def test_a_task_without_a_template_is_refused(root: Path) -> None:
    with pytest.raises(UnsupportedError, match="task 'classify' declares no template"):
        learner(root, "zero_shot", Head.CLASSIFY, Family.ENCODER, template="")


def test_a_checkpoint_that_cannot_guess_words_is_refused(tmp_path: Path) -> None:
    """Its masked head would be drawn at random, and so would the scores."""
    from transformers import BertModel

    model = tiny.checkpoint(Family.ENCODER, tmp_path)
    BertModel.from_pretrained(tmp_path).save_pretrained(tmp_path)
    given = replace(assignment(tmp_path, "zero_shot", Head.CLASSIFY, Family.ENCODER), model=model)
    with pytest.raises(UnsupportedError, match="no head that guesses masked words"):
        open_learner(given)


def test_two_encoders_made_to_write_have_cross_attention_that_no_checkpoint_contains(root: Path) -> None:
    """Why an encoder is not asked to write: what it would write depends on weights that were never trained."""
    from bench.learn.checkpoint import load_generator, load_tokenizer

    model = tiny.checkpoint(Family.ENCODER, root / "encoder")
    _, fresh = load_generator(model, None, load_tokenizer(model, None), pretrained=True)
    assert any("crossattention" in name for name in fresh)


@pytest.mark.parametrize("task", ["sentiment", "qa", "summarization", "translation"])
def test_every_task_that_can_be_asked_says_how(task: str) -> None:
    declared = catalog.task(task)
    template = template_of(declared, catalog.model("bert-mini"))
    assert template.count("{answer}") == 1
    assert all(f"{{{column}}}" in template for column in declared.inputs)
    assert set(declared.verbalizers) <= {"positive", "negative"}


class Asker(fakes.FakeLearner):
    """A learner that answers without training, and must never be asked to train."""

    def fit(self, rate: Any, seed: int, validate: Any, report: Any, epochs: int, choice: Any = None) -> Any:
        assert rate is None
        self.fits.append((0.0, seed))
        fitted = self.fitted("COMPLETE", (), fakes.BEST, seed)
        return replace(fitted, steps=0, examples=0, tokens=0, train_seconds=0.0, evaluate_seconds=0.0)


@pytest.fixture
def record(tmp_path: Path) -> Record:
    material = fakes.material()
    cell = fakes.cell(method=METHODS["few_shot"], method_name="few_shot", options={"k": 8})
    return cells.run(cell, Asker, open_material=lambda: material, study=tmp_path / "cell.journal").record


def test_a_cell_in_which_nothing_trains_has_no_search_and_no_rate(record: Record, tmp_path: Path) -> None:
    assert (record.outcome, record.trials, record.rate, record.rate_at_edge) == (Outcome.OK, (), None, None)
    assert [(t.seed, t.rate, t.value, t.steps) for t in record.finals] == [(1, None, None, 0), (2, None, None, 0)]
    assert record.score is not None
    assert record.cost is not None
    assert (record.cost.train_seconds, record.cost.examples_per_second) == (0.0, None)
    assert not (tmp_path / "cell.journal").exists()
    assert from_json(Record, to_json(record)) == record


def test_the_board_shows_a_dash_for_the_rate_of_a_method_that_has_none(record: Record) -> None:
    board = frame.table([record])
    assert f"| {figures.UNKNOWN} | 0 |" in markdown.task_table(board.tasks[0])
    assert "learning rate" not in single.render(record)
    assert tables.rows(board)[0]["rate"] is None


def test_lists_and_estimates_know_that_nothing_trains() -> None:
    line = next(row for row in LISTS["methods"]() if row[0] == "few_shot")
    assert line[2:] == (figures.UNKNOWN, "k=8")
    assert estimate.steps(fakes.cell(method=METHODS["zero_shot"])) == 0
    assert 0 < estimate.seconds(fakes.cell(method=METHODS["zero_shot"])) < estimate.seconds(fakes.cell())


def test_a_checkpoint_that_is_no_numbers_is_divergence_and_no_score(tmp_path: Path) -> None:
    """The likeliest of labels of which none has a likelihood would be the first."""
    made = tiny.checkpoint(Family.DECODER, tmp_path)
    weights = safetensors.torch.load_file(tmp_path / "model.safetensors")
    weights["transformer.ln_f.weight"][0] = float("nan")
    safetensors.torch.save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(DivergedError, match=r"holds what is no finite number, in backbone\.transformer\.ln_f\.weight"):
        PromptingLearner(tiny.assignment(Head.GENERATE, made, "zero_shot"))
