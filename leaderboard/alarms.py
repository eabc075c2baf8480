"""From findings to alarms: which changes are sure enough, and large enough, to be worth a person's time.

Knows findings and limits; neither runs nor records.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from leaderboard import shifts
from leaderboard.costs import ENOUGH, Change
from leaderboard.shifts import Finding, Shift
from leaderboard.verdict import Alarm, Kind

LEAST = 1e-9
"""Smaller chances are not told apart."""


@dataclass(frozen=True)
class Limits:
    """The smallest changes worth an alarm, and the chances of a false one in a night, which add up to at most 5%.

    Scores in points, losses in hundredths of their logarithm, which is about a percent where they are small; `pooled`
    ones are of means over cells. Levels are two-sided: cells corrected among each other, pools likewise.
    """

    cell: float = 1.0
    pooled: float = 0.3
    loss_cell: float = 10.0
    loss_pooled: float = 2.0
    cell_level: float = 0.0075
    pooled_level: float = 0.01
    loss_level: float = 0.005


@dataclass(frozen=True)
class Findings:
    """Every test of a comparison: single cells and pools, of scores and of training losses."""

    cells: Sequence[Finding]
    pooled: Sequence[Finding]
    losses: Sequence[Finding]
    pooled_losses: Sequence[Finding]

    @staticmethod
    def of(scores: Sequence[Shift], losses: Sequence[Shift]) -> Findings:
        """All tests of these shifts."""
        return Findings(
            shifts.of_cells(scores), shifts.pooled(scores), shifts.of_cells(losses), shifts.pooled(losses)
        )


def of_scores(found: Findings, limits: Limits) -> list[Alarm]:
    """Alarms about scores, pools first."""
    pooled = [f for f in found.pooled if alarming(f, limits.pooled, limits.pooled_level)]
    cells = [f for f in found.cells if alarming(f, limits.cell, limits.cell_level)]
    return [_alarm(Kind.SCORE, f, " points") for f in (*pooled, *cells)]


def of_losses(found: Findings, limits: Limits) -> list[Alarm]:
    """Alarms about training losses that rose, pools first. A loss that fell is no news by itself."""
    pooled = [f for f in found.pooled_losses if alarming(f, limits.loss_pooled, limits.loss_level)]
    cells = [f for f in found.losses if alarming(f, limits.loss_cell, limits.loss_level)]
    return [_alarm(Kind.LOSS, f, "%") for f in (*pooled, *cells) if f.value < 0]


def of_costs(changes: Iterable[Change]) -> list[Alarm]:
    """Dearer only: what became cheaper is shown, and no alarm."""
    return [
        Alarm(Kind.COST, c.scope, True, f"{c.cost} times {c.factor:.2f}, beyond the band of {c.band:.2f}, "
              + (f"learnt from {c.nights} nights" if c.nights >= ENOUGH else f"which holds before {ENOUGH} nights"))
        for c in changes if c.alarm and c.factor > 1
    ]


def alarming(finding: Finding, smallest: float, level: float) -> bool:
    """Whether a finding is sure and large enough."""
    return finding.adjusted < level and abs(finding.value) >= smallest


def _alarm(kind: Kind, finding: Finding, unit: str) -> Alarm:
    told = [finding.value, finding.low, finding.high]
    if kind is Kind.LOSS:  # falls of a logarithm; said as the loss itself reads
        told = [100 * math.expm1(-value / 100) for value in (finding.value, finding.high, finding.low)]
    many = f" over {finding.cells} cells" if finding.cells > 1 else ""
    interval = f"[{told[1]:+.1f}, {told[2]:+.1f}]"
    p = f"p {finding.adjusted:.1g}" if finding.adjusted >= LEAST else f"p below {LEAST:g}"
    says = f"{told[0]:+.1f}{unit}{many}, 95% interval {interval}, {p}"
    return Alarm(kind, finding.scope, finding.value < 0, says)
