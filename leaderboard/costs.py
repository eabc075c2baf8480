"""Did cells become slower, or need more memory? Against bands learnt from earlier runs on machines of the same class.

Timings are noisy in two ways: a whole night may be slow, and a single cell may be. Each has its band. Without enough
earlier nights the bands are wide and said to be so. Knows records only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.metrics.metric import Array
from bench.record import Record
from leaderboard.shifts import ALL

ENOUGH = 8
"""Nights from which a band is learnt."""

WIDTHS = (8.0, 12.0)
"""Half the width of a learnt band, in (robust) standard deviations of the difference of two nights: of the median over
all cells, and of a single cell. Timings have heavy tails, and there are many cells: see `benchmarks/nights.md`."""

LEAST_SECONDS = 0.2
"""Less time than that in a whole cell is told by what else the machine does, not by the code."""

MAD = 1.4826
"""The standard deviation of normal numbers over their median absolute deviation."""

Machine = tuple[str, ...]
"""What timings can be compared within: processor, cores, device, platform."""


@dataclass(frozen=True)
class Cost:
    """One cost: how it is read off a record (larger is worse), and the smallest and the unlearnt alarms as factors."""

    name: str
    read: Callable[[Record], float | None]
    smallest: tuple[float, float]
    unlearnt: tuple[float, float]


def _seconds(record: Record) -> float | None:
    """Seconds an example, in training."""
    speed = record.cost.examples_per_second if record.cost else None
    return 1 / speed if speed else None


def _answering(record: Record) -> float | None:
    """Seconds a row, in answering validation and test rows; None where all of it took no time worth telling."""
    trainings = (*record.trials, *record.finals)
    seconds = sum(training.evaluate_seconds for training in trainings)
    if record.data is None or seconds < LEAST_SECONDS:
        return None
    judged = sum(len(training.curve) for training in trainings)
    asked = sum(training.scores is not None for training in record.finals)
    rows = judged * record.data.validation + asked * record.data.test
    return seconds / rows if rows else None


def _memory(record: Record) -> float | None:
    return float(record.cost.peak_memory) if record.cost and record.cost.peak_memory else None


COSTS = (
    Cost("time an example", _seconds, smallest=(1.1, 1.25), unlearnt=(2.0, 3.0)),
    Cost("time an answer", _answering, smallest=(1.1, 1.25), unlearnt=(2.0, 3.0)),
    Cost("peak memory", _memory, smallest=(1.1, 1.25), unlearnt=(1.5, 2.0)),
)
"""Alarms are for the median over all cells, and for a cell beyond that median. Time without a history has a wide band:
on a shared machine a night takes twice as long as the one before it by chance."""


@dataclass(frozen=True)
class Band:
    """Factors within which a cost stays by itself: the median over cells, and a cell beside it. `nights` taught it."""

    overall: float
    cell: float
    nights: int


@dataclass(frozen=True)
class Change:
    """One cost of all cells, or of one (`scope`): `factor` above 1 is dearer, `alarm` says it left its band."""

    cost: str
    scope: str
    factor: float
    band: float
    nights: int
    alarm: bool


def machine(record: Record) -> Machine:
    """The machine class of a record."""
    return tuple(str(record.provenance.get(name)) for name in ("processor", "cores", "device", "platform"))


def changes(
    base: Mapping[str, Record], head: Mapping[str, Record], nights: Sequence[Mapping[str, Record]] = ()
) -> list[Change]:
    """Every cost over all cells, and the cells that left their band. Cells on other machines are passed over."""
    pairs = {key: (base[key], head[key]) for key in base if key in head and machine(base[key]) == machine(head[key])}
    found = []
    for cost in COSTS:
        ratios = _ratios(cost, pairs)
        if not ratios:
            continue
        where = machine(next(iter(pairs.values()))[1])
        found += _judged(cost, ratios, band(cost, nights, where))
    return found


def _ratios(cost: Cost, pairs: Mapping[str, tuple[Record, Record]]) -> dict[str, float]:
    """The logarithm of the factor by which each cell became dearer."""
    found = {}
    for key, (before, after) in pairs.items():
        old, new = cost.read(before), cost.read(after)
        if old and new:
            found[key] = math.log(new / old)
    return found


def _judged(cost: Cost, ratios: Mapping[str, float], band: Band) -> list[Change]:
    middle = float(np.median(list(ratios.values())))
    overall = Change(cost.name, ALL, math.exp(middle), band.overall, band.nights,
                     abs(middle) > math.log(band.overall))
    single = [
        Change(cost.name, key, math.exp(ratio), band.cell, band.nights, True)
        for key, ratio in ratios.items() if len(ratios) > 1 and _beyond(ratio, middle, math.log(band.cell))
    ]
    return [overall, *single]


def _beyond(ratio: float, middle: float, band: float) -> bool:
    """Whether a cell left its band, by itself and beside the median cell: to lag in a fast night is not to be slow."""
    return min(ratio, ratio - middle) > band or max(ratio, ratio - middle) < -band


def band(cost: Cost, nights: Sequence[Mapping[str, Record]], where: Machine) -> Band:
    """The band that the nights on that machine class teach.

    Of fewer than `ENOUGH` the unlearnt one, or the range that they already have by themselves, whichever is wider.
    Otherwise spreads are median absolute deviations, so that one bad night teaches nothing; a difference of two nights
    varies by the square root of two more.
    """
    table = _table(cost, nights, where)
    if not table:
        return Band(*cost.unlearnt, nights=0)
    slow, own = _parts(table)
    if len(table) < ENOUGH:
        least = cost.unlearnt
        widths = float(np.ptp(slow)), float(np.max(np.nanmax(own, axis=0) - np.nanmin(own, axis=0)))
    else:
        least = cost.smallest
        spreads = (_spread(slow - np.median(slow)), _spread(own[np.isfinite(own)]))
        widths = WIDTHS[0] * math.sqrt(2) * spreads[0], WIDTHS[1] * math.sqrt(2) * spreads[1]
    return Band(max(least[0], math.exp(widths[0])), max(least[1], math.exp(widths[1])), len(table))


def _parts(table: Sequence[Mapping[str, float]]) -> tuple[Array, Array]:
    """How slow each night was (nights,), and each cell's own noise (nights, cells), NaN where it was not measured.

    A cell's logarithms are taken from their median over nights; a night's median of these is how slow it was.
    """
    cells = sorted(set().union(*table))
    values = np.array([[night.get(cell, np.nan) for cell in cells] for night in table])
    values = values - np.nanmedian(values, axis=0)
    slow: Array = np.nanmedian(values, axis=1)
    own: Array = values - slow[:, None]
    return slow, own


def _table(cost: Cost, nights: Sequence[Mapping[str, Record]], where: Machine) -> list[dict[str, float]]:
    table = []
    for night in nights:
        costs = {key: cost.read(record) for key, record in night.items() if machine(record) == where}
        known = {key: math.log(value) for key, value in costs.items() if value}
        if known:
            table.append(known)
    return table


def _spread(values: Array) -> float:
    return MAD * float(np.median(np.abs(values)))
