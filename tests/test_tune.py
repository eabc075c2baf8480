"""The search: what it proposes, what it prunes, what it remembers."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import tune
from bench.record import Point, Training
from bench.spec import Budget, LogRange

RATES = LogRange(1e-5, 1e-2, 1e-4)
BUDGET = Budget(trials=7, evaluations=3, epochs=3)


class Interrupted(BaseException):
    """Stands for a kill: nothing in between may handle it."""


class Trainer:
    """Trainings whose validation score is best at a rate of 2e-3; keeps the rates it was asked for."""

    def __init__(self, stop_at: int | None = None, diverge_above: float = math.inf) -> None:
        self.stop_at, self.diverge_above = stop_at, diverge_above
        self.rates: list[float] = []

    def __call__(self, number: int, rate: float, choice: tune.Choice, go_on: Callable[[Point], bool]) -> Training:
        if number == self.stop_at:
            raise Interrupted
        self.rates.append(rate)
        value = 90 - 10 * abs(math.log10(rate / 2e-3)) - 20 * (choice.get("part") == "poor")
        made = Training(number, rate, 0, "COMPLETE", value, 30, (), 30, 960, 9600, 1.0, 0.5, choice=choice)
        if rate > self.diverge_above:
            return replace(made, state="DIVERGED", value=None, reason="loss not finite")
        for step in (1, 2, 3):
            if not go_on(Point(10 * step, float(step), 1.0, value - 3 + step, 0.1)):
                return replace(made, state="PRUNED", steps=10 * step)
        return made


def search(journal: Path, trainer: Trainer, budget: Budget = BUDGET, **options: Any) -> list[Training]:
    """The trials of a search."""
    trials: list[Training] = []
    tune.search(journal, "cell 1234", RATES, budget, trainer, lambda t, _: trials.append(t), **options)
    return trials


def test_the_first_trial_is_at_the_default() -> None:
    assert tune.first_rates(RATES, 4)[0] == RATES.default


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("default", [1e-5, 1e-4, 1e-3, 1e-2])
def test_first_rates_leave_no_part_of_the_range_untried(count: int, default: float) -> None:
    rates = tune.first_rates(LogRange(1e-5, 1e-2, default), count)
    parts = {min(int(count * math.log(r / 1e-5) / math.log(1e3) + 1e-9), count - 1) for r in rates}
    assert len(rates) == count
    assert parts == set(range(count))
    assert all(1e-5 <= r <= 1e-2 for r in rates)


def test_a_range_of_one_rate_is_tried_at_that_rate() -> None:
    assert tune.first_rates(LogRange(1e-3, 1e-3, 1e-3), 4) == [1e-3]


def test_every_trial_is_kept_in_order(tmp_path: Path) -> None:
    trials = search(tmp_path / "s.journal", Trainer())
    assert [t.number for t in trials] == list(range(7))
    assert all(t.rate is not None and RATES.low <= t.rate <= RATES.high for t in trials)


def test_two_searches_with_one_name_are_equal(tmp_path: Path) -> None:
    assert search(tmp_path / "a.journal", Trainer()) == search(tmp_path / "b.journal", Trainer())


def test_the_sampler_looks_near_what_was_good(tmp_path: Path) -> None:
    later = [t.rate or 0.0 for t in search(tmp_path / "s.journal", Trainer(), replace(BUDGET, trials=16))[4:]]
    near = [rate for rate in later if 4e-4 < rate < 1e-2]
    assert len(near) > len(later) / 2


@pytest.mark.parametrize("stop_at", [0, 1, 3, 4, 6])
def test_a_killed_search_goes_on_as_if_undisturbed(tmp_path: Path, stop_at: int) -> None:
    undisturbed = search(tmp_path / "a.journal", Trainer())
    with pytest.raises(Interrupted):
        search(tmp_path / "b.journal", Trainer(stop_at=stop_at))
    again = Trainer()
    assert search(tmp_path / "b.journal", again) == undisturbed
    assert len(again.rates) == 7 - stop_at


def test_a_journal_cut_in_the_middle_of_a_line_is_mended(tmp_path: Path) -> None:
    undisturbed = search(tmp_path / "a.journal", Trainer())
    with pytest.raises(Interrupted):
        search(tmp_path / "b.journal", Trainer(stop_at=3))
    with (tmp_path / "b.journal").open("ab") as file:
        file.write(b'{"op_code": 5, "worker')
    (tmp_path / "b.journal.lock").symlink_to(tmp_path / "b.journal")
    assert search(tmp_path / "b.journal", Trainer()) == undisturbed


def test_a_kill_between_training_and_telling_costs_nothing(tmp_path: Path) -> None:
    """The training is in the journal, the trial's end is not."""
    undisturbed = search(tmp_path / "a.journal", Trainer())
    lines = (tmp_path / "a.journal").read_text().splitlines(keepends=True)
    last_training = max(i for i, line in enumerate(lines) if '"training"' in line)
    (tmp_path / "b.journal").write_text("".join(lines[: last_training + 1]))
    again = Trainer()
    assert search(tmp_path / "b.journal", again) == undisturbed
    assert again.rates == []


def test_resumed_trials_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        search(tmp_path / "s.journal", Trainer(stop_at=2))
    seen: list[bool] = []
    tune.search(tmp_path / "s.journal", "cell 1234", RATES, BUDGET, Trainer(), lambda _, resumed: seen.append(resumed))
    assert seen == [True, True, False, False, False, False, False]


def test_another_name_starts_anew_in_the_same_journal(tmp_path: Path) -> None:
    search(tmp_path / "s.journal", Trainer())
    other = Trainer()
    tune.search(tmp_path / "s.journal", "cell 5678", RATES, BUDGET, other, lambda *_: None)
    assert len(other.rates) == 7


def test_the_first_two_trials_are_never_pruned_and_a_hopeless_one_is(tmp_path: Path) -> None:
    trials = search(tmp_path / "s.journal", Trainer())
    assert [t.state for t in trials[:2]] == ["COMPLETE", "COMPLETE"]
    worst = min(trials, key=lambda t: -abs(math.log((t.rate or 0.0) / 2e-3)))
    assert worst.state == "PRUNED"
    assert worst.steps == 10


def test_a_trial_goes_on_unless_it_is_behind_every_earlier_one(tmp_path: Path) -> None:
    """The usual rule, behind half of them, would cut what starts slowly."""
    trials = search(tmp_path / "s.journal", Trainer())
    distances = [abs(math.log(trial.rate / 2e-3)) for trial in trials if trial.rate is not None]
    went_on = 0
    for number, trial in enumerate(trials[2:], start=2):
        earlier = sorted(d for d, t in zip(distances[:number], trials, strict=False) if t.state == "COMPLETE")
        assert (trial.state == "PRUNED") == (distances[number] > earlier[-1])
        went_on += earlier[len(earlier) // 2] < distances[number] <= earlier[-1]
    assert went_on


def test_nothing_is_pruned_at_the_last_evaluation(tmp_path: Path) -> None:
    trials = search(tmp_path / "s.journal", Trainer(), replace(BUDGET, evaluations=1))
    assert {t.state for t in trials} == {"COMPLETE"}


def test_a_diverged_trial_does_not_stop_the_search(tmp_path: Path) -> None:
    trials = search(tmp_path / "s.journal", Trainer(diverge_above=1e-3))
    states = {t.state for t in trials}
    assert "DIVERGED" in states
    assert "COMPLETE" in states
    assert len(trials) == 7


CHOICES = {"part": ("fair", "poor", "good")}


def test_first_trials_take_every_choice_beside_every_part_of_the_range(tmp_path: Path) -> None:
    trials = search(tmp_path / "s.journal", Trainer(), choices=CHOICES)
    assert [t.choice["part"] for t in trials[: tune.STRATA]] == ["fair", "poor", "good"]
    assert [t.rate for t in trials[: tune.STRATA]] == pytest.approx(tune.first_rates(RATES, tune.STRATA))
    assert all(t.choice["part"] in CHOICES["part"] for t in trials)


def test_the_sampler_avoids_a_choice_that_was_poor(tmp_path: Path) -> None:
    trials = search(tmp_path / "s.journal", Trainer(), replace(BUDGET, trials=20), choices=CHOICES)
    assert sum(t.choice["part"] == "poor" for t in trials[4:]) < 16 / 3


@pytest.mark.parametrize("stop_at", [0, 2, 5])
def test_a_killed_search_over_choices_goes_on_as_if_undisturbed(tmp_path: Path, stop_at: int) -> None:
    undisturbed = search(tmp_path / "a.journal", Trainer(), choices=CHOICES)
    with pytest.raises(Interrupted):
        search(tmp_path / "b.journal", Trainer(stop_at=stop_at), choices=CHOICES)
    assert search(tmp_path / "b.journal", Trainer(), choices=CHOICES) == undisturbed


def test_diverged_trials_count_as_spent_after_a_resume(tmp_path: Path) -> None:
    first = search(tmp_path / "s.journal", Trainer(diverge_above=0.0))
    again = Trainer(diverge_above=0.0)
    assert search(tmp_path / "s.journal", again) == first
    assert again.rates == []


def test_the_best_is_the_highest_completed_and_of_equals_the_smallest_rate() -> None:
    trials = [
        Training(n, rate, 0, state, value, 1, (), 1, 1, 1, 0.0, 0.0)
        for n, (rate, state, value) in enumerate([
            (1e-3, "COMPLETE", 80.0), (1e-4, "COMPLETE", 80.0), (1e-2, "PRUNED", 99.0), (1e-5, "COMPLETE", 70.0),
            (3e-3, "DIVERGED", None),
        ])
    ]
    best = tune.best_of(trials)
    assert best is not None
    assert best.number == 1
    lowest = tune.best_of(trials, higher_is_better=False)
    assert lowest is not None
    assert lowest.number == 3
    assert tune.best_of(trials[2:3]) is None


def test_a_score_that_should_be_low_is_minimised(tmp_path: Path) -> None:
    trials = search(tmp_path / "s.journal", Trainer(), higher_is_better=False)
    best = tune.best_of(trials, higher_is_better=False)
    assert best is not None
    assert best.value == min(t.value for t in trials if t.state == "COMPLETE" and t.value is not None)


def test_the_journal_opens_in_optuna_with_rates_and_states(tmp_path: Path) -> None:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    trials = search(tmp_path / "s.journal", Trainer())
    storage = JournalStorage(JournalFileBackend(str(tmp_path / "s.journal")))
    study = optuna.load_study(study_name="cell 1234", storage=storage)
    assert [t.params["rate"] for t in study.trials] == [t.rate for t in trials]
    assert json.loads(json.dumps(study.trials[0].user_attrs["training"]))["state"] == "COMPLETE"
