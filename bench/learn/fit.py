"""The learner of one cell: opens its checkpoint once, computes once what trials share, trains at the rates it is given.

Never sees test rows before `Fitted.predict` is called with them, and never a metric.
"""

from __future__ import annotations

import copy
import dataclasses
import itertools
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from bench import spent
from bench.keep import Kept
from bench.learn import device as devices
from bench.learn import keep
from bench.learn.batch import Batch, Encoded, Example, training_order
from bench.learn.checkpoint import identity, load_tokenizer
from bench.learn.heads import open_head
from bench.learn.loop import schedule, train
from bench.learn.lower import lower_states, replayed
from bench.learn.memory import Room, release
from bench.learn.network import Network, count
from bench.learn.prompting import PromptingLearner
from bench.learn.seen import seen_rows
from bench.learn.trace import traced
from bench.learn.unfinished import Unfinished
from bench.learn.versions import Versions
from bench.learner import NO_CHOICE, Assignment, Fitted, Predicted, Prediction
from bench.record import Health, Point, to_json
from bench.spec import REFERENCE_WIDTH, Routine, Rows


@dataclass(frozen=True)
class Objective:
    """What is minimised: the task's loss, weighted by `own`, and what stands `beside` it.

    That is made of the network, what its head reads and the batch, and is the mean over `targets` of the batch.
    """

    own: float
    beside: Callable[[Network, Tensor, Batch], Tensor]
    targets: Callable[[Batch], int]


HEAD_RATE = 3e-3
"""Learning rate (for width 768) of a new head beside what a method trains.

It is the same for all methods: they differ in what they do to the model, not in how soon its head is learnt. At a rate
of its own for each, a new head is what decides a training of some hundred steps: entity F1 of a MiniLM after 126 of
them is 29 at the rate of full fine-tuning (1e-4), 34 at 1e-3; of LoRA 23 at 1e-3, 29 at 3e-3.
"""

CACHE_LIMIT = 2**30
"""Bytes of frozen features that are kept; beyond it they are computed anew each time."""


class ModelLearner:
    """Trains one model by one method on one task (see `bench.learner.Learner`)."""

    network: Network
    """The one that was trained last."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.method = assignment.method
        self.torch_device = devices.pick_device()
        devices.reset_peak_memory(self.torch_device)
        devices.settle_clock(self.torch_device)
        devices.seed_everything(0)
        defaults = {name: values[0] for name, values in self.method.choices.items()}
        self.options: Mapping[str, Any] = {**defaults, **assignment.options}
        """The method's, with what was chosen for the training that was last asked for."""
        self.head = open_head(assignment, load_tokenizer(assignment.model, assignment.revision))
        self.template = self.head.build(pretrained=self.method.pretrained).to(self.torch_device)
        self.device = self.torch_device.type
        self.width = self.template.width
        self.precision = devices.pick_precision(self.torch_device, self.width)
        self.checkpoint = identity(assignment.model, assignment.revision)
        sample = self._network(seed=0)
        self.head.fit_to(sample)
        self.parameters = count(sample)
        self.train_set = self.head.encode(assignment.train, targets=True)
        self.validation_set = self.head.encode(assignment.validation, targets=False)
        self.truncated_train = self.train_set.truncated
        self.train_examples: Sequence[Example] = self.train_set.examples
        self.validation_examples: Sequence[Example] = self.validation_set.examples
        self.room = self._room(writes=self.head.writes)
        self.versions: Versions | None = None
        self.objective: Objective | None = None
        self.asked: tuple[Rows, Encoded, Sequence[Example]] | None = None
        """The rows that were last asked for, each final training the same ones, as `_predict` reads them."""
        self.micro_batch: int | None = None
        """Rows of the parts that the batches of what came before all trainings were split into, if they were."""
        if self.method.prepare:
            self.method.prepare(self, self.options)
        self._compute_frozen(sample)

    def start_from(self, checkpoint: Path) -> None:
        """Let every training start from the checkpoint in that directory, which must be of the same architecture.

        The directory is not needed any more afterwards.
        """
        model = dataclasses.replace(self.assignment.model, path=str(checkpoint), package=None)
        moved = dataclasses.replace(self.assignment, model=model, revision=None)
        self.template = open_head(moved, self.head.tokenizer).build(pretrained=True).to(self.torch_device)

    def vary(self, versions: Sequence[Rows], share: float) -> None:
        """Show each training row, whenever it is its turn, with chance `share` as one of `versions` has it.

        Each version has every row, in the same order. An epoch still shows each row once, so that trainings have the
        number of steps that their budget says.
        """
        encoded = [self.head.encode(rows, targets=True) for rows in versions]
        self.versions = Versions.of(self.train_set, encoded, share)

    def fit(
        self,
        rate: float | None,
        seed: int,
        validate: Callable[[Sequence[Prediction]], float],
        report: Callable[[Point], bool],
        epochs: int,
        choice: Mapping[str, Any] = NO_CHOICE,
    ) -> Fitted:
        """See `bench.learner.Learner.fit`."""
        assert rate is not None, "a method that trains has rates"
        self.options = {**self.options, **choice}
        self.room = self._room(writes=self.head.writes)
        chosen = {name: self.options[name] for name in self.method.choices}
        self.__dict__.pop("network", None)  # two at a time are enough: the template, and the one that trains
        network = self.network = self._network(seed)
        self.parameters = count(network)
        budget = self.assignment.budget
        per_epoch = -(-len(self.train_examples) // budget.batch_size)
        plan = schedule(per_epoch, epochs, budget.evaluations, budget.patience)

        def evaluate() -> float:
            with spent.part("evaluation"):
                return validate(self._answers(network, self.validation_set, self.validation_examples)[0])

        routine = self.method.routine(network, self.options, plan.steps) if self.method.routine else Routine()
        factors = {**self._head_factors(network, rate), **routine.rate_factors}
        routine = dataclasses.replace(routine, rate_factors=factors)
        unfinished = self.unfinished(rate=rate, seed=seed, epochs=epochs, choice=dict(choice))
        with traced():
            done = train(
                network, partial(self._batches, seed), plan, rate, partial(self._losses, network),
                evaluate, report, routine, unfinished, seen_rows(network, partial(self._training_tokens, network)),
            )
        return Fitted(
            state=done.state,
            value=done.value,
            best_step=done.best_step,
            curve=done.curve,
            steps=done.steps,
            examples=done.examples,
            tokens=done.tokens,
            train_seconds=done.train_seconds,
            evaluate_seconds=done.evaluate_seconds,
            reason=done.reason,
            predict=lambda rows: self._predict(network, rows),
            save=lambda place: keep.save(place, network, self._described(seed, rate, chosen)),
            forget=unfinished.forget if unfinished else lambda: None,
            micro_batch=min(filter(None, (done.micro_batch, self.micro_batch)), default=None),
            prediction_tokens=self.room.least,
        )

    def _room(self, *, writes: bool) -> Room:
        return Room(devices.prediction_tokens(self.device, writes=writes))

    def unfinished(self, **training: Any) -> Unfinished | None:
        """Where a training leaves its state, told from every other, such as that of a teacher in the same cell."""
        own = self.assignment
        if own.halfway is None:
            return None
        cell = {"cell": own.fingerprint, "model": own.model.name, "method": own.method.name, "options": own.options}
        machine = {"device": self.device, "precision": self.precision}
        return Unfinished(own.halfway, to_json({**cell, **machine, **training}))

    def _described(self, seed: int, rate: float, choice: Mapping[str, Any]) -> Kept:
        """A training, for those who will load what it left."""
        return keep.describe(
            self.assignment, seed=seed, precision=self.precision, rate=rate, choice=choice, facts=self.head.facts
        )

    def _training_tokens(self, network: Network) -> set[int]:
        """Every token that a batch of training may have."""
        versions = self.versions.examples() if self.versions else ()
        shown = itertools.chain(self.train_set.examples, versions)
        start = [network.start] if network.decodes else []
        return {self.head.fills["ids"], *start, *network.lead, *(token for e in shown for token in e["ids"])}

    def _head_factors(self, network: Network, rate: float) -> dict[str, float]:
        """What brings the rate of a new head from `rate` to its own; nothing where the head is all that trains."""
        if network.head is None or self.parameters.method == 0:
            return {}
        own = HEAD_RATE * REFERENCE_WIDTH / self.width
        return dict.fromkeys(network.head_parameters(), own / rate)

    def peak_memory(self) -> int | None:
        """Bytes at the peak since this learner was opened."""
        return devices.peak_memory(self.torch_device)

    def _network(self, seed: int) -> Network:
        """A fresh network of this cell: the checkpoint (or random weights), a new head, the method applied."""
        devices.seed_everything(seed)
        if self.method.pretrained:
            network = copy.deepcopy(self.template)
        else:
            network = self.head.build(pretrained=False).to(self.torch_device)
        network.reset()
        self.method.apply(network, self.options)
        return network.to(self.torch_device)

    def _batches(self, seed: int, start: int = 0) -> Iterator[tuple[Batch, int, int]]:
        """Batches for ever, from the one with number `start` on: those before it are drawn, but not made."""
        rng, number = random.Random(seed), itertools.count()
        examples, lengths = self.train_examples, self.train_set.lengths
        while True:
            if self.versions:
                examples = self.versions.epoch(rng)
                lengths = [len(example["ids"]) for example in examples]
            for members in training_order(lengths, self.assignment.budget.batch_size, rng):
                if next(number) < start:
                    continue
                with spent.part("data"):
                    batch = self.head.collate([examples[i] for i in members], self.torch_device)
                yield batch, len(members), sum(lengths[i] for i in members)

    def _losses(self, network: Network, batch: Batch, whole: Batch | None = None) -> tuple[Tensor, Tensor]:
        """The task's loss, and what is minimised; of a part, its share in those of the `whole` batch."""
        with spent.part("forward"), devices.autocast(self.torch_device, self.precision):
            features = self._features(network, batch)
            loss = share(lambda: self.head.loss(network, features, batch), self.head.targets, batch, whole)
            if self.objective is None:
                return loss, loss
            beside, targets = self.objective.beside, self.objective.targets
            return loss, self.objective.own * loss + share(
                lambda: beside(network, features, batch), targets, batch, whole
            )

    def _features(self, network: Network, batch: Batch) -> Tensor:
        """What the head reads: computed before, or from what the frozen layers gave, or from the tokens."""
        if "features" in batch:
            return batch["features"]
        if "lower" not in batch:
            return self.head.features(network, batch)
        with replayed(network, batch["lower"]):
            return self.head.features(network, batch)

    @torch.inference_mode()
    def _answers(
        self, network: Network, encoded: Encoded, examples: Sequence[Example]
    ) -> tuple[list[Prediction], Health]:
        """Predictions for every row, and the health of what was answered."""
        raw: list[object] = [None] * len(examples)

        def answer(members: list[int]) -> None:
            with devices.autocast(self.torch_device, self.precision):
                answers = self._answer(network, [examples[i] for i in members])
            for i, found in zip(members, answers, strict=True):
                raw[i] = found

        self.room.each(encoded.lengths, answer)
        predictions = self.head.decode(raw, encoded)
        health = Health(
            truncated=encoded.truncated,
            truncated_train=self.truncated_train,
            capped=self.head.capped(raw),
            invalid=self.head.invalid(raw, encoded),
            empty=sum(p == "" for p in predictions),
            distinct=len({str(p) for p in predictions}),
        )
        return predictions, health

    def _answer(self, network: Network, examples: Sequence[Example]) -> list[object]:
        if self.head.writes:
            with spent.part("generation"):
                return self.head.predict(network, examples, self.torch_device)
        with spent.part("data"):
            batch = self.head.collate(examples, self.torch_device)
        with spent.part("forward"):
            return self.head.answers(network, self._features(network, batch), batch)

    def _predict(self, network: Network, rows: Rows) -> Predicted:
        started = time.perf_counter()
        if self.asked is None or self.asked[0] is not rows:
            encoded = self.head.encode(rows, targets=False)
            self.asked = rows, encoded, self._with_frozen(network, encoded)
        predictions, health = self._answers(network, *self.asked[1:])
        return Predicted(predictions, health, time.perf_counter() - started, self.room.least)

    def _compute_frozen(self, network: Network) -> None:
        """Run what never changes during training once for each example: the backbone, or its lower layers."""
        if self.method.frozen == "nothing":
            return  # and what the method has prepared stays
        self.train_examples = self._with_frozen(network, self.train_set, written=True)
        self.validation_examples = self._with_frozen(network, self.validation_set)

    def _with_frozen(self, network: Network, encoded: Encoded, *, written: bool = False) -> Sequence[Example]:
        """The examples, with what the frozen part makes of each where the method leaves it as it is.

        A vector an example, or one for each token (or label, where texts are learnt). Texts that are still to be
        `written` by a head are read by the whole network.
        """
        writes = self.head.writes
        if self._too_large(encoded) or (writes and not written):
            return encoded.examples
        network.eval()
        if self.method.frozen == "backbone" and not (writes and network.fresh):
            along = "labels" if writes else "ids"
            return self._beside("features", encoded, along, partial(self.head.features, network), ("ids", "types"))
        if self.method.frozen == "lower":
            return self._beside("lower", encoded, "ids", partial(self._lower, network))
        return encoded.examples

    def _too_large(self, encoded: Encoded) -> bool:
        kept = {id(rows): rows.lengths for rows in (self.train_set, self.validation_set, encoded)}
        tokens = sum(sum(lengths) for lengths in kept.values())
        return tokens * self.width * 4 > CACHE_LIMIT

    def _lower(self, network: Network, batch: Batch) -> Tensor | None:
        return lower_states(network, lambda: self.head.features(network, batch))

    def _beside(
        self, name: str, encoded: Encoded, along: str, compute: Callable[[Batch], Tensor | None],
        drop: Sequence[str] = (),
    ) -> Sequence[Example]:
        """The examples with what `compute` gives as `name` (see `computed`), and without the entries in `drop`."""
        found = self.computed(encoded, along, compute)
        if found is None:
            return encoded.examples
        kept = [{k: v for k, v in e.items() if k not in drop} for e in encoded.examples]
        return [{**example, name: states} for example, states in zip(kept, found, strict=True)]

    @torch.inference_mode()
    def computed(
        self, encoded: Encoded, along: str, compute: Callable[[Batch], Tensor | None]
    ) -> list[Tensor] | None:
        """What `compute` gives for each example, without padding: one vector, or one for each element of `along`."""
        found: list[Tensor | None] = [torch.empty(0)] * len(encoded.examples)

        def remember(members: list[int]) -> None:
            with spent.part("data"):
                batch = self.head.collate([encoded.examples[i] for i in members], self.torch_device)
            with spent.part("forward"), devices.autocast(self.torch_device, self.precision):
                states = compute(batch)
            for i, own in zip(members, [None] * len(members) if states is None else states.float(), strict=True):
                length = len(encoded.examples[i][along])
                found[i] = None if own is None else (own if own.dim() == 1 else own[:length]).clone()

        self._room(writes=False).each(encoded.lengths, remember)
        return None if any(own is None for own in found) else cast(list[Tensor], found)


def share(mean: Callable[[], Tensor], targets: Callable[[Batch], int], batch: Batch, whole: Batch | None) -> Tensor:
    """A mean over the targets of a batch; of a part, weighted by how many of the whole batch's targets it has."""
    if whole is None:
        return mean()
    own = targets(batch)
    return mean() * (own / targets(whole)) if own else next(iter(batch.values())).new_zeros((), dtype=torch.float32)


def open_learner(assignment: Assignment) -> ModelLearner | PromptingLearner:
    """The real learner, as `bench.learner.OpenLearner`: one that trains, or one that asks where nothing trains.

    What nobody refers to any more is given back before, so that it is not counted as this learner's memory.
    """
    release()
    return PromptingLearner(assignment) if assignment.method.rates is None else ModelLearner(assignment)
