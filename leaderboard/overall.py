"""Lines over several tasks, at each training-set size: who is compared with whom, and what is left out and why.

Hands the figures to `leaderboard.aggregate` and `leaderboard.friedman`. Knows records and panels, no layout.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from bench.record import Names, Record
from leaderboard import panel
from leaderboard.aggregate import Aggregate, Contest, Line, aggregates
from leaderboard.friedman import CriticalDifference, critical_difference
from leaderboard.panel import Panel

TaskSource = tuple[str, str]


class Part(Protocol):
    """The cells of one task from one source that are compared with each other; `panel` of those with answers."""

    @property
    def task(self) -> str:
        """The task's name."""

    @property
    def source(self) -> str:
        """Where its data come from."""

    @property
    def records(self) -> tuple[Record, ...]:
        """All cells, those without a score, too."""

    @property
    def panel(self) -> Panel | None:
        """The cells whose answers are kept."""

    @property
    def floor(self) -> tuple[str, float] | None:
        """The best trivial answer and its score."""


@dataclass(frozen=True, eq=False)
class Overall:
    """Models with methods over `tasks`, at one asked-for training-set size (None where the run has a single one).

    `left_out` says why a task of that size is not among them.
    """

    size: int | None
    tasks: tuple[TaskSource, ...]
    aggregates: tuple[Aggregate, ...]
    left_out: Mapping[TaskSource, str]
    contests: tuple[Contest, ...]

    @property
    def best_first(self) -> tuple[Aggregate, ...]:
        """The lines by their mean place between floor and best, those that lack a task last."""
        return tuple(sorted(self.aggregates, key=lambda a: (a.score is None, -a.score.value if a.score else 0.0)))

    @cached_property
    def ranking(self) -> CriticalDifference | None:
        """Mean ranks of the lines with a result on every task, named model/method; None for fewer than two of them.

        Worked out when first asked for: it takes a while.
        """
        complete = [(a.model, a.method) for a in self.aggregates if not a.missing]
        if len(complete) < 2:
            return None
        scores = np.array([_scores(contest, complete) for contest in self.contests])
        return critical_difference(["/".join(line) for line in complete], scores.T)


def of(parts: Sequence[Part]) -> tuple[Overall, ...]:
    """One entry for each size at which at least two tasks can be compared."""
    sizes = sorted({r.train_size for part in parts for r in part.records}, key=lambda size: size or 0)
    found = (_overall(size, parts) for size in sizes)
    return tuple(each for each in found if len(each.tasks) > 1)


def _overall(size: int | None, parts: Sequence[Part]) -> Overall:
    there = [(part, records) for part in parts if (records := _of_size(part, size))]
    tasks = [(part.task, part.source) for part, _ in there]
    why = {task: _why_not(part, records, tasks) for task, (part, records) in zip(tasks, there, strict=True)}
    contests = [_contest(part, records) for task, (part, records) in zip(tasks, there, strict=True) if not why[task]]
    found = aggregates(contests) if len(contests) > 1 else ()
    left_out = {task: reason for task, reason in why.items() if reason}
    return Overall(size, tuple(task for task in tasks if not why[task]), found, left_out, tuple(contests))


def _why_not(part: Part, records: Sequence[Record], tasks: Sequence[TaskSource]) -> str:
    """Why a task cannot be told with others, "" where it can."""
    if tasks.count((part.task, part.source)) > 1:
        return "its cells learnt from different numbers of rows"
    return "" if _kept(part, records) else "none of its cells has a score with its answers at hand"


def _kept(part: Part, records: Sequence[Record]) -> list[Names]:
    return [r.names for r in records if part.panel is not None and r.names in part.panel.names]


def _of_size(part: Part, size: int | None) -> tuple[Record, ...]:
    return tuple(r for r in part.records if r.train_size == size)


def _contest(part: Part, records: Sequence[Record]) -> Contest:
    assert part.panel is not None
    lines: Mapping[Names, Line] = {r.names: (r.model, r.method) for r in records}
    found = panel.part(part.panel, _kept(part, records))
    plain = tuple((part.task, *lines[names]) for names in found.names)
    failed = frozenset((r.model, r.method) for r in records if r.score is None)
    floor = part.floor[1] if part.floor else None
    return Contest(f"{part.task} ({part.source})", dataclasses.replace(found, names=plain), floor, failed)


def _scores(contest: Contest, lines: Sequence[Line]) -> list[float]:
    """A score for each line, more being better; those that failed come last, together."""
    known = {names[1:]: contest.panel.sign * value for names, value in zip(
        contest.panel.names, contest.panel.values.tolist(), strict=True)}
    return [round(known.get(line, min(known.values()) - 1), 9) for line in lines]
