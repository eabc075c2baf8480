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
    """That of the fastest time of each size, and the range of it and of single rounds: a busy machine only adds."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def exponent(sizes: Sequence[float], rounds: Sequence[Sequence[float]]) -> Exponent:
    """The exponent over all sizes; each round has the seconds of each size."""
    best = slope(sizes, [min(seconds) for seconds in zip(*rounds, strict=True)])
    found = [best, *(slope(sizes, seconds) for seconds in rounds)]
    return Exponent(best, min(found), max(found))


def slope(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The slope of the line of least squares through the logarithms."""
    return statistics.linear_regression([math.log(s) for s in sizes], [math.log(t) for t in seconds]).slope
