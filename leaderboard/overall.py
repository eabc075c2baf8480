"""Lines over several tasks, at each training-set size: who is compared with whom, and what is left out and why.

Hands the figures to `leaderboard.aggregate` and `leaderboard.friedman`. Knows records and panels, no layout.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.record import Names, Record
from leaderboard import panel
from leaderboard.aggregate import Aggregate, Contest, Line, aggregates
from leaderboard.friedman import CriticalDifference, critical_difference
from leaderboard.panel import Panel

TaskSource = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Part:
    """The cells of one task from one source that are compared with each other; `panel` of those with answers."""

    task: TaskSource
    records: tuple[Record, ...]
    panel: Panel | None
    floor: float | None


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
    asked = [(part, _of_size(part, size)) for part in parts]
    there = [(part, records) for part, records in asked if records]
    tasks = [part.task for part, _ in there]
    contests, left_out = [], {}
    for part, records in there:
        kept = [r.names for r in records if part.panel is not None and r.names in part.panel.names]
        if tasks.count(part.task) > 1:
            left_out[part.task] = "its cells learnt from different numbers of rows"
        elif part.panel is None or not kept:
            left_out[part.task] = "none of its cells has a score with answers kept"
        else:
            contests.append(_contest(part, records, panel.part(part.panel, kept)))
    found = aggregates(contests) if len(contests) > 1 else ()
    compared = tuple(task for task in tasks if task not in left_out)
    return Overall(size, compared, found, left_out, tuple(contests))


def _of_size(part: Part, size: int | None) -> tuple[Record, ...]:
    return tuple(r for r in part.records if r.train_size == size)


def _contest(part: Part, records: Sequence[Record], found: Panel) -> Contest:
    lines: Mapping[Names, Line] = {r.names: (r.model, r.method) for r in records}
    plain = tuple((part.task[0], *lines[names]) for names in found.names)
    failed = frozenset((r.model, r.method) for r in records if r.score is None)
    return Contest(_named(part.task), dataclasses.replace(found, names=plain), part.floor, failed)


def _named(task: TaskSource) -> str:
    return f"{task[0]} ({task[1]})"


def _scores(contest: Contest, lines: Sequence[Line]) -> list[float]:
    """A score for each line, more being better; those that failed come last, together."""
    known = {names[1:]: contest.panel.sign * value for names, value in zip(
        contest.panel.names, contest.panel.values.tolist(), strict=True)}
    return [round(known.get(line, min(known.values()) - 1), 9) for line in lines]
