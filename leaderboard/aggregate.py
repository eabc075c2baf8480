"""How a model with a method does over several tasks: mean score between floor and best, mean rank, share of wins.

Knows panels of scores and names; no records, no layout. Tasks are taken as they are: an interval is over seeds and test
rows, not over other tasks that there might have been.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.metrics.metric import Array
from leaderboard.paired import Pairs, holm, pairs
from leaderboard.panel import Panel
from leaderboard.stats import Figure

Line = tuple[str, str]
"""Model and method."""

DRAWS = 10_000
LARGE = 1e12
"""Stands for an infinite variance, in squared points: that of a single row."""

Index = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Contest:
    """One task: the panel of its scored cells, the floor (None where the task has none), lines that have no score."""

    task: str
    panel: Panel
    floor: float | None
    failed: frozenset[Line] = frozenset()


@dataclass(frozen=True)
class Aggregate:
    """A line over all tasks; the figures are None where it lacks some (`missing`), and `as_floor` tasks counted as 0.

    `score` is the mean place between the floor (0) and the best score (100) of each task, `rank` the mean rank (1 is
    best), `wins` the percentage of comparisons won against the other lines, a draw counting half.
    """

    model: str
    method: str
    score: Figure | None
    rank: Figure | None
    wins: Figure | None
    as_floor: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def aggregates(contests: Sequence[Contest], level: float = 0.95, seed: int = 0) -> tuple[Aggregate, ...]:
    """All lines, sorted by name.

    The interval of the mean score is drawn (`_drawn`): scores and best score of each task as they may truly be, then
    placed and averaged. The floor is taken as known. Rank and wins count comparisons that are shown: a line's
    comparisons with all others on all tasks are one family (Holm), of which those not told apart may go either way. So
    these two intervals hold with at least the given confidence (as the ranks of `leaderboard.ranks`).
    """
    lines = sorted({line for c in contests for line in (*_scored(c), *c.failed)})
    missing = {line: tuple(c.task for c in contests if line not in {*_scored(c), *c.failed}) for line in lines}
    complete = [line for line in lines if not missing[line]]
    rng = np.random.default_rng(seed)
    tables = [_Table.of(c, complete, rng) for c in contests]
    made = {line: _aggregate(line, i, tables, level) for i, line in enumerate(complete)}
    return tuple(made.get(line, Aggregate(*line, None, None, None, missing=missing[line])) for line in lines)


def _scored(contest: Contest) -> tuple[Line, ...]:
    return tuple((model, method) for _, model, method in contest.panel.names)


@dataclass(frozen=True, eq=False)
class _Table:
    """A task for the complete lines: places (l,), draws of places (DRAWS, l), comparisons (l, l).

    `low` and `high` are places as low and as high as they may be (`_drawn`).
    """

    task: str
    failed: Flags
    places: Array
    low: Array
    high: Array
    ahead: Array
    p: Array

    @staticmethod
    def of(contest: Contest, lines: Sequence[Line], rng: np.random.Generator) -> _Table:
        found = pairs(contest.panel)
        scored = {line: i for i, line in enumerate(_scored(contest))}
        index = np.array([scored.get(line, -1) for line in lines], dtype=np.int64)
        failed = index < 0
        low, high = (_taken(draws, index) for draws in _drawn(contest, rng))
        return _Table(
            contest.task, failed, _taken(_placed(contest), index), low, high, *_outcomes(found, index, failed),
        )


def _taken(values: Array, index: Index) -> Array:
    """The last axis picked by `index`, 0 where that is -1."""
    return np.where(index < 0, 0.0, values[..., index])


def _outcomes(found: Pairs, index: Index, failed: Flags) -> tuple[Array, Array]:
    """Leads and p-values among the lines; one that failed loses for certain to one that did not, and draws else."""
    certain = failed[None, :].astype(np.float64) - failed[:, None]
    either = failed[:, None] | failed[None, :]
    ahead = np.where(either, certain, found.ahead[np.ix_(index, index)])
    p = np.where(either, np.where(certain != 0, 0.0, 1.0), found.p[np.ix_(index, index)])
    return np.round(ahead, 9).astype(np.float64), p


def _gained(contest: Contest) -> Array:
    """How far each score is above the floor, (c,); more is better."""
    panel = contest.panel
    floor = contest.floor if contest.floor is not None else panel.metric.limits[0 if panel.sign > 0 else 1]
    return np.asarray(panel.sign * (panel.values - floor), dtype=np.float64)


def _placed(contest: Contest) -> Array:
    gained = _gained(contest)
    return _between(gained, float(np.max(gained)))


def _between(gained: Array, best: Array | float) -> Array:
    """0 at the floor or worse, 100 at the best score or better; 0 where neither beats the floor."""
    span = np.maximum(best, gained)
    return 100 * np.divide(np.maximum(gained, 0.0), span, out=np.zeros(span.shape), where=span > 0)


def _drawn(contest: Contest, rng: np.random.Generator) -> tuple[Array, Array]:
    """Places as low and as high as they may truly be, (DRAWS, c) each, with the best score as it may truly be.

    A draw takes from each score an error. The best of many scores is measured too high, as it is partly the luckiest:
    by as much as the best of the scores with these errors on top is above the best of the scores (the basic bootstrap;
    Davison and Hinkley 1997, ch. 5.2). Without that it is as low as it may be, and all places are as high; as it was
    measured it is high enough for the others. See `benchmarks/overall.md`.
    """
    gained = _gained(contest)
    errors = _errors(contest.panel, int(np.argmax(gained)), rng)
    most = float(np.max(gained))
    least = 2 * most - np.max(gained + errors, axis=1, keepdims=True)
    return _between(gained - errors, most), _between(gained - errors, least)


def _errors(panel: Panel, top: int, rng: np.random.Generator) -> Array:
    """Errors of the mean scores, (DRAWS, c): Student's t, one for seeds, one for rows.

    That is Behrens' and Fisher's distribution, whose quantiles those of Cochran approximate (`bench.uncertainty`).
    Rows that are easy for one cell are easy for others: what a cell's rows have in common with those of cell `top` is
    drawn once for both.
    """
    size = (DRAWS, len(panel.values))
    seeds = np.sqrt(panel.seed_variance) * rng.standard_t(np.maximum(panel.seed_freedom, 1), size=size)
    rows = rng.standard_t(max(panel.rows - 1, 1), size=size)
    shared = np.nan_to_num(panel.shared, posinf=LARGE)
    spread = np.sqrt(np.maximum(np.diag(shared), 0.0))
    both = spread * spread[top]
    common = np.clip(np.divide(shared[top], both, out=np.zeros(both.shape), where=both > 0), -1.0, 1.0)
    return np.asarray(seeds + spread * (common * rows[:, [top]] + np.sqrt(1 - common**2) * rows), dtype=np.float64)


def _aggregate(line: Line, i: int, tables: Sequence[_Table], level: float) -> Aggregate:
    failed = tuple(t.task for t in tables if t.failed[i])
    score, others = _mean_place(i, tables, level), len(tables[0].places) - 1
    if not others:
        return Aggregate(*line, score, Figure(1.0, 1.0, 1.0), None, as_floor=failed)
    share = _share_won(i, tables, level)
    rank = _figure(*(1 + others * (1 - part) for part in (share.value, share.high, share.low)))
    wins = _figure(100 * share.value, 100 * share.low, 100 * share.high)
    return Aggregate(*line, score, rank, wins, as_floor=failed)


def _figure(value: float, low: float, high: float) -> Figure:
    """Rounded, since the last bits of a matrix product depend on the number of threads, and a board must not."""
    return Figure(round(value, 9), round(low, 9), round(high, 9))


def _share_won(i: int, tables: Sequence[_Table], level: float) -> Figure:
    others = np.arange(len(tables[0].places)) != i
    ahead = np.concatenate([t.ahead[i, others] for t in tables])
    told = holm(np.concatenate([t.p[i, others] for t in tables])) < 1 - level
    value = np.mean((ahead > 0) + 0.5 * (ahead == 0))
    return Figure(float(value), float(np.mean(told & (ahead > 0))), 1 - float(np.mean(told & (ahead < 0))))


def _mean_place(i: int, tables: Sequence[_Table], level: float) -> Figure:
    value = float(np.mean([t.places[i] for t in tables]))
    low = np.quantile(np.mean([t.low[:, i] for t in tables], axis=0), (1 - level) / 2)
    high = np.quantile(np.mean([t.high[:, i] for t in tables], axis=0), (1 + level) / 2)
    # Cut at floor and best, draws pile up at the ends; what was measured is always among what may be.
    return _figure(value, min(value, float(low)), max(value, float(high)))
