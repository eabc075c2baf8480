"""The p-values of Cochran's t: against a slow solution, and Student's where one source of variance is all."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from scipy.optimize import brentq

from bench.uncertainty import reach
from leaderboard.cochran import p_values


def one(distance: float, seeds: float, freedom: float, rows: float, row_freedom: int) -> float:
    """The p-value of a single difference."""
    given = [np.array([value]) for value in (distance, seeds, freedom, rows)]
    return float(p_values(given[0], given[1], given[2], given[3], row_freedom)[0])


@pytest.mark.parametrize("row_freedom", [3, 40, 999])
def test_p_is_the_level_at_which_the_interval_ends_at_no_difference(row_freedom: int) -> None:
    rng = np.random.default_rng(row_freedom)
    seeds, rows = 10 ** rng.uniform(-4, 2, (2, 60))
    freedom, distance = rng.uniform(1, 12, 60), np.sqrt(seeds + rows) * 10 ** rng.uniform(-1, 1, 60)
    known = [
        brentq(lambda p, s=s, f=f, r=r, d=d: float(reach(s, f, r, row_freedom, 1 - p)) - d, 1e-12, 1 - 1e-12)
        for s, f, r, d in zip(seeds, freedom, rows, distance, strict=True)
        if float(reach(s, f, r, row_freedom, 1 - 1e-9)) > d
    ]
    found = p_values(distance, seeds, freedom, rows, row_freedom)
    assert len(known) > 30
    assert found[found > 1e-9] == pytest.approx(known, rel=1e-4, abs=1e-10)


def test_a_single_source_of_variance_gives_students_p() -> None:
    assert one(3, 0, 2, 1.5, 30) == pytest.approx(2 * scipy.stats.t.sf(3 / 1.5**0.5, 30))
    assert one(3, 1.5, 2.5, 0, 30) == pytest.approx(2 * scipy.stats.t.sf(3 / 1.5**0.5, 2.5))


def test_what_cannot_be_known_is_no_finding_and_what_does_not_vary_is_certain() -> None:
    assert one(3, np.inf, 2, 1, 30) == one(3, 1, 2, np.inf, 30) == one(0, 1, 2, 1, 30) == one(0, 0, 2, 0, 30) == 1
    assert one(3, 0, 2, 0, 30) == 0
