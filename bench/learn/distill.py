"""A larger teacher is fine-tuned once a cell; the cell's model learns from its answers beside the right ones.

Where both score labels or numbers, from how the teacher scores them; where one of them writes, or spans are given, from
the answers that it gives. All are asked of texts, so that teacher and student may have different tokenizers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench import models
from bench.errors import DivergedError, UnavailableError, UnsupportedError
from bench.learn.batch import Batch, Encoded, Example, here, places
from bench.learn.fit import ModelLearner, Objective
from bench.learn.heads.regress import numbers_of
from bench.learn.loop import onward
from bench.learn.memory import size
from bench.learn.network import Network
from bench.learner import Prediction
from bench.spec import REFERENCE_WIDTH, Head, Method, Pinned, Row

SEED = 0

SCORED = (Head.CLASSIFY, Head.REGRESS, Head.TAG)
"""Heads of which the student learns the teacher's scores; of others, its answers."""


def distill(learner: ModelLearner, teacher: Pinned, method: Method, *, alpha: float, temperature: float) -> None:
    """Fine-tune `teacher` by `method` at its default rate, and give its answers the weight `alpha`.

    Raises UnsupportedError where the teacher cannot be had or is no larger than the cell's model, DivergedError where
    it does not learn.
    """
    taught = _fitted(_opened(learner, teacher, method), learner, method)
    head = learner.assignment.task.head
    if head in SCORED and not learner.head.writes and not taught.head.writes:
        learner.train_examples = _with_scores(learner, taught)
        learner.head.fills["taught"] = 0
        learner.head.also_here.add("taught")
        learner.objective = _closeness(alpha) if head is Head.REGRESS else _objective(alpha, temperature)
    else:
        rows = learner.assignment.train
        answers = _answers(learner, taught)
        learner.vary([[_answered(learner, row, answer) for row, answer in zip(rows, answers, strict=True)]], alpha)


def _opened(learner: ModelLearner, teacher: Pinned, method: Method) -> ModelLearner:
    """A learner for the teacher, with the same rows. What it does on validation rows is not looked at."""
    own, name = learner.assignment, teacher.model.name
    budget = dataclasses.replace(own.budget, evaluations=own.budget.epochs, patience=own.budget.epochs)
    wanted = dataclasses.replace(
        own, model=teacher.model, revision=teacher.revision, method=method, options=dict(method.options),
        budget=budget, validation=own.validation[:1], others={},
    )
    try:
        if teacher.revision is None and models.directory(teacher.model) is None:
            raise UnavailableError(f"{name!r} has no commit")
        opened = ModelLearner(wanted)
    except UnavailableError as error:
        if teacher.revision or teacher.sha256:
            raise  # it was there when the run was planned, and may be there again
        raise UnsupportedError(
            f"the teacher {name!r} cannot be had here; name another, as in distill[teacher=NAME], or mend this: {error}"
        ) from error
    if opened.parameters.total <= learner.parameters.total:
        raise UnsupportedError(
            f"the teacher {name!r} is no larger than {own.model.name!r}: name a larger one, as in distill[teacher=NAME]"
        )
    return opened


def _fitted(teacher: ModelLearner, learner: ModelLearner, method: Method) -> ModelLearner:
    """The teacher, trained to the end; its evaluations are only places from which it goes on when it was cut off."""
    assert method.rates is not None, "a teacher is trained"
    rate = method.rates.default * teacher.assignment.model.rate_factor * REFERENCE_WIDTH / teacher.width
    evaluate, report = onward()
    epochs = teacher.assignment.budget.epochs
    fitted = teacher.fit(rate, SEED, lambda predictions: evaluate(), report, epochs)
    if fitted.state != "COMPLETE":
        raise DivergedError(f"the teacher {teacher.assignment.model.name!r} did not learn: {fitted.reason}")
    learner.micro_batch = fitted.micro_batch
    return teacher


# -- Scores of all labels --


def _with_scores(learner: ModelLearner, teacher: ModelLearner) -> Sequence[Example]:
    """The student's training examples with the teacher's scores as `soft`, and where there are any as `taught`."""
    network = teacher.network
    read = teacher.head.features
    head = cast(nn.Module, network.head)
    scores = teacher.computed(teacher.train_set, "ids", lambda batch: cast(Tensor, head(read(network, batch))))
    assert scores is not None
    if learner.assignment.task.head is not Head.TAG:
        pairs = zip(learner.train_set.examples, scores, strict=True)
        return [{**example, "soft": own.cpu(), "taught": 1} for example, own in pairs]
    numbers = range(learner.train_set.rows)
    return [_tagged(learner.train_set, teacher.train_set, number, scores[number].cpu()) for number in numbers]


def _tagged(student: Encoded, teacher: Encoded, number: int, scores: Tensor) -> Example:
    """Scores are moved from the teacher's token of a word to the student's, for words that both have read."""
    example, places = student.examples[number], student.notes[number][1]
    theirs = teacher.notes[number][1]
    soft, taught = torch.zeros(len(example["ids"]), scores.shape[-1]), [0] * len(example["ids"])
    for word in places.keys() & theirs.keys():
        soft[places[word]], taught[places[word]] = scores[theirs[word]], 1
    return {**example, "soft": soft, "taught": taught}


def _objective(alpha: float, temperature: float) -> Objective:
    """(1 - alpha) loss + alpha T^2 KL(teacher || student), both softened by the temperature T (Hinton et al. 2015)."""

    def beside(network: Network, features: Tensor, batch: Batch) -> Tensor:
        taught = places(batch[here("taught")].bool(), features.device)
        ours, theirs = cast(nn.Module, network.head)(features).float()[taught], batch["soft"][taught]
        student, teacher = ((scores / temperature).log_softmax(-1) for scores in (ours, theirs))
        count = batch["taught"].sum().clamp(min=1)
        apart = functional.kl_div(student, teacher, reduction="sum", log_target=True) / count
        return alpha * temperature**2 * apart

    return Objective(1 - alpha, beside, lambda batch: int(batch[here("taught")].sum()))


def _closeness(alpha: float) -> Objective:
    """(1 - alpha) loss + alpha times the mean squared distance to the teacher's number, on the learnt scale."""

    def beside(network: Network, features: Tensor, batch: Batch) -> Tensor:
        return alpha * functional.mse_loss(numbers_of(network, features), batch["soft"].squeeze(-1))

    return Objective(1 - alpha, beside, size)


# -- Answers --


def _answers(learner: ModelLearner, teacher: ModelLearner) -> list[Prediction]:
    """What the teacher answers to the training rows."""
    encoded = teacher.head.encode(learner.assignment.train, targets=False)
    return teacher._answers(teacher.network, encoded, encoded.examples)[0]


def _answered(learner: ModelLearner, row: Row, answer: Prediction) -> Row:
    """The row with the teacher's answer, where it is one; a span stands where it does, nearest to the right one."""
    task = learner.assignment.task
    if answer is None:
        return row
    if task.head is not Head.SPAN:
        return {**row, task.reference: answer}
    context, right = str(row[task.inputs[1]]), row[task.reference]["answer_start"][0]
    starts = [i for i in range(len(context)) if answer and context.startswith(answer, i)]
    if not starts:
        return row
    start = min(starts, key=lambda at: abs(at - right))
    found: Mapping[str, Any] = {"text": [answer], "answer_start": [start]}
    return {**row, task.reference: {**row[task.reference], **found}}
