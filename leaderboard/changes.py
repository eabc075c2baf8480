"""When did a cell's score change over the nights of a history, and what changed with it?

Knows nights and records; draws nothing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.metrics.metric import Array
from bench.record import Record
from leaderboard.shifts import ALL
from leaderboard.sides import Side, Standing
from leaderboard.trace import Moved, environment_changes, first_moved

FEWEST = 6
"""Nights from which change points are looked for."""

LEVEL = 0.05
"""About the chance that a history in which nothing changed shows a change in some cell."""

SHORTEST = 2
"""Nights that a level lasts: a single night out of line is for that night's verdict to name."""

SMALLEST = 0.5
"""Points that a change has at least; a machine that repeats itself to the last digit has no noise to go by."""


@dataclass(frozen=True)
class Change:
    """The first night of another level: the means before and after, and what differs from the night before it.

    `scope` is a cell's key, or `ALL` for the mean over cells that were measured every night.
    """

    scope: str
    last_good: str
    first: str
    before: float
    after: float
    moved: Moved | None
    environment: tuple[str, ...]


def change_points(nights: Sequence[Side]) -> list[Change]:
    """The changes of level of every cell, and of the mean over cells, by night; `nights` are the oldest first."""
    keys = sorted({key for night in nights for key in night.records})
    table = {key: [(n, n.records[key]) for n in nights if n.standing(key) is Standing.SCORED] for key in keys}
    scores = {key: np.array([record.score or 0.0 for _, record in series]) for key, series in table.items()}
    usual = float(np.median([noise_variance(values) for values in scores.values() if len(values) >= FEWEST] or [0.0]))
    found = [
        change for key, series in table.items()
        for change in _of_cell(key, series, levels(scores[key], usual, len(table)))
    ]
    return sorted([*_of_all(*steady(nights)), *found], key=lambda c: (c.first, c.scope != ALL, c.scope))


def steady(nights: Sequence[Side]) -> tuple[list[Side], list[str]]:
    """The nights that scored anything, and the cells that every one of them scored. One that was stopped is none."""
    scored = [(night, {key for key in night.records if night.standing(key) is Standing.SCORED}) for night in nights]
    told = [(night, keys) for night, keys in scored if keys]
    return [night for night, _ in told], sorted(set.intersection(*(keys for _, keys in told))) if told else []


def _of_cell(
    key: str, series: Sequence[tuple[Side, Record]], found: Sequence[tuple[int, float, float]]
) -> list[Change]:
    return [
        Change(
            key, series[i - 1][0].name, series[i][0].name, before, after,
            first_moved(series[i - 1][1], series[i][1]), environment_changes(series[i - 1][1], series[i][1]),
        )
        for i, before, after in found
    ]


def _of_all(nights: Sequence[Side], keys: Sequence[str]) -> list[Change]:
    if len(keys) < 2:
        return []
    values = np.array([np.mean([night.records[key].score or 0.0 for key in keys]) for night in nights])
    return [
        Change(ALL, nights[i - 1].name, nights[i].name, before, after, None,
               _common(nights[i - 1].records, nights[i].records, keys))
        for i, before, after in levels(values)
    ]


def _common(before: Mapping[str, Record], after: Mapping[str, Record], keys: Sequence[str]) -> tuple[str, ...]:
    told = (words for key in keys for words in environment_changes(before[key], after[key]))
    return tuple(dict.fromkeys(told))


def levels(values: Array, usual: float = 0.0, series: int = 1) -> list[tuple[int, float, float]]:
    """Where the level of a series changes, as (place of the first value of the new level, mean before, mean after).

    Optimal segmentation by squared error with a penalty for each change (PELT, Killick et al. 2012, in `ruptures`):
    that of a test at every night of as many `series` as are looked at. The noise is read off successive differences,
    by their median, so that the changes themselves do not count as noise; few nights tell it badly, so it is at least
    the `usual` variance, that of the median series.
    """
    import ruptures

    if len(values) < FEWEST:
        return []
    noise = max(noise_variance(values), usual, (SMALLEST / 4) ** 2)
    search = ruptures.KernelCPD(kernel="linear", min_size=SHORTEST).fit(values.reshape(-1, 1))
    ends = [0, *search.predict(pen=2 * noise * math.log(len(values) * series / LEVEL))]
    means = [float(values[a:b].mean()) for a, b in itertools.pairwise(ends)]
    places = zip(ends[1:-1], means, means[1:], strict=False)
    return [(place, before, after) for place, before, after in places if abs(after - before) >= SMALLEST]


def noise_variance(values: Array) -> float:
    """The variance of single values about a level that may change: median squared step / 2 of a normal series."""
    steps = np.diff(values)
    return float(np.median(steps**2)) / 0.4549 / 2 if len(steps) else 0.0
