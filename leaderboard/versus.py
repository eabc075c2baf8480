"""Every comparison of a task's cells at once, as whole numbers that a browser only has to look up.

The values are those of `leaderboard.paired`, rounded as `leaderboard.figures` rounds them. Knows panels of scores; no
records, no layout.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.metrics.metric import Array
from leaderboard.paired import holm, of_difference, pairs
from leaderboard.panel import Panel
from leaderboard.search import SAME, Search

UNKNOWN = -32768
"""Stands for what is not known, or does not fit."""

Codes = NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class Table:
    """What `paired.Difference` holds, for every cell (rows) less every other (columns), all (c, c).

    `adjusted` is corrected for all pairs of these cells (Holm): whoever may choose any pair looks at all of them, and
    which of the two is named first says nothing.
    `effect` is not a number where there is none. `won` and `lost` are shares of the test rows.
    """

    value: Array
    low: Array
    high: Array
    p: Array
    adjusted: Array
    effect: Array
    won: Array
    lost: Array


def table(panel: Panel, level: float = 0.95) -> Table:
    """All comparisons of a panel's cells."""
    found = pairs(panel)
    value, reach = _apart(panel.values), found.reach(level)
    spread = np.sqrt(of_difference(panel.fixed) * panel.rows)
    known = (spread > 0) & np.isfinite(spread)
    won = _won(panel)
    return Table(
        value, value - reach, value + reach, found.p, _adjusted(found.p),
        np.divide(value, spread, out=np.full(value.shape, np.nan), where=known), won, won.T,
    )


def _adjusted(p: Array) -> Array:
    """All pairs as one family; 1 on the diagonal."""
    adjusted = np.ones(p.shape)
    one, other = np.triu_indices(len(p), k=1)
    adjusted[one, other] = adjusted[other, one] = holm(p[one, other])
    return adjusted


def _won(panel: Panel) -> Array:
    scores = panel.sign * np.round(panel.examples, 9)
    return np.stack([np.mean(one - scores > 1e-9, axis=1) for one in scores])


@dataclass(frozen=True, eq=False)
class Contrasts:
    """Differences on slices of the test rows, (s, c, c), corrected within the slices of each pair (Holm)."""

    value: Array
    low: Array
    high: Array
    adjusted: Array


def contrasts(panels: Sequence[Panel], level: float = 0.95) -> Contrasts:
    """The comparisons of the same cells on each slice; at least one panel."""
    found = [pairs(panel) for panel in panels]
    value = np.stack([_apart(panel.values) for panel in panels])
    reach = np.stack([each.reach(level) for each in found])
    return Contrasts(value, value - reach, value + reach, holm(np.stack([each.p for each in found])))


@dataclass(frozen=True, eq=False)
class Gaps:
    """What `search.Gap` holds, for every cell (rows) less every other (columns), all (c, c); NaN where unknown."""

    tuned: Array
    untuned: Array
    share: Array


def gaps(searches: Sequence[Search]) -> Gaps:
    """How far cells lie apart on validation rows, tuned and at their defaults."""
    tuned = _apart(_known(found.tuned for found in searches))
    untuned = _apart(_known(found.default for found in searches))
    known = np.isfinite(untuned) & (np.abs(tuned) > SAME)
    return Gaps(tuned, untuned, 1 - np.divide(untuned, tuned, out=np.full(tuned.shape, np.nan), where=known))


def _known(values: Iterable[float | None]) -> Array:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _apart(values: Array) -> Array:
    """Each value less each other, (c, c)."""
    return values[:, None] - values[None, :]


def scaled(values: Array, digits: int) -> Codes:
    """Values times 10^digits as whole numbers, rounded as Python's format rounds: by the exact value, ties to even.

    UNKNOWN where a value is not finite or too large.
    """
    factor = 10.0**digits
    finite = np.isfinite(values) & (np.abs(values) * factor < 32767)
    product = np.where(finite, values, 0.0) * factor
    whole = np.rint(product)
    near = np.abs(np.abs(product - np.trunc(product)) - 0.5) < 1e-6
    # The product may have been rounded to a tie that the value is not.
    whole[near] = [round(float(f"{v:.{digits}f}") * factor) for v in np.where(finite, values, 0.0)[near]]
    return np.where(finite, whole, UNKNOWN).astype(np.int16)


def packed(codes: Codes) -> str:
    """Whole numbers as text: base64 of 16-bit little-endian integers."""
    return base64.b64encode(codes.astype("<i2").tobytes()).decode("ascii")


def upper(values: Array) -> Array:
    """The pairs (i, j) with i < j of the last two axes, row by row; what the other half holds follows from it."""
    i, j = np.triu_indices(values.shape[-1], k=1)
    return np.asarray(values[..., i, j], dtype=np.float64)
