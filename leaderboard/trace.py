"""Which of two records of one cell moved first: its data, its checkpoint, its training, or its evaluation.

A run leaves traces in the order in which things happened: rows, weights, budget, parameter counts, then for every
training the loss up to an evaluation and the validation score of that evaluation, then the answers to the test rows
and their score. What differs first is the cause, or stands next to it; all that follows may be a consequence.
Knows records only. Trainings of one seed repeat to the last digit on one machine with one set of versions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bench.record import Point, Record, Training

DIGITS = 6
"""Significant digits in which traces are compared: fewer than a sum's order can change."""


class Stage(StrEnum):
    """The part of a cell's making in which it moved."""

    DATA = "data"
    CHECKPOINT = "checkpoint"
    BUDGET = "budget"
    TRAINING = "training"
    EVALUATION = "evaluation"


@dataclass(frozen=True)
class Moved:
    """What differed first.

    `by` is the relative change of the training loss that did, or by which one drifted, in digits that are not compared,
    before an evaluation did; None where there is neither.
    """

    stage: Stage
    what: str
    by: float | None = None


@dataclass(frozen=True)
class _Step:
    """One trace in both records; None is unknown, and says nothing."""

    stage: Stage
    what: str
    base: Any
    head: Any


def first_moved(base: Record, head: Record) -> Moved | None:
    """The first trace in which the records differ, None where nothing does.

    A budget that differs ends the search: trainings of unlike budgets have no traces in common.
    """
    drift = None
    for step in _timeline(base, head):
        if step.base is None or step.head is None or step.base == step.head:
            continue
        loss = step.stage is Stage.TRAINING and isinstance(step.base, float) and step.base > 0 and step.head > 0
        by = math.log(step.head / step.base) if loss else None
        if _rounded(step.base) != _rounded(step.head):
            return Moved(step.stage, step.what, drift if step.stage is Stage.EVALUATION else by)
        drift = drift if by is None else by
    return None


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.{DIGITS}g}"
    if isinstance(value, dict):
        return {name: _rounded(entry) for name, entry in value.items()}
    return value


def _timeline(base: Record, head: Record) -> Iterator[_Step]:
    yield from _origins(base, head)
    for name in sorted({*base.budget, *head.budget}):
        told = [record.budget.get(name, "none") for record in (base, head)]
        yield _Step(Stage.BUDGET, f"the budget's {name} changed: {told[0]} to {told[1]}", *map(_listed, told))
    if base.parameters and head.parameters:
        for name in ("trainable", "method", "head", "total"):
            counts = [getattr(record.parameters, name) for record in (base, head)]
            what = f"the number of {name} parameters changed: {counts[0]:,} to {counts[1]:,}"
            yield _Step(Stage.TRAINING, what, *counts)
    yield from _trainings("trial", base.trials, head.trials)
    yield from _trainings("seed", base.finals, head.finals)
    yield from _answers(base, head)


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _origins(base: Record, head: Record) -> Iterator[_Step]:
    if base.data and head.data:
        a, b = base.data, head.data
        handed_out = a.learnt is not None and b.learnt is not None
        same_source = a.sha256 == b.sha256
        revision = f" (revision {a.revision} to {b.revision})" if a.revision != b.revision else ""
        where = "though their source did not" if same_source else f"and so did their source, {b.origin}{revision}"
        yield _Step(Stage.DATA, f"the rows learnt from changed, {where}", a.learnt, b.learnt)
        yield _Step(Stage.DATA, f"the test rows changed, {where}", a.asked, b.asked)
        if not handed_out:
            yield _Step(Stage.DATA, f"the data of {b.origin} changed", a.sha256, b.sha256)
            yield _Step(Stage.DATA, f"the data revision changed: {a.revision} to {b.revision}", a.revision, b.revision)
    if base.checkpoint and head.checkpoint:
        c, d = base.checkpoint, head.checkpoint
        yield _Step(Stage.CHECKPOINT, f"the weights of {d.path} changed", c.sha256, d.sha256)
        what = f"the revision of {d.path} changed: {c.revision} to {d.revision}"
        yield _Step(Stage.CHECKPOINT, what, c.revision, d.revision)


def _trainings(kind: str, base: Sequence[Training], head: Sequence[Training]) -> Iterator[_Step]:
    for a, b in zip(base, head, strict=False):
        name = f"{kind} {a.number if kind == 'trial' else a.seed}"
        yield _Step(Stage.TRAINING, f"the rate of {name} changed", a.rate, b.rate)
        yield _Step(Stage.TRAINING, f"the options of {name} changed", dict(a.choice), dict(b.choice))
        for p, q in zip(a.curve, b.curve, strict=False):
            yield from _points(name, p, q)
        yield _Step(Stage.TRAINING, f"{name} had another number of steps", a.steps, b.steps)
        yield _Step(Stage.TRAINING, f"{name} ended otherwise", a.state, b.state)
    what = f"the number of {'trials' if kind == 'trial' else 'seeds'} changed"
    yield _Step(Stage.TRAINING, what, len(base), len(head))


def _points(name: str, a: Point, b: Point) -> Iterator[_Step]:
    yield _Step(Stage.TRAINING, f"{name} was evaluated after another number of steps", a.step, b.step)
    yield _Step(Stage.TRAINING, f"the training loss changed first in {name} by step {b.step}", a.loss, b.loss)
    what = f"the validation score changed first in {name} at step {b.step}, training did not until then"
    yield _Step(Stage.EVALUATION, what, a.validation, b.validation)


def _answers(base: Record, head: Record) -> Iterator[_Step]:
    for a, b in zip(base.finals, head.finals, strict=False):
        what = f"the test answers of seed {b.seed} changed, training and validation did not"
        yield _Step(Stage.EVALUATION, what, a.answers, b.answers)
        what = f"the same answers of seed {b.seed} were scored otherwise"
        yield _Step(Stage.EVALUATION, what, _plain(a.scores), _plain(b.scores))


def _plain(scores: Any) -> dict[str, float] | None:
    return None if scores is None else dict(scores)


def environment_changes(base: Record, head: Record) -> tuple[str, ...]:
    """What differs in how the two records came to be: revisions, packages, machine, code. In words."""
    found = [*_revisions(base, head)]
    before, after = base.provenance, head.provenance
    packages = [dict(p.get("packages") or {}) for p in (before, after)]
    for name in sorted({*packages[0], *packages[1]}):
        old, new = (p.get(name, "not installed") for p in packages)
        if old != new:
            found.append(f"{name} {old} to {new}")
    for name in ("python", "processor", "cores", "device", "precision", "platform"):
        if before.get(name) != after.get(name):
            found.append(f"{name} {before.get(name, 'unknown')} to {after.get(name, 'unknown')}")
    commits = [(p.get("commit") or {}) for p in (before, after)]
    if commits[0].get("sha") != commits[1].get("sha"):
        found.append(f"commit {_sha(commits[0])} to {_sha(commits[1])}")
    if any(commit.get("dirty") for commit in commits):
        found.append("code that was changed after its commit")
    return tuple(found)


def _revisions(base: Record, head: Record) -> Iterator[str]:
    """Data and weights that are others, with their revisions where they have any."""
    if base.data and head.data and base.data.sha256 != head.data.sha256:
        yield f"data {head.data.origin}{_revised(base.data.revision, head.data.revision)}"
    old, new = base.checkpoint, head.checkpoint
    if old and new and (old.sha256, old.revision) != (new.sha256, new.revision):
        yield f"weights {new.path}{_revised(old.revision, new.revision)}"


def _revised(old: str | None, new: str | None) -> str:
    return f" {old} to {new}" if old != new else " changed"


def _sha(commit: Mapping[str, Any]) -> str:
    return str(commit.get("sha") or "unknown")[:10]
