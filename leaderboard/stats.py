"""The few statistics that a board needs. Knows numbers only: no records, no layout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Interval = tuple[float, float]


@dataclass(frozen=True)
class Figure:
    """A number with its 95% interval."""

    value: float
    low: float
    high: float


def mean(values: Sequence[float]) -> float | None:
    """Arithmetic mean, None of no values."""
    return math.fsum(values) / len(values) if values else None


def sample_sd(values: Sequence[float]) -> float | None:
    """Standard deviation with n - 1 in the denominator, None of fewer than two values."""
    centre = mean(values)
    if centre is None or len(values) < 2:
        return None
    return math.sqrt(math.fsum((v - centre) ** 2 for v in values) / (len(values) - 1))


def overlap(one: Interval, other: Interval) -> bool:
    """Whether two closed intervals share a point."""
    return one[0] <= other[1] and other[0] <= one[1]
