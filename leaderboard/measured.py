"""Reads off two records of a cell what a comparison tests: the shift of its score, and that of its training loss.

Knows records and answers; judges nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import fmean, variance

import numpy as np

from bench.metrics.metric import Array
from bench.predictions import Answers
from bench.record import Names, Record, Training
from bench.score import metric_named
from bench.uncertainty import mean_variance
from leaderboard.panel import of_answers
from leaderboard.shifts import Shift, known_variance
from leaderboard.sides import Side, Standing

Z95 = 1.959964
"""Half the width of a normal 95% interval, in standard errors."""


def same_answers(base: Record, head: Record) -> bool:
    """Whether the two records have the same answers and scores: nothing that could be compared has changed."""
    told = [[(t.seed, t.answers, dict(t.scores or {})) for t in record.finals] for record in (base, head)]
    return told[0] == told[1] and base.score == head.score


def rescored(base: Record, head: Record) -> bool:
    """Whether both runs gave the same answers, as far as is known, and the scores of the same rows differ."""
    answers = [[(t.seed, t.answers) for t in record.finals] for record in (base, head)]
    known = all(digest is not None for _, digest in answers[0])
    return known and answers[0] == answers[1] and same_rows(base, head) and not same_answers(base, head)


def same_rows(base: Record, head: Record) -> bool:
    """Whether both runs asked the very same test rows, as far as is known."""
    return bool(base.data and head.data and base.data.asked and base.data.asked == head.data.asked)


def score_shift(key: str, base: Side, head: Side, known: tuple[float, float] | None = None) -> Shift:
    """How far the score of a cell that both runs scored moved; positive is better.

    On the same test rows the rows are compared pairwise. On others, or where answers are not kept, the two intervals
    are all that is known, and are taken as independent. Where both runs trained the very same models, seeds bring no
    noise: then the rows alone do, and what moved is the evaluation.
    """
    old, new = base.records[key], head.records[key]
    answers = base.store_of(key).read_answers(old.names), head.store_of(key).read_answers(new.names)
    sign = 1 if new.higher_is_better else -1
    value = sign * ((new.score or 0.0) - (old.score or 0.0))
    scopes = _scopes(old)
    if _paired(*answers) and same_trainings(old, new):
        rows = _paired_rows(old, *answers, fixed=True)
        freedom = float(len(answers[0][0].scores) - 1)
        return Shift(key, f"{old.metric} of the same models", value, rows, 0.0, freedom, scopes)
    seeds, freedom = _seed_variance(old, new)
    least = _grain(old) + _grain(new)
    if seeds is not None:
        seeds = max(seeds, least)
    if known is not None:
        known = max(known[0], least), known[1]
    return Shift(
        key=key, group=old.metric, value=value, seed_variance=seeds, freedom=freedom, known=known, scopes=scopes,
        row_variance=_paired_rows(old, *answers) if _paired(*answers) else _unpaired_rows(old, new),
    )


def _scopes(record: Record) -> tuple[str, ...]:
    """The parts of the grid that the cell belongs to."""
    parts = (f"task {record.task}", f"model {record.model}", f"method {record.method}")
    return parts if record.train_size is None else (*parts, f"{record.train_size:,} training rows")


def same_trainings(base: Record, head: Record) -> bool:
    """Whether every final training has the same losses to the last digit, and kept the parameters of the same step."""
    told = [[(t.seed, t.rate, t.best_step, [p.loss for p in t.curve]) for t in r.finals] for r in (base, head)]
    return told[0] == told[1] and all(losses for *_, losses in told[0])


def _seed_variance(old: Record, new: Record) -> tuple[float | None, float]:
    """The variance of the difference of two means over seeds, and its degrees of freedom; None without two seeds."""
    seeds = [record.seed_scores for record in (old, new)]
    freedom = float(sum(len(scores) - 1 for scores in seeds))
    if min(map(len, seeds)) < 2:
        return None, 0.0
    return sum(mean_variance(np.array(scores)) for scores in seeds), freedom


def _grain(record: Record) -> float:
    """The variance of a mean over seeds each of which has one test row that is right by the toss of a coin.

    Scores come in steps of a row, so that a few seeds may agree by chance: noise is never taken for less than this.
    """
    rows = record.data.test if record.data else 0
    return (100 / rows) ** 2 / 4 / max(1, len(record.finals)) if rows else 0.0


def _paired(one: Sequence[Answers], other: Sequence[Answers]) -> bool:
    return bool(one) and bool(other) and len({a.asked for a in (*one, *other)}) == 1


def _paired_rows(
    record: Record, one: Sequence[Answers], other: Sequence[Answers], *, fixed: bool = False
) -> float:
    """What other test rows would do to the difference, by the paired bootstrap that `leaderboard.panel` draws.

    `fixed` is of these very seeds, with what rows do to each of them by itself.
    """
    cells: dict[Names, Sequence[Answers]] = {("base", "", ""): one, ("head", "", ""): other}
    panel = of_answers(metric_named(record.metric), cells)
    shared = panel.fixed if fixed else panel.shared
    found = float(shared[0, 0] + shared[1, 1] - 2 * shared[0, 1])
    return max(0.0, found) if math.isfinite(found) else 0.0


def _unpaired_rows(old: Record, new: Record) -> float:
    return sum(((r.high - r.low) / 2 / Z95) ** 2 for r in (old, new) if r.low is not None and r.high is not None)


def run_variances(earlier: Iterable[Side], keys: Iterable[str]) -> dict[str, tuple[float, float]]:
    """By cell, the variance of a difference of two runs that earlier nights show, and its degrees of freedom.

    Nights with the very same answers are one night: a machine that repeats itself shows no noise.
    """
    nights = list(earlier)
    found = {}
    for key in keys:
        scores = _distinct(side.records[key] for side in nights if side.standing(key) is Standing.SCORED)
        known = known_variance(scores)
        if known is not None:
            found[key] = known
    return found


def _distinct(records: Iterable[Record]) -> list[Array]:
    """The seeds' scores of each night with answers of its own."""
    by_answers = {tuple(t.answers or str(t.scores) for t in r.finals): np.array(r.seed_scores) for r in records}
    return [scores for scores in by_answers.values() if len(scores)]


def loss_shift(base: Record, head: Record) -> Shift | None:
    """How far the training loss fell, in hundredths of its logarithm. Of trainings at the same rate and seed only.

    The noise is that of the base's and the other's seeds, which is more than that of one seed trained twice; unknown
    where there is one: then only what all cells do can be judged. None where no training has a partner.
    """
    pairs = _partners(base, head)
    gains = [gain for a, b in pairs if (gain := _gain(a, b)) is not None]
    spreads = [s for record in (base, head) if (s := _seed_spread(record.finals)) is not None]
    if not gains:
        return None
    seeds = sum(len(record.finals) - 1 for record in (base, head))
    return Shift(
        key=base.key, group=f"loss of {base.task}", value=100 * fmean(gains), row_variance=0.0,
        seed_variance=1e4 * 2 * fmean(spreads) / len(gains) if spreads else None, freedom=float(seeds),
        scopes=_scopes(base),
    )


def _partners(base: Record, head: Record) -> list[tuple[Training, Training]]:
    def name(training: Training) -> tuple[str, int, str]:
        return f"{training.rate or 0:.6g}", training.seed, str(dict(training.choice))

    later = {name(t): t for t in (*head.trials, *head.finals)}
    return [(t, later[name(t)]) for t in (*base.trials, *base.finals) if name(t) in later]


def same_losses(base: Record, head: Record) -> bool:
    """Whether every training has the very losses, unrounded, of its partner in the other run, as far as both went."""
    pairs = [(p.loss, q.loss) for a, b in _partners(base, head) for p, q in zip(a.curve, b.curve, strict=False)]
    return bool(pairs) and all(one == other for one, other in pairs)


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
