"""Continued pretraining: a model's own objective on the inputs of a cell's training rows, before the task is learnt.

Sees no answers, and neither validation nor test rows. Everything random is drawn from one fixed seed, so that a cell's
adapted weights are the same whatever is trained from them.
"""

from __future__ import annotations

import itertools
import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bench import spent
from bench.errors import DivergedError, UnsupportedError
from bench.learn import device as devices
from bench.learn import objectives
from bench.learn.batch import Batch, here, moved, places, training_order
from bench.learn.checkpoint import load_language_model
from bench.learn.fit import ModelLearner, share
from bench.learn.loop import Trained, onward, schedule, train
from bench.learn.network import Network
from bench.learn.objectives import Vocabulary, make_batch, vocabulary_of
from bench.learn.recipes import Recipe
from bench.learn.stream import encode
from bench.learner import Assignment
from bench.spec import REFERENCE_WIDTH, Family

SEED = 0
MASKED = 0.15
"""Share of the tokens to be predicted (Devlin et al. 2019; Raffel et al. 2020, in spans of three on average)."""

MARKS = 20
"""Places on the way from which it can go on after it was cut off, and where it is seen whether it diverged."""

PROCESSOR = torch.device("cpu")

NO_TARGET = -100
"""The label where nothing is to be predicted."""


def adapt(learner: ModelLearner, *, steps: int, rate: float, batch_size: int) -> None:
    """Let all trainings start from weights that were pretrained for `steps` more, at `rate` for width 768.

    What was cut off goes on, and what does not fit into memory is split, as other trainings are. Raises
    UnsupportedError where the model's objective is none that is known here, DivergedError where the loss stops being
    finite.
    """
    assignment, tokenizer = learner.assignment, learner.head.tokenizer
    words = _vocabulary(assignment, tokenizer)
    recipe = Recipe("adapted", assignment.model.family, length=learner.head.input_tokens, mask_share=MASKED)
    documents = encode(recipe, tokenizer, texts(assignment))
    devices.seed_everything(SEED)
    backbone = load_language_model(assignment.model, assignment.revision).to(learner.torch_device)
    network = Network(backbone, assignment.model.family, None)
    if steps and documents:
        course = _Course(recipe, words, documents, batch_size, learner.torch_device)
        done = _train(learner, network, course, steps, rate)
        if done.state != "COMPLETE":
            raise DivergedError(f"continued pretraining: {done.reason}: give the method a lower rate")
        learner.micro_batch = done.micro_batch
    with tempfile.TemporaryDirectory() as place:
        cast(Any, backbone).save_pretrained(place)
        learner.start_from(Path(place))


class _Course:
    """What is shown in which order: every batch is a function of its number."""

    def __init__(
        self, recipe: Recipe, words: Vocabulary, documents: Sequence[Sequence[int]], batch_size: int,
        device: torch.device,
    ) -> None:
        self.recipe, self.words, self.documents = recipe, words, documents
        self.batch_size, self.device = batch_size, device

    def batches(self, start: int) -> Iterator[tuple[Batch, int, int]]:
        """Batches for ever, from the one with number `start` on, with their documents and tokens counted."""
        order = _order([len(document) for document in self.documents], self.batch_size)
        for step, members in enumerate(itertools.islice(order, start, None), start):
            chosen = [self.documents[i] for i in members]
            with spent.part("data"):
                made = make_batch(self.recipe, self.words, chosen, np.random.default_rng([SEED, step]))
                batch = in_rows(made, self.device)
            yield batch, len(chosen), sum(map(len, chosen))


def _train(learner: ModelLearner, network: Network, course: _Course, steps: int, rate: float) -> Trained:
    """Train the network to the end: whatever it reaches is kept, since nothing here says what is better."""
    evaluate, report = onward()

    def losses(batch: Batch, whole: Batch | None = None) -> tuple[Tensor, Tensor]:
        with spent.part("forward"), devices.autocast(learner.torch_device, learner.precision):
            loss = share(lambda: language_loss(network, batch), _targets, batch, whole)
        return loss, loss

    peak = rate * learner.assignment.model.rate_factor * REFERENCE_WIDTH / learner.width
    return train(
        network, course.batches, schedule(steps, 1, min(steps, MARKS), MARKS), peak, losses,
        evaluate, report,
        unfinished=learner.unfinished(stage="adapted", steps=steps, rate=rate, batch_size=course.batch_size),
    )


def texts(assignment: Assignment) -> list[str]:
    """The inputs of every training row as one text; words of a list are joined by spaces."""
    columns = assignment.task.inputs
    return [" ".join(_text(row[column]) for column in columns) for row in assignment.train]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else " ".join(map(str, value))


def in_rows(batch: objectives.Batch, device: torch.device = PROCESSOR) -> Batch:
    """The batch with a row for each document, so that it can be split: `inputs`, `attention`, `labels`, `decoder`.

    On the device; `batch` is on the processor.
    """
    shown = batch.inputs if batch.decoder_inputs is None else batch.decoder_inputs
    labels = torch.full(shown.shape, NO_TARGET, dtype=torch.long, device=shown.device)
    labels.view(-1)[batch.positions] = batch.labels
    rows = {"inputs": batch.inputs, "attention": batch.attention, "labels": labels}
    if batch.decoder_inputs is not None:
        rows["decoder"] = batch.decoder_inputs
    return moved(rows, device, also_here=("labels",))


def language_loss(network: Network, batch: Batch) -> Tensor:
    """Mean cross-entropy (nats) of the tokens to be predicted, of a batch as `in_rows` makes it."""
    inputs = {"input_ids": batch["inputs"], "attention_mask": batch["attention"]}
    if "decoder" in batch:
        inputs["decoder_input_ids"] = batch["decoder"]
    labels = batch["labels"].flatten()
    asked = places((batch[here("labels")] != NO_TARGET).flatten(), labels.device)
    with network.without_projection():
        states = network.backbone(**inputs).logits.flatten(0, 1)[asked]
    return functional.cross_entropy(network.projection()(states).float(), labels[asked])


def _targets(batch: Batch) -> int:
    return int((batch[here("labels")] != NO_TARGET).sum())


def _vocabulary(assignment: Assignment, tokenizer: Any) -> Vocabulary:
    words, model = vocabulary_of(tokenizer), assignment.model
    if model.family is Family.ENCODER and words.mask < 0:
        raise UnsupportedError(f"the tokenizer of {model.name!r} has no mask token to hide words behind")
    if model.family is Family.ENCODER_DECODER and len(words.sentinels) < 2:
        raise UnsupportedError(
            f"the tokenizer of {model.name!r} has no tokens <extra_id_0>, <extra_id_1> ... to stand for missing spans, "
            "which is the only objective of encoder-decoders that is known here"
        )
    return words


def _order(lengths: list[int], batch_size: int) -> Iterator[list[int]]:
    """Batches of document numbers for ever."""
    rng = random.Random(SEED)
    return itertools.chain.from_iterable(training_order(lengths, batch_size, rng) for _ in itertools.count())
