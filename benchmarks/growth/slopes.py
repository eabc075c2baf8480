"""How fast time grows: the exponent of a size in the time that it takes, with what the repeats say of it.

Knows numbers only.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Exponent:
    """The median over repeats, and the least and the greatest."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def exponent(sizes: Sequence[float], rounds: Sequence[Sequence[float]]) -> Exponent:
    """The exponent over all sizes; each round has the seconds of each size."""
    found = [slope(sizes, seconds) for seconds in rounds]
    return Exponent(statistics.median(found), min(found), max(found))


def slope(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The slope of the line of least squares through the logarithms."""
    return statistics.linear_regression([math.log(s) for s in sizes], [math.log(t) for t in seconds]).slope
