"""What the search for hyperparameters added to a cell, and how much of a gap between two methods is due to it.

All on validation rows, the only ones that a search sees. Knows records only, no layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.record import Record, Training

SAME = 1e-9
"""Gaps below this are none: shares of them mean nothing."""

TELLING = 1.0
"""Points of a gap from which on a share of it says anything, and is shown."""


@dataclass(frozen=True)
class Search:
    """One cell's search. Validation scores, None where a trial has none.

    `default` is the score of the first trial, which runs at the method's default; `tuned` the best of the completed
    trials; `gain` how much better that is. `best_so_far` has a score for each trial spent, None while none completed.
    `pruned` and `diverged` count trials that were cut short; `rate_at_edge` says that nothing beyond the best rate was
    tried. `seconds` is the wall time of all trials.
    """

    default: float | None
    tuned: float | None
    gain: float | None
    best_so_far: tuple[float | None, ...]
    trials: int
    pruned: int
    diverged: int
    seconds: float
    rate_at_edge: bool | None


@dataclass(frozen=True)
class Gap:
    """One method's tuned score less another's, the same at their defaults, and the share of the former that is search.

    `share` = 1 - untuned / tuned: 0 where the defaults differ as much as the tuned methods, 1 where they do not differ,
    above 1 where the search turned the order, below 0 where it narrowed the gap. None where there is no gap, or a
    default has no score.
    """

    tuned: float | None
    untuned: float | None
    share: float | None


def search(record: Record) -> Search:
    """What a record tells of its search; a method that trains nothing has none (0 trials).

    A trial that was pruned has a score, but from a training cut short: it counts as the default where it was the first,
    never as the best.
    """
    sign = 1 if record.higher_is_better else -1
    curve = _best_so_far(record.trials, sign)
    default = record.trials[0].value if record.trials else None
    tuned = curve[-1] if curve else None
    return Search(
        default=default,
        tuned=tuned,
        gain=None if default is None or tuned is None else sign * (tuned - default),
        best_so_far=curve,
        trials=len(record.trials),
        pruned=sum(t.state == "PRUNED" for t in record.trials),
        diverged=sum(t.state == "DIVERGED" for t in record.trials),
        seconds=sum(t.train_seconds + t.evaluate_seconds for t in record.trials),
        rate_at_edge=record.rate_at_edge,
    )


def _best_so_far(trials: Sequence[Training], sign: int) -> tuple[float | None, ...]:
    found: list[float | None] = []
    for trial in trials:
        best = found[-1] if found else None
        complete = trial.state == "COMPLETE" and trial.value is not None
        if complete and (best is None or sign * trial.value > sign * best):  # type: ignore[operator]
            best = trial.value
        found.append(best)
    return tuple(found)


def gap(one: Record, other: Record) -> Gap:
    """How far two cells of one task lie apart on validation, tuned and at their defaults."""
    first, second = search(one), search(other)
    tuned, untuned = _less(first.tuned, second.tuned), _less(first.default, second.default)
    return Gap(tuned, untuned, None) if tuned is None or untuned is None else of_means(tuned, untuned)


def of_means(tuned: float, untuned: float) -> Gap:
    """A gap of two known differences, such as means over several models."""
    return Gap(tuned, untuned, 1 - untuned / tuned if abs(tuned) > SAME else None)


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other
