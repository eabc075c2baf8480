"""One training: steps, evaluations, the best state kept. Knows networks and batches, not tasks or methods."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bench.learn.batch import Batch
from bench.learn.network import Network, restore, train_mode, trained_state
from bench.learn.unfinished import Unfinished, put_back, taken
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


def make_optimizer(network: Network, rate: float, factors: Mapping[str, float] | None = None) -> torch.optim.AdamW:
    """AdamW on what trains; weight decay on matrices only (Loshchilov and Hutter 2019; Devlin et al. 2019).

    Each group of parameters has its `factor`, by which the rate of a step is to be multiplied.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
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
    losses_of: Callable[[Batch], tuple[Tensor, Tensor]],
    evaluate: Callable[[], float],
    report: Callable[[Point], bool],
    routine: Routine | None = None,
    unfinished: Unfinished | None = None,
) -> Trained:
    """Train for `plan`, keeping the parameters that validated best.

    `batches(n)` yields (batch, examples, tokens) for ever, without the first n; `losses_of` gives a batch's loss on the
    task, to be reported, and what is minimised, often the same; `evaluate` scores the network on validation (higher is
    better); `report` sees every evaluation and returns False to stop a hopeless training. `routine` is the method's.
    A training that was cut off goes on from what is in `unfinished`, to the same end; `report` then sees its earlier
    evaluations again. The file stays until its owner forgets it.
    """
    updates = _Updates(network, plan, rate, losses_of, routine or Routine())
    run = _Run(network, plan, report)
    if unfinished is not None:
        _go_on(unfinished, run, updates)
    train_mode(network)
    following = batches(run.steps)
    for step in range(run.steps, plan.steps):
        started = time.perf_counter()
        batch, examples, tokens = next(following)
        loss = updates.step(step, batch)
        run.stepped(loss, examples, tokens, time.perf_counter() - started)
        if step + 1 in plan.evaluate_after:
            if not run.evaluated(evaluate):
                break
            if unfinished is not None and unfinished.due:
                unfinished.save({"run": run.taken(), "training": _taken(run, updates)})
    return run.finish()


def _taken(run: _Run, updates: _Updates) -> dict[str, Any]:
    return taken(run.network, run.names, updates.optimizer, updates.routine, run.gpus)


def _go_on(unfinished: Unfinished, run: _Run, updates: _Updates) -> None:
    """Put everything to where the training was when its state was saved, if it was."""
    state = unfinished.load()
    if state is not None:
        put_back(state["training"], run.network, updates.optimizer, updates.routine, run.gpus)
        run.put_back(state["run"])


class _Updates:
    """The optimizer's steps of one training."""

    def __init__(
        self, network: Network, plan: Schedule, rate: float, losses_of: Callable[[Batch], tuple[Tensor, Tensor]],
        routine: Routine,
    ) -> None:
        self.network, self.plan, self.rate, self.losses_of, self.routine = network, plan, rate, losses_of, routine
        self.optimizer = make_optimizer(network, rate, routine.rate_factors)
        self.trainable = [p for group in self.optimizer.param_groups for p in group["params"]]

    def step(self, step: int, batch: Batch) -> Tensor:
        """One update (from 0) by one batch; returns the loss on the task, still on the device."""
        if self.routine.before_step:
            self.routine.before_step(step + 1)
            train_mode(self.network)
        for group in self.optimizer.param_groups:
            group["lr"] = group["factor"] * rate_at(step, self.plan.steps, self.rate)
        loss, objective = self.losses_of(batch)
        if self.routine.penalty:
            objective = objective + self.routine.penalty()
        objective.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.trainable, CLIP)
        self.optimizer.step()
        if self.routine.after_step:
            self.routine.after_step(step + 1)
        self.optimizer.zero_grad(set_to_none=True)
        return loss.detach()


_TOTALS = ("steps", "examples", "tokens", "since", "train_seconds", "evaluate_seconds")


class _Run:
    """The running totals of one training, and its decisions to stop. What trains at its start is what it keeps."""

    def __init__(self, network: Network, plan: Schedule, report: Callable[[Point], bool]) -> None:
        self.network, self.plan, self.report = network, plan, report
        self.names = frozenset(name for name, p in network.named_parameters() if p.requires_grad)
        self.gpus = sorted({p.device.index for p in network.parameters() if p.device.type == "cuda"})
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
        self.losses.append(loss)
        self.steps += 1
        self.examples += examples
        self.tokens += tokens
        self.train_seconds += seconds

    def evaluated(self, evaluate: Callable[[], float]) -> bool:
        """Evaluate, remember, and say whether to go on."""
        started = time.perf_counter()
        loss = float(torch.stack(self.losses).mean())  # the only wait for the device between evaluations
        self.losses = []
        if not math.isfinite(loss):
            self.state, self.reason = "DIVERGED", f"the training loss was {loss} by step {self.steps}"
            return False
        self.network.eval()
        with torch.random.fork_rng(self.gpus):  # whatever an evaluation draws, training goes on as if it had not been
            value = float(evaluate())
        train_mode(self.network)
        self.evaluate_seconds += time.perf_counter() - started
        return self._judge(loss, value)

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
