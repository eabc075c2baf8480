"""What a search added, read off a record's trials."""

from __future__ import annotations

import dataclasses

import pytest

from bench.record import Record, Training
from leaderboard.search import gap, search
from tests import fake_records


def record(*trials: tuple[str, float | None], higher: bool = True) -> Record:
    made = tuple(
        Training(n, 1e-3, 0, state, value, 10, (), 10, 320, 6400, 2.0, 0.5) for n, (state, value) in enumerate(trials)
    )
    base = fake_records.record("sentiment", "bert-mini", "full")
    return dataclasses.replace(base, trials=made, higher_is_better=higher)


def done(*values: float) -> list[tuple[str, float | None]]:
    return [("COMPLETE", value) for value in values]


def test_the_first_trial_is_the_default_and_the_best_completed_one_is_tuned() -> None:
    found = search(record(*done(70, 75), ("PRUNED", 90), ("DIVERGED", None), *done(74)))
    assert (found.default, found.tuned, found.gain) == (70, 75, 5)
    assert found.best_so_far == (70, 75, 75, 75, 75)
    assert (found.trials, found.pruned, found.diverged, found.seconds) == (5, 1, 1, 12.5)


def test_where_less_is_better_a_gain_is_a_fall() -> None:
    found = search(record(*done(0.9, 0.6, 0.7), higher=False))
    assert found.best_so_far == (0.9, 0.6, 0.6)
    assert found.gain == pytest.approx(0.3)


def test_a_default_that_diverged_leaves_the_gain_unknown() -> None:
    found = search(record(("DIVERGED", None), *done(60)))
    assert (found.default, found.tuned, found.gain, found.best_so_far) == (None, 60, None, (None, 60))


def test_what_trains_nothing_has_no_search() -> None:
    found = search(record())
    assert (found.trials, found.best_so_far, found.tuned, found.seconds) == (0, (), None, 0)


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ((70, 80), (60, 70), 0),  # both gained alike
        ((70, 80), (70, 75), 1),  # equal at their defaults
        ((70, 80), (75, 75), 2),  # turned round by the search
        ((70, 70), (50, 60), -1),  # half closed by the search
    ],
)
def test_the_share_of_a_gap_that_is_search(one: tuple[int, int], other: tuple[int, int], share: float) -> None:
    assert gap(record(*done(*one)), record(*done(*other))).share == pytest.approx(share)


def test_without_a_gap_or_a_default_there_is_no_share() -> None:
    assert gap(record(*done(70, 80)), record(*done(60, 80))).share is None
    assert gap(record(("DIVERGED", None), *done(80)), record(*done(60))).share is None
    assert gap(record(), record(*done(60))).tuned is None
