"""Pretraining of the bundled mini models: a recipe and streams of plain text into a directory that transformers loads.

Knows the loop and how it resumes; knows nothing of tasks, labelled rows or methods. Every random draw is a function of
the recipe's seed and the step, so a resumed training repeats exactly what an uninterrupted one does.
"""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.errors import DivergedError
from bench.learn import device as devices
from bench.learn import resume as resuming
from bench.learn.card import Report, write_model
from bench.learn.checkpoint import quiet
from bench.learn.contrast import contrast_loss
from bench.learn.objectives import Vocabulary, make_batch, predictions, projected_cross_entropy, vocabulary_of
from bench.learn.optimize import make_optimizers
from bench.learn.recipes import RECIPES, Recipe, build_network, set_tuning_dropout
from bench.learn.resume import Progressed
from bench.learn.stream import Texts, batches_from, held_out, tokenizer_documents, world_texts
from bench.learn.tokenizers import train_tokenizer

__all__ = ["RECIPES", "Progress", "Recipe", "pretrain"]

REPORT_EVERY = 50


@dataclass(frozen=True)
class Progress:
    """Where pretraining stands: `loss` (nats a predicted token, mean of the last steps), speed, what is left."""

    step: int
    steps: int
    loss: float
    tokens_per_second: float
    seconds_left: float


def pretrain(
    recipe: Recipe,
    out: Path,
    *,
    progress: Callable[[Progress], None],
    resume: bool = True,
    streams: Mapping[str, Texts] | None = None,
) -> Path:
    """Pretrain the model of `recipe` into the directory `out`, and return it.

    `streams` gives each world's documents by seed; by default those of `tasks.corpora`. An interrupted training goes on
    from its last checkpoint in `out/.resume` unless `resume` is False. Raises `RequestError` when that checkpoint is of
    another recipe, `DivergedError` when the loss is no longer finite.
    """
    quiet()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # one thread: models are pretrained side by side
    streams = world_texts(recipe.worlds) if streams is None else streams
    if not resume:
        shutil.rmtree(out / resuming.FOLDER, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    with _one_thread():
        tokenizer = _tokenizer(recipe, out, streams)
        training = _Training.start(recipe, out, tokenizer)
        done = training.run(streams, progress)
        losses = _held_out_losses(training, streams)
        set_tuning_dropout(training.network, recipe)
    write_model(out, training.network, tokenizer, Report(recipe, done, losses, str(training.device)))
    shutil.rmtree(out / resuming.FOLDER, ignore_errors=True)
    return out


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _tokenizer(recipe: Recipe, out: Path, streams: Mapping[str, Texts]) -> Any:
    """The tokenizer of an interrupted training, else a new one."""
    from transformers import AutoTokenizer

    kept = out / resuming.FOLDER / "tokenizer"
    if not (kept / "tokenizer.json").exists():
        documents = tokenizer_documents(recipe, streams)
        made = train_tokenizer(recipe.family, documents, recipe.vocabulary, recipe.positions)
        part = kept.with_name("tokenizer.part")
        made.save_pretrained(part)
        shutil.rmtree(kept, ignore_errors=True)
        part.rename(kept)
    return AutoTokenizer.from_pretrained(kept)


@dataclass
class _Training:
    """One training under way: what every step needs."""

    recipe: Recipe
    out: Path
    tokenizer: Any
    words: Vocabulary
    network: Any
    optimizers: Sequence[torch.optim.Optimizer]
    device: torch.device
    at: Progressed

    @classmethod
    def start(cls, recipe: Recipe, out: Path, tokenizer: Any) -> _Training:
        """A new training, or the one that was interrupted in `out`."""
        device = devices.pick_device()
        network = build_network(recipe, tokenizer).to(device).train()
        optimizers = make_optimizers(network, recipe)
        at = resuming.load(out, recipe, network, optimizers) or Progressed()
        return cls(recipe, out, tokenizer, vocabulary_of(tokenizer), network, optimizers, device, at)

    def run(self, streams: Mapping[str, Texts], progress: Callable[[Progress], None]) -> Progressed:
        """Take the steps that are left; keep a checkpoint now and then."""
        batches = batches_from(self.at.place, self.recipe, streams, self.tokenizer)
        loss = torch.tensor(self.at.unreported, device=self.device)
        began, begun_seconds, begun_tokens = time.monotonic(), self.at.seconds, self.at.tokens
        while self.at.step < self.recipe.steps:
            place, documents = next(batches)
            matches, now = self.matches(self.at.step), self.step(documents)
            loss = loss if matches else loss + now
            seconds = begun_seconds + time.monotonic() - began
            tokens = self.at.tokens + sum(map(len, documents))
            self.at = replace(self.at, step=self.at.step + 1, place=place, tokens=tokens, seconds=seconds)
            if self.at.step % REPORT_EVERY == 0 or self.at.step == self.recipe.steps:
                speed = (tokens - begun_tokens) / max(1e-9, seconds - begun_seconds)
                self.report(loss, speed, progress)
                loss = torch.zeros_like(loss)
            if self.at.step % self.recipe.checkpoint_every == 0:
                self.at = replace(self.at, unreported=float(loss))
                resuming.save(self.out, self.recipe, self.network, self.optimizers, self.at)
        return self.at

    def step(self, documents: list[list[int]]) -> torch.Tensor:
        """One update; returns the loss, still on the device."""
        recipe, step = self.recipe, self.at.step
        torch.manual_seed(recipe.seed * 1_000_003 + step)  # dropout, where a recipe has it
        with devices.autocast(self.device, recipe.precision):
            loss = self.matching(documents) if self.matches(step) else self.language(documents)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), recipe.clip)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = recipe.rate(step) * group["scale"]
            optimizer.step()
            optimizer.zero_grad()
        return loss.detach()

    def matches(self, step: int) -> bool:
        """Whether `step` matches halves of documents."""
        every = self.recipe.contrast_every
        return every > 0 and step % every == every - 1

    def matching(self, documents: list[list[int]]) -> torch.Tensor:
        """The sentence-level loss."""
        return contrast_loss(self.network, self.recipe.family, documents, self.words)

    def language(self, documents: list[list[int]]) -> torch.Tensor:
        """The token-level loss."""
        recipe = self.recipe
        rng = np.random.default_rng([recipe.seed, 1, self.at.step])
        onward = recipe.onward_every > 0 and self.at.step % recipe.onward_every == 0
        batch = make_batch(recipe, self.words, documents, rng, onward=onward).to(self.device)
        return projected_cross_entropy(*predictions(self.network, recipe.family, batch), batch.labels)

    def report(self, loss: torch.Tensor, speed: float, progress: Callable[[Progress], None]) -> None:
        """Add the mean loss of the language modelling since the last report to the curve, and tell it."""
        step = self.at.step
        since = range(self.at.curve[-1][0] if self.at.curve else 0, step)
        mean = float(loss) / max(1, sum(not self.matches(done) for done in since))
        if not math.isfinite(mean):
            raise DivergedError(
                f"pretraining {self.recipe.name}: the loss became {mean} before step {step}. "
                f"Lower the recipe's peak_rate ({self.recipe.peak_rate:g}) and start again with --no-resume."
            )
        self.at = replace(self.at, curve=(*self.at.curve, (step, round(mean, 4))))
        left = (self.recipe.steps - step) * self.at.seconds / step
        progress(Progress(step, self.recipe.steps, mean, speed, left))


@torch.no_grad()
def _held_out_losses(training: _Training, streams: Mapping[str, Texts]) -> dict[str, float]:
    """Nats a predicted token in float32 by world, on documents that were not trained on, with fixed gaps."""
    recipe, network = training.recipe, training.network.eval()
    losses = {}
    for world, documents in held_out(recipe, streams, training.tokenizer).items():
        total, count = 0.0, 0
        for start in range(0, len(documents), 50):
            rng = np.random.default_rng([recipe.seed, 2, start])
            batch = make_batch(recipe, training.words, documents[start : start + 50], rng).to(training.device)
            hidden, weight, bias = predictions(network, recipe.family, batch)
            logits = torch.nn.functional.linear(hidden, weight, bias)
            total += float(torch.nn.functional.cross_entropy(logits, batch.labels, reduction="sum"))
            count += len(batch.labels)
        losses[world] = round(total / count, 4)
    return losses
