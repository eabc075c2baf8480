"""Which differences of a run are real, and which are not, in sentences: the same on every page.

A pure function of a study. Says only what comparisons show, each corrected within the family that its sentence names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.record import Names
from leaderboard import figures
from leaderboard.column import Entry
from leaderboard.frame import method_order
from leaderboard.overall import Overall
from leaderboard.paired import holm, pairs
from leaderboard.rank import Place
from leaderboard.study import Group, Study

LEVEL = 0.05
NAMED = 5
"""Of more names the first ones are given, and how many others there are."""
FEW = 3
"""Up to so many comparisons are named one by one."""
WHOLE = "full"
"""The method that others are compared with, where a run has it: all weights, as most read a result."""


@dataclass(frozen=True)
class Trial:
    """A method and the one it is compared with, on one task with one model: by how much it is ahead, and p."""

    method: str
    where: str
    ahead: float
    p: float


def sentences(study: Study) -> tuple[str, ...]:
    """What is real and what is not: task by task, then what methods do, then over all tasks."""
    groups = [group for group in study.groups if group.panel is not None and len(group.panel.names) > 1]
    entries = {entry.record.names: entry for view in study.board.tasks for entry in view.entries}
    sized = len(study.groups) > len({(group.task, group.source) for group in study.groups})
    order = method_order(study.board.records)
    methods = _methods(sorted(order, key=lambda method: order[method]), groups)
    overall = (line for several in study.overall for line in _overall(several))
    return (*(_task(group, sized, entries) for group in groups), *methods, *overall)


def _task(group: Group, sized: bool, entries: Mapping[Names, Entry]) -> str:
    """Who may be the best, how many pairs are told apart, and how many cells are shown to be worth anything."""
    assert group.panel is not None
    names = group.panel.names
    best = [_cell(place.names) for place in _best_first(group) if place.may_be_best]
    p = pairs(group.panel).p[np.triu_indices(len(names), 1)]
    told = int(np.sum(holm(p) < LEVEL))
    size = f" at {figures.rows(group.rows)} rows" if sized and group.rows is not None else ""
    known = f"{_listed(best)} may be the best" if len(best) > 1 else f"{best[0]} is the best"
    said = f"{figures.plain(group.task)}{size}: {known}. Of all {len(p)} pairs of cells {told} are told apart"
    if group.floor is None:
        return f"{said}."
    baseline = " and the baseline" if entries[names[0]].level.baseline else ""
    worth = sum(not (entries[each].beaten or entries[each].unproven) for each in names)
    verb = "is" if worth == 1 else "are"
    return f"{said}; {worth} of the {len(names)} cells {verb} shown to be better than the floor{baseline}."


def _best_first(group: Group) -> list[Place]:
    return sorted(group.places.values(), key=lambda place: (place.rank, place.names))


def _methods(order: Sequence[str], groups: Sequence[Group]) -> Iterator[str]:
    """What each method does against the one that trains most, the model and the task being the same."""
    reference = WHOLE if WHOLE in order else order[0] if order else ""
    trials = [trial for group in groups for trial in _trials(group, reference)]
    if not trials:
        return
    told = holm([trial.p for trial in trials]) < LEVEL
    shown = [trial for trial, real in zip(trials, told, strict=True) if real]
    there = [method for method in order if any(trial.method == method for trial in trials)]
    apart = [method for method in there if any(trial.method == method for trial in shown)]
    alike = [figures.plain(method) for method in there if method not in apart]
    said = [f"{figures.plain(m)} is {_outcome([t for t in shown if t.method == m], _count(trials, m))}" for m in apart]
    said += [f"nothing tells {_joined(alike)} from it"] if alike else []
    yield (
        f"Against {figures.plain(reference)} with the same model on the same task, corrected for all {len(trials)} "
        f"such comparisons: {'; '.join(said)}."
    )


def _count(trials: Sequence[Trial], method: str) -> int:
    return sum(trial.method == method for trial in trials)


def _outcome(shown: Sequence[Trial], of: int) -> str:
    """What is shown of a method, in so many comparisons."""
    found = []
    for word, where in (("better", [t.where for t in shown if t.ahead > 0]),
                        ("worse", [t.where for t in shown if t.ahead < 0])):
        named = f" ({', '.join(where)})" if len(where) <= FEW else ""
        found += [f"{word} in {len(where)}{named}"] if where else []
    return f"{' and '.join(found)} of {of}"


def _trials(group: Group, reference: str) -> Iterator[Trial]:
    assert group.panel is not None
    names, found = group.panel.names, pairs(group.panel)
    records = {record.names: record for record in group.records}
    base = {records[each].model: i for i, each in enumerate(names) if records[each].method == reference}
    for i, each in enumerate(names):
        record = records[each]
        j = base.get(record.model)
        if j is not None and i != j:
            where = f"{figures.plain(record.model)} on {figures.plain(record.task)}"
            yield Trial(record.method, where, float(found.ahead[i, j]), float(found.p[i, j]))


def _overall(several: Overall) -> Iterator[str]:
    """Whose interval over all tasks reaches the best line's, and what mean ranks tell."""
    lines = [line for line in several.best_first if line.score is not None]
    if len(lines) < 2 or lines[0].score is None:
        return
    size = "" if several.size is None else f" at {several.size:,} training rows"
    low = lines[0].score.low
    near = [figures.plain(f"{a.model} {a.method}") for a in lines[1:] if a.score is not None and a.score.high >= low]
    leader = figures.plain(f"{lines[0].model} {lines[0].method}")
    reached = f"by those of {_listed(near)}" if near else "by that of no other line"
    yield (
        f"Over {len(several.tasks)} tasks{size} {leader} has the highest mean place between floor and best; its "
        f"interval is reached {reached}."
    )
    ranking = several.ranking
    if ranking is not None:
        ranks = np.array(ranking.ranks)
        gaps = np.abs(ranks[:, None] - ranks[None, :])[np.triu_indices(len(ranks), 1)]
        yield (
            f"By mean ranks, to which {ranking.tasks} tasks are no more than {ranking.tasks} observations, "
            f"{int(np.sum(gaps > ranking.difference))} of {len(gaps)} pairs of lines differ."
        )


def _cell(names: Names) -> str:
    return figures.plain(f"{names[1]} {names[2]}")


def _listed(names: Sequence[str]) -> str:
    """Names in a row, the first ones only where there are many."""
    if len(names) > NAMED:
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
    return _joined(names)


def _joined(names: Sequence[str]) -> str:
    return " and ".join([*([", ".join(names[:-1])] if len(names) > 1 else []), names[-1]])
