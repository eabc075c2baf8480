"""Continued pretraining: a model's own objective on the inputs of a cell's training rows, before the task is learnt.

Sees no answers, and neither validation nor test rows. Everything random is drawn from one fixed seed, so that a cell's
adapted weights are the same whatever is trained from them.
"""

from __future__ import annotations

import itertools
import math
import random
import tempfile
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.errors import DivergedError, UnsupportedError
from bench.learn import device as devices
from bench.learn.batch import training_order
from bench.learn.checkpoint import load_language_model
from bench.learn.fit import ModelLearner
from bench.learn.loop import CLIP, make_optimizer, rate_at
from bench.learn.network import Network
from bench.learn.objectives import Batch, Vocabulary, make_batch, vocabulary_of
from bench.learn.recipes import Recipe
from bench.learn.stream import encode
from bench.learner import Assignment
from bench.spec import REFERENCE_WIDTH, Family

SEED = 0
MASKED = 0.15
"""Share of the tokens to be predicted (Devlin et al. 2019; Raffel et al. 2020, in spans of three on average)."""


def adapt(learner: ModelLearner, *, steps: int, rate: float, batch_size: int) -> None:
    """Let all trainings start from weights that were pretrained for `steps` more, at `rate` for width 768.

    Raises UnsupportedError where the model's objective is none that is known here, DivergedError where the loss stops
    being finite.
    """
    assignment, tokenizer = learner.assignment, learner.head.tokenizer
    words = _vocabulary(assignment, tokenizer)
    recipe = Recipe("adapted", assignment.model.family, length=learner.head.input_tokens, mask_share=MASKED)
    documents = encode(recipe, tokenizer, texts(assignment))
    devices.seed_everything(SEED)
    backbone = load_language_model(assignment.model, assignment.revision).to(learner.torch_device)
    network = Network(backbone, assignment.model.family, None)
    peak = rate * assignment.model.rate_factor * REFERENCE_WIDTH / learner.width
    order = _order([len(document) for document in documents], batch_size)
    optimizer = make_optimizer(network, peak)
    network.train()
    for step in range(steps if documents else 0):
        chosen = [documents[i] for i in next(order)]
        batch = make_batch(recipe, words, chosen, np.random.default_rng([SEED, step])).to(learner.torch_device)
        with devices.autocast(learner.torch_device, learner.precision):
            loss = language_loss(network, batch)
        _update(network, optimizer, loss, rate_at(step, steps, peak))
    with tempfile.TemporaryDirectory() as place:
        cast(Any, backbone).save_pretrained(place)
        learner.start_from(Path(place))


def texts(assignment: Assignment) -> list[str]:
    """The inputs of every training row as one text; words of a list are joined by spaces."""
    columns = assignment.task.inputs
    return [" ".join(_text(row[column]) for column in columns) for row in assignment.train]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else " ".join(map(str, value))


def language_loss(network: Network, batch: Batch) -> Tensor:
    """Mean cross-entropy (nats) of the tokens to be predicted."""
    inputs = {"input_ids": batch.inputs, "attention_mask": batch.attention}
    if batch.decoder_inputs is not None:
        inputs["decoder_input_ids"] = batch.decoder_inputs
    with network.without_projection():
        states = network.backbone(**inputs).logits.flatten(0, 1)[batch.positions]
    return functional.cross_entropy(network.projection()(states).float(), batch.labels)


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


def _order(lengths: list[int], batch_size: int) -> Any:
    """Batches of document numbers for ever."""
    rng = random.Random(SEED)
    return itertools.chain.from_iterable(training_order(lengths, batch_size, rng) for _ in itertools.count())


def _update(network: Network, optimizer: torch.optim.Optimizer, loss: Tensor, rate: float) -> None:
    if not math.isfinite(float(loss.detach())):
        raise DivergedError(f"continued pretraining: the loss was {float(loss.detach())}: give the method a lower rate")
    for group in optimizer.param_groups:
        group["lr"] = rate
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(network.parameters(), CLIP)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
