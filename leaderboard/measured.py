"""Reads off two records of a cell what a comparison tests: the shift of its score, and that of its training loss.

Knows records and answers; judges nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import fmean, variance

import numpy as np

from bench.record import Record, Training
from bench.score import metric_named
from bench.store import Answers, Names
from bench.uncertainty import mean_variance
from leaderboard.changes import FEWEST, noise_variance
from leaderboard.panel import of_answers
from leaderboard.shifts import Shift
from leaderboard.sides import Side, Standing

Z95 = 1.959964
"""Half the width of a normal 95% interval, in standard errors."""


def same_answers(base: Record, head: Record) -> bool:
    """Whether the two records have the same answers and scores: nothing that could be compared has changed."""
    told = [[(t.seed, t.answers, dict(t.scores or {})) for t in record.finals] for record in (base, head)]
    return told[0] == told[1] and base.score == head.score


def score_shift(key: str, base: Side, head: Side, known: tuple[float, float] | None = None) -> Shift:
    """How far the score of a cell that both runs scored moved; positive is better.

    On the same test rows the rows are compared pairwise. On others, or where answers are not kept, the two intervals
    are all that is known, and are taken as independent.
    """
    old, new = base.records[key], head.records[key]
    names = (old.task, old.model, old.method)
    answers = base.store_of(key).read_answers(names), head.store_of(key).read_answers(names)
    sign = 1 if new.higher_is_better else -1
    value = sign * ((new.score or 0.0) - (old.score or 0.0))
    seeds, freedom = _seed_variance(old, new)
    return Shift(
        key=key, group=old.metric, value=value, seed_variance=seeds, freedom=freedom, known=known,
        row_variance=_paired_rows(old, *answers) if _paired(*answers) else _unpaired_rows(old, new),
        scopes=(f"task {old.task}", f"model {old.model}", f"method {old.method}"),
    )


def _seed_variance(old: Record, new: Record) -> tuple[float | None, float]:
    """The variance of the difference of two means over seeds, and its degrees of freedom; None without two seeds."""
    seeds = [record.seed_scores for record in (old, new)]
    freedom = float(sum(len(scores) - 1 for scores in seeds))
    if min(map(len, seeds)) < 2:
        return None, 0.0
    return sum(mean_variance(np.array(scores)) for scores in seeds), freedom


def _paired(one: Sequence[Answers], other: Sequence[Answers]) -> bool:
    return bool(one) and bool(other) and len({a.asked for a in (*one, *other)}) == 1


def _paired_rows(record: Record, one: Sequence[Answers], other: Sequence[Answers]) -> float:
    """What other test rows would do to the difference, by the paired bootstrap that `leaderboard.panel` draws."""
    cells: dict[Names, Sequence[Answers]] = {("base", "", ""): one, ("head", "", ""): other}
    shared = of_answers(metric_named(record.metric), cells).shared
    found = float(shared[0, 0] + shared[1, 1] - 2 * shared[0, 1])
    return max(0.0, found) if math.isfinite(found) else 0.0


def _unpaired_rows(old: Record, new: Record) -> float:
    return sum(((r.high - r.low) / 2 / Z95) ** 2 for r in (old, new) if r.low is not None and r.high is not None)


def run_variances(earlier: Iterable[Side], keys: Iterable[str]) -> dict[str, tuple[float, float]]:
    """By cell, the variance of a difference of two runs that earlier nights show, and its degrees of freedom.

    It is read off successive nights by the median, so that a change among them does not pass for noise; the median
    costs about half the freedom. Nights with the very same answers are one night: a machine that repeats itself shows
    no noise.
    """
    nights = list(earlier)
    found = {}
    for key in keys:
        scores = _distinct(side.records[key] for side in nights if side.standing(key) is Standing.SCORED)
        if len(scores) >= FEWEST:
            found[key] = (2 * noise_variance(np.array(scores)), (len(scores) - 1) / 2)
    return found


def _distinct(records: Iterable[Record]) -> list[float]:
    by_answers = {tuple(t.answers or str(t.scores) for t in r.finals): r.score for r in records}
    return [score for score in by_answers.values() if score is not None]


def loss_shift(base: Record, head: Record) -> Shift | None:
    """How far the training loss moved, in percent; positive is lower. Of trainings at the same rate and seed only.

    The noise is that of the base's and the other's seeds, which is more than that of one seed trained twice. None where
    no training has a partner, or no two seeds tell the noise.
    """
    pairs = _partners(base, head)
    gains = [gain for a, b in pairs if (gain := _gain(a, b)) is not None]
    spreads = [s for record in (base, head) if (s := _seed_spread(record.finals)) is not None]
    if not gains or not spreads:
        return None
    seeds = sum(len(record.finals) - 1 for record in (base, head))
    return Shift(
        key=base.key, group=f"loss of {base.task}", value=100 * fmean(gains), row_variance=0.0,
        seed_variance=1e4 * 2 * fmean(spreads) / len(gains), freedom=float(seeds),
        scopes=(f"task {base.task}", f"model {base.model}", f"method {base.method}"),
    )


def _partners(base: Record, head: Record) -> list[tuple[Training, Training]]:
    def name(training: Training) -> tuple[str, int, str]:
        return f"{training.rate or 0:.6g}", training.seed, str(dict(training.choice))

    later = {name(t): t for t in (*head.trials, *head.finals)}
    return [(t, later[name(t)]) for t in (*base.trials, *base.finals) if name(t) in later]


def _gain(base: Training, head: Training) -> float | None:
    """The mean fall of the logarithm of the loss over the evaluations that both had."""
    later = {point.step: point.loss for point in head.curve}
    both = [(p.loss, later[p.step]) for p in base.curve if p.step in later]
    known = [math.log(a / b) for a, b in both if a > 0 and b > 0]
    return fmean(known) if known else None


def _seed_spread(finals: Sequence[Training]) -> float | None:
    """The variance over seeds of the mean logarithm of the loss, over the evaluations that all had."""
    curves = [{p.step: p.loss for p in final.curve if p.loss > 0} for final in finals]
    steps = set(curves[0]).intersection(*curves) if curves else set()
    if len(curves) < 2 or not steps:
        return None
    return variance(fmean(math.log(curve[step]) for step in sorted(steps)) for curve in curves)
