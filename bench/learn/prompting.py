"""The learner of a cell in which nothing trains: the model is asked in words, after examples from the training rows.

Labels are chosen by the likelihood of their words, texts are written. Never sees test rows before `Fitted.predict` is
called with them, and never a metric.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch

from bench.errors import DivergedError, UnsupportedError
from bench.keep import Kept
from bench.learn import device as devices
from bench.learn import keep, likelihood
from bench.learn.batch import collate
from bench.learn.checkpoint import identity, load_generator, load_masked, load_tokenizer, position_limit
from bench.learn.heads.generate import SLACK
from bench.learn.heads.span import LONGEST_ANSWER
from bench.learn.memory import Room
from bench.learn.network import Network, count
from bench.learn.wording import LONGEST, Question, Wording, draw
from bench.learner import NO_CHOICE, Assignment, Fitted, Predicted, Prediction
from bench.record import Health, Point
from bench.spec import Family, Head, Rows


class PromptingLearner:
    """Asks one model about one task (see `bench.learner.Learner`)."""

    def __init__(self, assignment: Assignment) -> None:
        _refuse(assignment)
        self.assignment, self.task, self.model = assignment, assignment.task, assignment.model
        self.torch_device = devices.pick_device()
        devices.reset_peak_memory(self.torch_device)
        devices.seed_everything(0)
        self.tokenizer = load_tokenizer(self.model, assignment.revision)
        self.network = self._open().to(self.torch_device).eval()
        _check_finite(self.network, self.model.name)
        assignment.method.apply(self.network, assignment.options)
        self.marks = likelihood.Specials.of(self.tokenizer)
        self.wording = Wording(self.task, self.model, self.tokenizer)
        self.device, self.width = self.torch_device.type, self.network.width
        self.precision = devices.pick_precision(self.torch_device, self.width)
        self.checkpoint = identity(self.model, assignment.revision)
        self.parameters = count(self.network)
        self.room = self._room()
        self.truncated_train = 0
        self.positions = position_limit(self.network.config)
        self.cap = self._cap()
        """Most tokens of an answer."""

    def fit(
        self,
        rate: float | None,
        seed: int,
        validate: Callable[[Sequence[Prediction]], float],
        report: Callable[[Point], bool],
        epochs: int,
        choice: Mapping[str, Any] = NO_CHOICE,
    ) -> Fitted:
        """Draw the examples; nothing trains, and nothing is chosen on validation rows."""
        rows = draw(self.task, self.assignment.train, int(self.assignment.options.get("k", 0)), seed)
        return Fitted(
            state="COMPLETE", value=None, best_step=None, curve=(), steps=0, examples=0, tokens=0, train_seconds=0.0,
            evaluate_seconds=0.0, predict=lambda asked: self.predict(asked, rows),
            save=lambda place: keep.save(place, self.network, self._described(seed, rows)),
        )  # fmt: skip

    def _described(self, seed: int, shown: Rows) -> Kept:
        facts = {"cap": self.cap}
        return keep.describe(self.assignment, seed=seed, precision=self.precision, facts=facts, examples=shown)

    def peak_memory(self) -> int | None:
        """Bytes at the peak since this learner was opened."""
        return devices.peak_memory(self.torch_device)

    def _open(self) -> Network:
        if self.model.family is Family.ENCODER:
            return Network(load_masked(self.model, self.assignment.revision), Family.ENCODER, None)
        made, _ = load_generator(self.model, self.assignment.revision, self.tokenizer, pretrained=True)
        return Network(made, self.model.family, None)

    def _cap(self) -> int:
        if "cap" in self.assignment.facts:
            return int(self.assignment.facts["cap"])
        if self.task.head is Head.CLASSIFY:
            return max(len(self.wording.answer(self.wording.word(label))) for label in self.assignment.labels)
        longest = max(len(self.wording.answer(self.wording.target(row))) for row in self.assignment.train)
        return min(self.task.output_tokens or LONGEST_ANSWER, longest + SLACK)

    @property
    def _gap(self) -> bool:
        """Whether the answer is asked for as a missing span: not of a model that knows the task by a prefix."""
        return self.marks.gap is not None and self.model.family is Family.ENCODER_DECODER and not self.wording.known

    @property
    def _start(self) -> int:
        """What the decoder writes first; in a decoder alone, what stands before an empty question."""
        config = self.network.config
        if self.model.family is Family.ENCODER_DECODER:
            return int(config.decoder_start_token_id)
        return int(self.tokenizer.bos_token_id if self.tokenizer.bos_token_id is not None else config.eos_token_id or 0)

    def _room(self) -> Room:
        return Room(devices.prediction_tokens(self.device, writes=self.task.head is not Head.CLASSIFY))

    @torch.inference_mode()
    def predict(self, rows: Rows, shown: Rows) -> Predicted:
        """Answers to `rows`, each asked after the examples `shown`, which have their answers with them."""
        started = time.perf_counter()
        self.room = self._room()
        examples = [self.wording.demonstration(row) for row in shown]
        marked = len(self.marks.lead) + len(self.marks.tail) + 1  # the sentinel
        room = (self.positions or max(LONGEST, self.task.input_tokens)) - marked
        room -= 0 if self.model.family is Family.ENCODER_DECODER else self.cap
        questions = [self.wording.question(row, examples, room) for row in rows]
        with devices.autocast(self.torch_device, self.precision):
            answers, capped = self._chosen(questions) if self.task.head is Head.CLASSIFY else self._written(questions)
        health = Health(
            truncated=sum(q.cut for q in questions),
            capped=capped,
            empty=sum(a == "" for a in answers),
            distinct=len(set(answers)),
            fewer_examples=sum(q.shown < len(examples) for q in questions),
        )
        return Predicted(answers, health, time.perf_counter() - started, self.room.least)

    def scores(self, questions: Sequence[Question]) -> list[list[float]]:
        """For each question the log-likelihood of every label's words."""
        words = [self.wording.answer(self.wording.word(label)) for label in self.assignment.labels]
        probes = [[self._probes(question, word) for word in words] for question in questions]
        every = (probe for row in probes for word in row for probe in word)
        pad = self.tokenizer.pad_token_id
        logs = likelihood.log_probabilities(self.network, every, pad, self.torch_device, self.positions, self.room)
        return [[sum(logs[probe] for probe in word) for word in row] for row in probes]

    def _chosen(self, questions: Sequence[Question]) -> tuple[list[str], int]:
        """The likeliest label of each question, of equals the first."""
        labels = self.assignment.labels
        return [labels[row.index(max(row))] for row in self.scores(questions)], 0

    def _probes(self, question: Question, word: tuple[int, ...]) -> list[likelihood.Probe]:
        if self.model.family is Family.ENCODER:
            return likelihood.masked(question, word, self.marks)
        if self.model.family is Family.DECODER:
            return likelihood.causal(question, word, self._start)
        return likelihood.seq2seq(question, word, self.marks, self._start, gap=self._gap)

    def _written(self, questions: Sequence[Question]) -> tuple[list[str], int]:
        """What the model writes for each question, greedily, to the end of the line, and how many were capped."""
        answers, capped = [""] * len(questions), 0
        lengths = [len(question.before) for question in questions]

        def write(members: list[int]) -> None:
            nonlocal capped
            for i, ids in zip(members, self._continuations([questions[i] for i in members]), strict=True):
                text = self.tokenizer.decode(ids, skip_special_tokens=True)
                ended = len(ids) < self.cap or "\n" in text.strip()
                answers[i], capped = (text.strip().splitlines() or [""])[0].strip(), capped + (not ended)

        self.room.each(lengths, write)
        return answers, capped

    def _continuations(self, questions: Sequence[Question]) -> list[list[int]]:
        """The written token ids of each question, up to a token that ends the answer."""
        decoder = self.model.family is Family.DECODER
        asked = [self._asked(question) for question in questions]
        limit = None if self.positions is None else self.positions - (self.cap if decoder else 0)
        fills = {"ids": self.tokenizer.pad_token_id}
        batch = collate([{"ids": list(ids)} for ids, _ in asked], fills, self.torch_device, left=decoder, limit=limit)
        ends = {int(self.tokenizer.eos_token_id)}
        if self._gap and self.marks.gap_end is not None:
            ends.add(self.marks.gap_end)
        begun = {} if decoder else {"decoder_input_ids": torch.tensor([w for _, w in asked], device=self.torch_device)}
        written = cast(Any, self.network.backbone).generate(
            input_ids=batch["ids"], attention_mask=batch["mask"], max_new_tokens=self.cap, do_sample=False, num_beams=1,
            eos_token_id=sorted(ends), pad_token_id=self.tokenizer.pad_token_id, **begun,
        )  # fmt: skip
        start = batch["ids"].shape[1] if decoder else len(asked[0][1])
        return [_until(ids, ends) for ids in written[:, start:].tolist()]

    def _asked(self, question: Question) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """What is read, and what a decoder of its own has written before the answer."""
        if self.model.family is Family.DECODER:
            return question.before or (self._start,), ()
        return likelihood.asked(question, self.marks, self._start, gap=self._gap)


def _until(ids: list[int], ends: set[int]) -> list[int]:
    return next((ids[:i] for i, token in enumerate(ids) if token in ends), ids)


def _check_finite(network: Network, name: str) -> None:
    """Raise DivergedError for a checkpoint that cannot answer: the likeliest of no numbers would be any label."""
    broken = next((p for p, values in network.named_parameters() if not bool(values.isfinite().all())), None)
    if broken is not None:
        raise DivergedError(f"the checkpoint of {name!r} holds what is no finite number, in {broken}: get it anew")


def _refuse(assignment: Assignment) -> None:
    """Raise UnsupportedError where there is no sound way to ask."""
    head, family, name = assignment.task.head, assignment.model.family, assignment.method.name
    if head is Head.TAG:
        raise UnsupportedError(
            f"{name}: a tag for every word cannot be asked for in words: answers that a model writes do not line up "
            "with the words, and a question for each word and tag has no agreed form"
        )
    if head is Head.REGRESS:
        raise UnsupportedError(
            f"{name}: a number on a scale cannot be asked for in words: the likelihood of numerals follows how often "
            "they are written, and a model that has not seen the scale does not know it"
        )
    if family is Family.ENCODER and head is not Head.CLASSIFY:
        raise UnsupportedError(
            f"{name}: a masked model guesses single words in place and cannot write an answer of unknown length"
        )
    if head is Head.CLASSIFY and not assignment.task.template:
        raise UnsupportedError(f"{name}: task {assignment.task.name!r} declares no template in which to ask")
