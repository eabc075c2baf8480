"""Scores against what they cost, one task and one cost at a time. Knows records, not how they are drawn.

Costs are of whole cells: seconds include the search. The front is that of the scores as measured, and of costs to
DIGITS: a time or a peak that was measured once repeats no better, and a cell must not be on the front by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.record import Record
from leaderboard.pareto import pareto

DIGITS = 2
"""Significant digits to which measured costs are told apart."""
EXACT = frozenset({"trainable parameters"})
"""The costs that are counted, not measured."""


@dataclass(frozen=True)
class Dot:
    """A cell: what it cost, and its score with its 95% interval, None where that is not known."""

    model: str
    method: str
    cost: float
    score: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Trade:
    """All cells of a task with a score and this cost, the cheapest first, and the places of those on the Pareto front.

    `left_out` are the names of the other cells, which are not drawn. `rows` are the training rows, None if unknown.
    """

    task: str
    source: str
    rows: int | None
    metric: str
    higher_is_better: bool
    cost: str
    dots: tuple[Dot, ...]
    front: tuple[int, ...]
    left_out: tuple[str, ...]


def _trainable(record: Record) -> float | None:
    return record.parameters.trainable if record.parameters else None


def _seconds(record: Record) -> float | None:
    return record.cost.seconds if record.cost else None


def _memory(record: Record) -> float | None:
    return record.cost.peak_memory if record.cost else None


COSTS: Mapping[str, Callable[[Record], float | None]] = {
    "trainable parameters": _trainable, "seconds": _seconds, "peak memory": _memory,
}


def trade(records: Sequence[Record], cost: str, rows: int | None = None) -> Trade:
    """The records of one task, which learnt from equally many rows, against one of COSTS."""
    first = records[0]
    dots, left_out = [], []
    sizes = {record.train_size for record in records}
    for record in records:
        method = record.method if len(sizes) == 1 else record.names[2]
        spent = COSTS[cost](record)
        if record.score is None or spent is None:
            left_out.append(f"{record.model}/{method}")
        else:
            dots.append(Dot(record.model, method, spent, record.score, record.low, record.high))
    dots.sort(key=lambda dot: (dot.cost, dot.score, dot.model, dot.method))
    sign = 1 if first.higher_is_better else -1
    front = pareto([(_told(cost, dot.cost), sign * dot.score) for dot in dots])
    return Trade(first.task, first.source, rows, first.metric, first.higher_is_better, cost, tuple(dots), front,
                 tuple(sorted(left_out)))


def _told(cost: str, value: float) -> float:
    """A cost as the front compares it."""
    return value if cost in EXACT else float(f"{value:.{DIGITS}g}")
