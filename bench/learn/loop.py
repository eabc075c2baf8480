"""One training: steps, evaluations, the best state kept. Knows networks and batches, not tasks or methods."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bench import spent
from bench.learn.batch import Batch
from bench.learn.memory import fits, parts, size
from bench.learn.network import Network, restore, train_mode, trained_state
from bench.learn.seen import SeenRows
from bench.learn.unfinished import Unfinished, put_back, set_torch_random_state, taken, torch_random_state
from bench.record import Point
from bench.spec import Routine

WARMUP = 0.1
"""Share of the steps in which the rate rises linearly from 0 (Devlin et al. 2019); then it falls linearly to 0."""

WEIGHT_DECAY = 0.01
CLIP = 1.0
"""Largest norm of the gradient over all parameters."""


@dataclass(frozen=True)
class Schedule:
    """How long to train: optimizer steps in all, the steps after which to evaluate, and how long to be patient."""

    steps: int
    epochs: int
    evaluate_after: frozenset[int]
    patience: int


def schedule(batches_per_epoch: int, epochs: int, evaluations: int, patience: int) -> Schedule:
    """`evaluations` evaluations at equal distances, the last after the last step."""
    steps = batches_per_epoch * epochs
    marks = {math.ceil(steps * (i + 1) / evaluations) for i in range(evaluations)}
    return Schedule(steps, epochs, frozenset(marks), patience)


Losses = Callable[[Batch, Batch | None], tuple[Tensor, Tensor]]
"""From a batch its loss on the task, to be reported, and what is minimised, often the same.

Of a part of a batch, with the whole batch beside it: its share in both; the shares add up to what the whole has.
"""


@dataclass(frozen=True)
class Trained:
    """What a training left behind; the network holds the best parameters."""

    state: str
    value: float | None
    best_step: int | None
    curve: tuple[Point, ...]
    steps: int
    examples: int
    tokens: int
    train_seconds: float
    evaluate_seconds: float
    reason: str | None = None
    micro_batch: int | None = None


def make_optimizer(
    network: Network, rate: float, factors: Mapping[str, float] | None = None, seen: SeenRows | None = None
) -> torch.optim.AdamW:
    """AdamW on what trains; weight decay on matrices only (Loshchilov and Hutter 2019; Devlin et al. 2019).

    Each group of parameters has its `factor`, by which the rate of a step is to be multiplied. The rows that are `seen`
    stand in for the table they are of.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, own in network.named_parameters():
        parameter = seen.rows if seen is not None and name == seen.name else own
        if own.requires_grad:
            decay = WEIGHT_DECAY if parameter.dim() > 1 else 0.0
            groups.setdefault((decay, (factors or {}).get(name, 1.0)), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": found, "weight_decay": decay, "factor": factor} for (decay, factor), found in groups.items()],
        lr=rate,
        fused=True,
    )


def rate_at(step: int, steps: int, peak: float) -> float:
    """The learning rate of step 0..steps-1: linear warm-up over `WARMUP`, then linear decay to 0."""
    warm = max(1, round(WARMUP * steps))
    if step < warm:
        return peak * (step + 1) / warm
    return peak * (steps - step) / max(1, steps - warm)


def train(
    network: Network,
    batches: Callable[[int], Iterator[tuple[Batch, int, int]]],
    plan: Schedule,
    rate: float,
    losses_of: Losses,
    evaluate: Callable[[], float],
    report: Callable[[Point], bool],
    routine: Routine | None = None,
    unfinished: Unfinished | None = None,
    seen: SeenRows | None = None,
) -> Trained:
    """Train for `plan`, keeping the parameters that validated best.

    `batches(n)` yields (batch, examples, tokens) for ever, without the first n; `losses_of` gives what `Losses` says;
    `evaluate` scores the network on validation (higher is
    better); `report` sees every evaluation and returns False to stop a hopeless training. `routine` is the method's.
    A training that was cut off goes on from what is in `unfinished`, to the same end; `report` then sees its earlier
    evaluations again. The file stays until its owner forgets it. Of the table of tokens only what is `seen` trains.
    """
    updates = _Updates(network, plan, rate, losses_of, routine or Routine(), seen)
    run = _Run(network, plan, report)
    if unfinished is not None:
        _go_on(unfinished, run, updates)
    with seen.in_training() if seen else contextlib.nullcontext():
        _steps(run, updates, batches, evaluate, unfinished)
    return dataclasses.replace(run.finish(), micro_batch=updates.micro_batch)


def onward() -> tuple[Callable[[], float], Callable[[Point], bool]]:
    """`evaluate` and `report` of a training of which nothing says what is better: the later, the better.

    Its evaluations are only places from which it goes on when it was cut off.
    """
    marks: list[Point] = []

    def mark(point: Point) -> bool:
        marks.append(point)
        return True

    return lambda: float(len(marks)), mark


def _steps(
    run: _Run,
    updates: _Updates,
    batches: Callable[[int], Iterator[tuple[Batch, int, int]]],
    evaluate: Callable[[], float],
    unfinished: Unfinished | None,
) -> None:
    plan = run.plan
    train_mode(run.network)
    following = batches(run.steps)
    for step in range(run.steps, plan.steps):
        started = time.perf_counter()
        batch, examples, tokens = next(following)
        loss = updates.step(step, batch)
        run.stepped(loss, examples, tokens, time.perf_counter() - started)
        if step + 1 in plan.evaluate_after:
            updates.settle()
            if not run.evaluated(evaluate):
                break
            if unfinished is not None and unfinished.due:
                with spent.part("writing"):
                    unfinished.save(_taken(run, updates))


def _taken(run: _Run, updates: _Updates) -> dict[str, Any]:
    training = taken(run.network, run.names, updates.optimizer, updates.routine, updates.gpus)
    return {"run": run.taken(), "training": training, "micro_batch": updates.micro_batch}


def _go_on(unfinished: Unfinished, run: _Run, updates: _Updates) -> None:
    """Put everything to where the training was when its state was saved, if it was."""
    state = unfinished.load()
    if state is not None:
        put_back(state["training"], run.network, updates.optimizer, updates.routine, updates.gpus)
        run.put_back(state["run"])
        updates.go_on(state["micro_batch"])


class _Updates:
    """The optimizer's steps of one training."""

    def __init__(
        self, network: Network, plan: Schedule, rate: float, losses_of: Losses, routine: Routine,
        seen: SeenRows | None,
    ) -> None:
        self.network, self.plan, self.rate, self.losses_of, self.routine = network, plan, rate, losses_of, routine
        self.seen = seen
        self.optimizer = make_optimizer(network, rate, routine.rate_factors, seen)
        self.gpus = network.gpus
        self.micro_batch: int | None = None
        """Rows of the parts that batches are split into; None while memory suffices for whole ones."""
        self.trainable = [p for group in self.optimizer.param_groups for p in group["params"]]

    def settle(self) -> None:
        """Leave the network as it is after the last step."""
        if self.seen is not None:
            self.seen.settle()

    def go_on(self, micro_batch: int | None) -> None:
        """Go on from where network and optimizer are now."""
        self.micro_batch = micro_batch
        if self.seen is not None:
            self.seen.take()

    def step(self, step: int, batch: Batch) -> Tensor:
        """One update (from 0) by one batch; returns the loss on the task, still on the device."""
        if self.routine.before_step:
            self.routine.before_step(step + 1)
            train_mode(self.network)
        for group in self.optimizer.param_groups:
            group["lr"] = group["factor"] * rate_at(step, self.plan.steps, self.rate)
        loss = self._gradients(batch)
        with spent.part("optimizer"):
            nn.utils.clip_grad_norm_(self.trainable, CLIP)
            self.optimizer.step()
            if self.seen is not None:
                self.seen.stepped(self._group_of(self.seen.rows))
        if self.routine.after_step:
            self.routine.after_step(step + 1)
        self.optimizer.zero_grad(set_to_none=True)
        return loss

    def _group_of(self, parameter: nn.Parameter) -> Mapping[str, Any]:
        return next(g for g in self.optimizer.param_groups if any(p is parameter for p in g["params"]))

    def _gradients(self, batch: Batch) -> Tensor:
        """Leave the gradients of a batch, and return its loss; where memory does not suffice, part by part.

        A batch that does not fit is tried again in halves, with the same random numbers before it.
        """
        rows, random = size(batch), torch_random_state(self.gpus)
        found: list[Tensor] = []
        while not fits(lambda: found.append(self._added_up(batch)), last=min(rows, self.micro_batch or rows) == 1):
            self.optimizer.zero_grad(set_to_none=True)
            set_torch_random_state(random, self.gpus)
            self.micro_batch = -(-min(rows, self.micro_batch or rows) // 2)
        return found[0]

    def _added_up(self, batch: Batch) -> Tensor:
        if self.micro_batch is None or size(batch) <= self.micro_batch:
            return self._backward(*self.losses_of(batch, None), penalty=True)
        each = enumerate(parts(batch, self.micro_batch))
        return torch.stack([self._backward(*self.losses_of(p, batch), penalty=not n) for n, p in each]).sum()

    def _backward(self, loss: Tensor, objective: Tensor, *, penalty: bool) -> Tensor:
        if penalty and self.routine.penalty:
            objective = objective + self.routine.penalty()
        if objective.requires_grad:  # not a part without any target
            with spent.part("backward"):
                objective.backward()  # type: ignore[no-untyped-call]
        return loss.detach()


_TOTALS = ("steps", "examples", "tokens", "since", "train_seconds", "evaluate_seconds")


class _Run:
    """The running totals of one training, and its decisions to stop. What trains at its start is what it keeps."""

    def __init__(self, network: Network, plan: Schedule, report: Callable[[Point], bool]) -> None:
        self.network, self.plan, self.report = network, plan, report
        self.names = frozenset(name for name, p in network.named_parameters() if p.requires_grad)
        self.curve: list[Point] = []
        self.best: tuple[float, int, dict[str, Tensor]] | None = None
        self.state, self.reason = "COMPLETE", ""
        self.steps = self.examples = self.tokens = self.since = 0
        self.losses: list[Tensor] = []
        self.train_seconds = self.evaluate_seconds = 0.0

    def taken(self) -> dict[str, Any]:
        """The totals after an evaluation as plain values and tensors. The best tensors only where they are not those
        that the network has."""
        assert self.best is not None
        value, step, tensors = self.best
        return {
            "totals": {name: getattr(self, name) for name in _TOTALS},
            "curve": [dataclasses.astuple(point) for point in self.curve],
            "best": [value, step, None if step == self.steps else tensors],
        }

    def put_back(self, state: Mapping[str, Any]) -> None:
        """Take up what `taken` gave, the network having its tensors already, and report the evaluations again."""
        for name, total in state["totals"].items():
            setattr(self, name, total)
        self.curve = [Point(*values) for values in state["curve"]]
        value, step, tensors = state["best"]
        self.best = value, step, trained_state(self.network, self.names) if tensors is None else tensors
        for point in self.curve:
            self.report(point)

    def stepped(self, loss: Tensor, examples: int, tokens: int, seconds: float) -> None:
        spent.stepped()
        self.losses.append(loss)
        self.steps += 1
        self.examples += examples
        self.tokens += tokens
        self.train_seconds += seconds

    def evaluated(self, evaluate: Callable[[], float]) -> bool:
        """Evaluate, remember, and say whether to go on."""
        waited = time.perf_counter()
        loss = float(torch.stack(self.losses).mean())  # the only wait for the device between evaluations
        started = time.perf_counter()
        self.train_seconds += started - waited  # for steps that a GPU had still to make
        self.losses = []
        if not math.isfinite(loss):
            return self._diverged(f"the training loss was {loss} by step {self.steps}")
        if not self._finite():  # the last step's doing, of which no loss tells
            return self._diverged(f"a parameter was no finite number by step {self.steps}")
        self.network.eval()
        gpus = self.network.gpus
        with torch.random.fork_rng(gpus):  # whatever an evaluation draws, training goes on as if it had not been
            value = float(evaluate())
        train_mode(self.network)
        self.evaluate_seconds += time.perf_counter() - started
        if not math.isfinite(value):
            return self._diverged(f"the validation score was {value} at step {self.steps}")
        return self._judge(loss, value)

    def _finite(self) -> bool:
        trained = (p.detach() for name, p in self.network.named_parameters() if name in self.names and p.numel())
        ends = [end for p in trained for end in p.aminmax()]  # one pass, which carries what is no number along
        return bool(torch.stack(ends).isfinite().all())

    def _diverged(self, reason: str) -> bool:
        self.state, self.reason = "DIVERGED", reason
        return False

    def _judge(self, loss: float, value: float) -> bool:
        epoch = self.plan.epochs * self.steps / self.plan.steps
        point = Point(self.steps, round(epoch, 4), loss, value, self.train_seconds + self.evaluate_seconds)
        self.curve.append(point)
        if self.best is None or value > self.best[0]:
            self.best, self.since = (value, self.steps, trained_state(self.network, self.names)), 0
        else:
            self.since += 1
        if not self.report(point) and self.steps < self.plan.steps:
            self.state, self.reason = "PRUNED", f"validation was hopeless at step {self.steps}"
            return False
        return self.since < self.plan.patience

    def finish(self) -> Trained:
        for name, parameter in self.network.named_parameters():
            parameter.requires_grad_(name in self.names)  # whatever a routine left asleep
        if self.best is not None:
            restore(self.network, self.best[2])
        self.network.eval()
        known = self.best is not None and self.state != "DIVERGED"
        return Trained(
            state=self.state,
            value=self.best[0] if self.best and known else None,
            best_step=self.best[1] if self.best and known else None,
            curve=tuple(self.curve),
            steps=self.steps,
            examples=self.examples,
            tokens=self.tokens,
            train_seconds=self.train_seconds,
            evaluate_seconds=self.evaluate_seconds,
            reason=self.reason or None,
        )
