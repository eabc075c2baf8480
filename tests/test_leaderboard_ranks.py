"""Ranks that may be, and the marks that follow from them."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from leaderboard.rank import OVERLAP, PAIRED, Mark, Standing, marks
from leaderboard.ranks import places
from tests.answers import LOSS, grid, panel


def test_ranks_are_those_of_scipy_with_equals_sharing() -> None:
    rows = [np.array([top, top + 2.0, top - 1]) for top in (40.0, 60.0, 40.0, 50.0)]
    found = places(panel({name: [r] for name, r in zip("abcd", rows, strict=True)}))
    means = [-r.mean() for r in rows]
    assert [p.rank for p in found] == list(scipy.stats.rankdata(means)) == [3.5, 1, 3.5, 2]


def test_cells_far_apart_have_one_rank_each() -> None:
    found = places(panel(grid(np.random.default_rng(1), 3, 3, 300, seed_spread=0.3, tops=(0.0, 20.0, 10.0))))
    assert [(p.low, p.high) for p in found] == [(3, 3), (1, 1), (2, 2)]
    assert [p.may_be_best for p in found] == [False, True, False]


def test_where_less_is_better_the_lowest_score_ranks_first() -> None:
    found = places(panel(grid(np.random.default_rng(1), 2, 3, 300, seed_spread=0.3, tops=(0.0, 20.0)), LOSS))
    assert [(p.rank, p.low, p.high) for p in found] == [(1, 1, 1), (2, 2, 2)]


def test_equal_cells_may_have_any_rank() -> None:
    """Six equal cells: in at least 95% of boards a cell's ranks hold all six (as its true rank may be any of them)."""
    rng = np.random.default_rng(2)
    whole = [
        places(panel(grid(rng, 6, 3, 60, seed_spread=seed_spread)))[0]
        for seed_spread in (0.0, 2.0)
        for _ in range(60)
    ]
    assert np.mean([(p.low, p.high) == (1, 6) for p in whole]) >= 0.95 - 2 * np.sqrt(0.05 * 0.95 / 120)


def test_the_truly_best_cell_is_nearly_always_among_those_that_may_be() -> None:
    rng = np.random.default_rng(3)
    boards = [places(panel(grid(rng, 5, 3, 60, seed_spread=1.0, tops=(1.0, 0.5, 0.0, 0.0, -3.0)))) for _ in range(100)]
    assert np.mean([found[0].may_be_best for found in boards]) >= 0.95 - 2 * np.sqrt(0.05 * 0.95 / 100)


def test_a_cell_alone_is_first() -> None:
    (found,) = places(panel(grid(np.random.default_rng(4), 1, 3, 20, seed_spread=1.0)))
    assert (found.rank, found.low, found.high) == (1, 1, 1)


def test_the_order_of_cells_changes_no_rank() -> None:
    cells = grid(np.random.default_rng(5), 4, 2, 80, seed_spread=1.0, tops=(2.0, 0.0, 1.0, -4.0))
    one = {p.names: p for p in places(panel(cells))}
    other = {p.names: p for p in places(panel(dict(reversed(cells.items()))))}
    assert one == other


def test_marks_rest_on_paired_comparisons_where_all_cells_have_them() -> None:
    """The intervals of b and a overlap, but on the same rows b is always a little worse."""
    common = np.random.default_rng(6).normal(50, 20, 400)
    noisy = [common + 2 + 5 * np.random.default_rng(s).standard_normal(400) for s in range(3)]
    cells = {"a": [common + d for d in (2, 2.1, 1.9)], "b": [common + d for d in (0, 0.1, -0.1)], "c": noisy}
    found = places(panel(cells))
    standings = [Standing(52.0, (50, 54)), Standing(50.0, (48, 52)), Standing(51.9, (50, 54)), Standing(None, None)]
    result = marks(standings, True, [*found, None])
    assert result.marks == (Mark.BEST, Mark.NONE, Mark.TIED, Mark.NONE)
    assert result.basis == PAIRED


def test_marks_fall_back_to_overlap_and_say_so_where_a_cell_lacks_its_answers() -> None:
    found = places(panel(grid(np.random.default_rng(7), 1, 3, 50, seed_spread=1.0)))
    result = marks([Standing(52.0, (50, 54)), Standing(50.0, (48, 52))], True, [*found, None])
    assert result.marks == (Mark.BEST, Mark.TIED)
    assert result.basis == OVERLAP


@pytest.mark.parametrize("level", [0.8, 0.99])
def test_more_confidence_never_means_fewer_ranks(level: float) -> None:
    both = panel(grid(np.random.default_rng(8), 5, 3, 80, seed_spread=1.0, tops=(4.0, 3.0, 2.0, 1.0, 0.0)))
    pairs_of_places = zip(places(both, level), places(both, 0.95), strict=True)
    assert all((p.high - p.low >= q.high - q.low) == (level > 0.95) or p.high - p.low == q.high - q.low
               for p, q in pairs_of_places)
