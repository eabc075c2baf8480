"""Which cells a short night measures: those not measured for long, and those that vary most, for their time.

Knows how long cells take, when they were measured and how they vary; not how any of that is found out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.plan import Cell

MOST = 2.0
"""How many median errors a cell's counts for: one that never settles must not keep the others waiting."""


@dataclass(frozen=True)
class Past:
    """What earlier nights say of a cell: how many ended since it was measured, and its standard error in points.

    A cell that was never measured has waited longer than all others; None is an error that is not known.
    """

    waited: int
    error: float | None


def pick(
    cells: Sequence[Cell], seconds: Callable[[Cell], float], past: Mapping[str, Past], budget: float
) -> tuple[Cell, ...]:
    """The cells for a night of `budget` worker seconds, in the order of the plan; at least one.

    The worth of a cell is (nights waited) x (1 + error / median error), the quotient at most `MOST`: none waits for
    ever, and those whose score is least sure come round more often. Cells are taken by worth a second, as long as they
    fit.
    """
    errors = [known.error for known in past.values() if known.error]
    usual = median(errors) if errors else 1.0
    longest = max((known.waited for known in past.values()), default=0) + 1

    def rank(cell: Cell) -> float:
        known = past.get(cell.key, Past(longest, None))
        uncertain = usual if known.error is None else known.error
        return known.waited * (1 + min(uncertain / usual, MOST)) / max(seconds(cell), 1e-3)

    chosen: set[str] = set()
    left = budget
    for cell in sorted(cells, key=rank, reverse=True):
        if seconds(cell) <= left or not chosen:
            chosen.add(cell.key)
            left -= seconds(cell)
    return tuple(cell for cell in cells if cell.key in chosen)
