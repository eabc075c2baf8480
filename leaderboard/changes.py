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
    """The first night of another level: the means before and after, and what differs from the last night before it.

    `scope` is a cell's key, or `ALL` for the level of all cells (`common`), which is 0 on the first night.
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
    return sorted([*_of_all(nights), *found], key=lambda c: (c.first, c.scope != ALL, c.scope))


@dataclass(frozen=True)
class Common:
    """How much better all cells were than on the first night that is told, in points, and by how many cells that is."""

    level: float
    cells: int


def common(nights: Sequence[Side]) -> dict[str, Common]:
    """The level of all cells by the names of the nights that tell it, each cell against itself.

    Least squares of cells and nights: score = the cell's own + the night's. So a night counts by the cells it measured,
    however easy these are, and where all cells are measured every night it is the plain mean. Nights with fewer than
    half of the usual number of cells, or a single one, tell too little. Nights that no cell joins, not even by way of
    other nights, cannot be set against each other, and come out level.
    """
    table = {n.name: {key: r.score or 0.0 for key, r in n.records.items() if n.standing(key) is Standing.SCORED}
             for n in nights}
    usual = float(np.median([len(scores) for scores in table.values() if scores] or [0]))
    told = {name: scores for name, scores in table.items() if len(scores) >= max(2.0, usual / 2)}
    if not told:
        return {}
    effects = _effects(list(told.values()))
    return {
        name: Common(round(float(effect - effects[0]), 9) + 0.0, len(scores))  # no minus before a zero
        for (name, scores), effect in zip(told.items(), effects, strict=True)
    }


def _effects(nights: Sequence[Mapping[str, float]]) -> Array:
    """Each night's part of its cells' scores."""
    keys = sorted(set().union(*nights))
    own = {key: float(np.mean([scores[key] for scores in nights if key in scores])) for key in keys}
    places = [(place, keys.index(key)) for place, scores in enumerate(nights) for key in scores]
    design = np.zeros((len(places), len(nights) + len(keys)))
    for row, (place, key) in enumerate(places):
        design[row, place] = design[row, len(nights) + key] = 1.0
    values = [scores[key] - own[key] for scores in nights for key in scores]
    effects: Array = np.linalg.lstsq(design, np.array(values), rcond=None)[0][: len(nights)]
    return effects


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


def _of_all(nights: Sequence[Side]) -> list[Change]:
    known = common(nights)
    told = [night for night in nights if night.name in known]
    values = np.array([known[night.name].level for night in told])
    return [
        Change(ALL, told[i - 1].name, told[i].name, before, after, None, environment(told[i - 1], told[i]))
        for i, before, after in levels(values)
    ]


def environment(before: Side, after: Side) -> tuple[str, ...]:
    """What differs between two nights in any cell, or in the first of each where they have none in common."""
    both = [(before.records[key], after.records[key]) for key in before.records if key in after.records]
    pairs = both or list(zip(before.records.values(), after.records.values(), strict=False))[:1]
    return tuple(dict.fromkeys(words for pair in pairs for words in environment_changes(*pair)))


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
