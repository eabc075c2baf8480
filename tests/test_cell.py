"""One cell from search to record, with a learner whose best rate is known."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import cell as cells
from bench import score
from bench.learner import Assignment, Learner, OpenLearner
from bench.material import Material
from bench.record import Outcome, Record, from_json, to_json
from bench.spec import Budget, Rows
from leaderboard import single
from tests import fakes


def run(
    tmp_path: Path, opener: OpenLearner = fakes.open_learner, test: Callable[[], Rows] | None = None, **changes: Any
) -> cells.Finished:
    """A finished cell of the fake task."""
    material = fakes.material(test)
    study = tmp_path / "studies" / "cell.journal"
    return cells.run(fakes.cell(**changes), opener, open_material=lambda: material, study=study)


def failing(error: Exception) -> OpenLearner:
    """A learner that cannot be opened."""

    def opener(assignment: Assignment) -> Learner:
        raise error

    return opener


class SealedError(AssertionError):
    """The test split was opened too early."""


def test_the_chosen_rate_is_the_best_on_validation(tmp_path: Path) -> None:
    record = run(tmp_path, budget=replace(fakes.BUDGET, trials=12)).record
    assert record.rate is not None
    assert 0.3 < record.rate / fakes.BEST < 3
    best = max(t.value for t in record.trials if t.state == "COMPLETE" and t.value is not None)
    assert next(t.value for t in record.trials if t.rate == record.rate) == best


def test_the_search_never_opens_the_test_split(tmp_path: Path) -> None:
    """A split that raises lets the whole search pass, and stops the cell only at the first final seed."""

    def sealed() -> Rows:
        raise SealedError("opened")

    record = run(tmp_path, test=sealed).record
    assert record.outcome is Outcome.FAILED
    assert "SealedError: opened" in str(record.reason)
    assert [t.number for t in record.trials] == [0, 1, 2, 3]
    assert record.rate is not None
    assert record.finals == ()


def test_a_cell_whose_trials_all_diverge_never_opens_the_test_split(tmp_path: Path) -> None:
    def sealed() -> Rows:
        raise SealedError("opened")

    record = run(tmp_path, lambda a: fakes.FakeLearner(a, limit=0.0), test=sealed).record
    assert record.outcome is Outcome.DIVERGED
    assert "all 4 trials diverged" in str(record.reason)
    assert record.score is None


def test_the_learner_sees_only_the_inputs_of_test_rows(tmp_path: Path) -> None:
    asked: list[Rows] = []

    class Curious(fakes.FakeLearner):
        def answers(self, rows: Rows, rate: float, seed: int, progress: float) -> list[str]:
            asked.append(rows)
            return super().answers(rows, rate, seed, progress)

    run(tmp_path, Curious)
    assert {frozenset(row) for row in asked[-1]} == {frozenset({"text"})}


def test_all_trials_share_a_seed_and_each_final_has_its_own(tmp_path: Path) -> None:
    record = run(tmp_path).record
    assert {t.seed for t in record.trials} == {cells.SEARCH_SEED}
    assert [t.seed for t in record.finals] == [1, 2]
    assert {t.rate for t in record.finals} == {record.rate}


def test_trials_may_be_shorter_than_the_trainings_that_are_scored(tmp_path: Path) -> None:
    learners: list[fakes.FakeLearner] = []

    def opener(assignment: Assignment) -> Learner:
        learners.append(fakes.FakeLearner(assignment))
        return learners[-1]

    record = run(tmp_path, opener, budget=replace(fakes.BUDGET, epochs=6, search_epochs=2)).record
    assert learners[0].epochs == [2, 2, 2, 2, 6, 6]
    assert max(point.epoch for trial in record.trials for point in trial.curve) == 2
    assert replace(fakes.BUDGET, epochs=1, search_epochs=2).trial_epochs == 1


def test_the_score_is_the_mean_of_the_seeds_inside_its_interval(tmp_path: Path) -> None:
    record = run(tmp_path).record
    assert record.outcome is Outcome.OK
    assert record.score is not None
    assert record.low is not None
    assert record.high is not None
    assert record.score == pytest.approx(sum(record.seed_scores) / 2)
    assert record.low <= record.score <= record.high
    assert record.scores is not None
    assert set(record.scores) == {"accuracy", "macro_f1"}
    assert record.floors["majority"]["accuracy"] == 50.0


def test_the_record_counts_test_rows_that_are_known_from_training(tmp_path: Path) -> None:
    """Unknown where the test split was never opened."""
    train = fakes.material().splits.train
    new = [{**row, "text": f"once more {row['text']}"} for row in train]
    for rows, count in ((new, 0), ([*new, *train[:2]], 2)):
        data = run(tmp_path / str(count), test=lambda rows=rows: rows).record.data  # type: ignore[misc]
        assert data is not None
        assert data.overlap == count
    failed = run(tmp_path, failing(MemoryError("no room"))).record.data
    assert failed is not None
    assert failed.overlap is None


def test_rates_are_scaled_to_the_width_of_the_model(tmp_path: Path) -> None:
    class Narrow(fakes.FakeLearner):
        width = 128

    rates = [t.rate for t in run(tmp_path, Narrow).record.trials]
    assert fakes.METHOD.rates is not None
    assert rates[0] == pytest.approx(fakes.METHOD.rates.default * 6)


def test_a_rate_at_the_edge_of_its_range_is_marked(tmp_path: Path) -> None:
    class Fast(fakes.FakeLearner):
        def answers(self, rows: Rows, rate: float, seed: int, progress: float) -> list[str]:
            return super().answers(rows, rate / 100, seed, progress)

    assert run(tmp_path, Fast, budget=replace(fakes.BUDGET, trials=10)).record.rate_at_edge is True
    assert run(tmp_path / "other").record.rate_at_edge is False


def test_a_rate_beyond_which_none_was_tried_is_marked_too(tmp_path: Path) -> None:
    """With four trials none lies within a twentieth of an end of the range."""

    class Fast(fakes.FakeLearner):
        def answers(self, rows: Rows, rate: float, seed: int, progress: float) -> list[str]:
            return super().answers(rows, rate / 100, seed, progress)

    record = run(tmp_path, Fast).record
    assert record.rate == max(trial.rate for trial in record.trials if trial.rate is not None)
    assert record.rate_at_edge is True


def test_the_record_says_what_it_cost_and_where_it_ran(tmp_path: Path) -> None:
    record = run(tmp_path).record
    assert record.cost is not None
    count = len(record.trials) + len(record.finals)
    assert record.cost.train_seconds == pytest.approx(0.5 * count)
    assert record.cost.evaluate_seconds == pytest.approx(0.25 * count + 0.125 * 2)
    assert record.cost.peak_memory == 2**20
    assert record.cost.examples_per_second is not None
    assert record.provenance["precision"] == "float32"
    assert record.finals[0].health is not None
    assert record.finals[0].health.truncated_train == 3
    assert record.finals[0].signatures == score.METRICS["accuracy"].signatures()


def test_the_record_survives_json(tmp_path: Path) -> None:
    record = run(tmp_path).record
    assert from_json(Record, json.loads(json.dumps(to_json(record)))) == record


def test_predictions_have_a_row_for_each_test_row_and_seed(tmp_path: Path) -> None:
    finished = run(tmp_path)
    rows = finished.predictions
    assert len(rows) == 2 * fakes.SIZES["test"]
    assert {row["seed"] for row in rows} == {1, 2}
    for row in rows:
        right = json.loads(row["prediction"]) == json.loads(row["reference"])
        assert row["score"] == (100.0 if right else 0.0)


@pytest.mark.parametrize(
    ("error", "outcome", "words"),
    [
        (MemoryError("no room"), Outcome.OUT_OF_MEMORY, "MemoryError: no room"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), Outcome.OUT_OF_MEMORY, "can't allocate"),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA out"), Outcome.OUT_OF_MEMORY, "CUDA out"),
        (ValueError("sizes do not match"), Outcome.FAILED, "ValueError: sizes do not match\n  "),
        (ValueError(), Outcome.FAILED, "test_cell.py"),
    ],
)
def test_a_failure_is_a_record_with_a_reason(tmp_path: Path, error: Exception, outcome: Outcome, words: str) -> None:
    record = run(tmp_path, failing(error)).record
    assert record.outcome is outcome
    assert words in str(record.reason)
    assert record.score is None
    assert str(tmp_path) not in str(record.reason)
    assert "/tests/test_cell.py" not in str(record.reason)


def test_a_pair_that_cannot_work_is_unsupported(tmp_path: Path) -> None:
    record = run(tmp_path, fakes.open_moody, model="unsupported").record
    assert (record.outcome, record.reason) == (Outcome.UNSUPPORTED, "fake cannot serve this model")


def test_what_is_searched_beside_the_rate_is_recorded_and_final_seeds_use_the_best(tmp_path: Path) -> None:
    class Choosy(fakes.FakeLearner):
        def fit(
            self, rate: float | None, seed: int, validate: Any, report: Any, epochs: int, choice: Any = None
        ) -> Any:
            fitted = super().fit(rate, seed, validate, report, epochs, choice)
            return replace(fitted, value=float(choice["part"]))

    learners: list[Choosy] = []

    def opener(assignment: Assignment) -> Learner:
        learners.append(Choosy(assignment))
        return learners[0]

    record = run(tmp_path, opener, method=replace(fakes.METHOD, choices={"part": (2, 3, 1)})).record
    assert [t.choice["part"] for t in record.trials[:3]] == [2, 3, 1]
    assert record.choice == {"part": 3}
    assert [t.choice for t in record.finals] == [{"part": 3}] * 2
    assert [choice["part"] for choice in learners[0].choices[-2:]] == [3, 3]
    assert from_json(Record, json.loads(json.dumps(to_json(record)))) == record
    shown = single.render(record)
    assert "chosen part    3" in shown
    assert "part 2" in shown


def test_an_interrupt_is_not_a_result(tmp_path: Path) -> None:
    def opener(assignment: Assignment) -> Learner:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, opener)


def test_a_seed_that_diverges_leaves_the_scores_of_the_others(tmp_path: Path) -> None:
    class Fickle(fakes.FakeLearner):
        def fit(
            self, rate: float | None, seed: int, validate: Any, report: Any, epochs: int, choice: Any = None
        ) -> Any:
            self.limit = 0.0 if seed == 2 else 1.0
            return super().fit(rate, seed, validate, report, epochs)

    finished = run(tmp_path, Fickle, budget=Budget(trials=2, seeds=(1, 2, 3)))
    record = finished.record
    assert record.outcome is Outcome.DIVERGED
    first, third = (record.finals[place].scores["accuracy"] for place in (0, 2))  # type: ignore[index]
    rate = f"{record.rate:.3g}"
    assert record.reason == (
        f"1 of 3 seeds diverged: seed 2 at rate {rate}: the loss is not finite at step 3. The others have accuracy "
        f"{first:.1f} (seed 1), {third:.1f} (seed 3)"
    )
    assert record.score is None
    assert [t.scores is None for t in record.finals] == [False, True, False]
    assert {row["seed"] for row in finished.predictions} == {1, 3}


def test_a_test_score_that_is_no_number_is_divergence_and_no_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metric = score.metric_named(fakes.TASK.metric)
    broken = replace(metric, aggregate=lambda sums: {"accuracy": np.array(math.nan), "macro_f1": np.array(50.0)})
    monkeypatch.setattr(score, "metric_named", lambda name: broken)
    monkeypatch.setattr(cells._Trainer, "validate", lambda self, predictions: 50.0)
    monkeypatch.setattr(Material, "floors", {})
    record = run(tmp_path).record
    assert (record.outcome, record.score) == (Outcome.DIVERGED, None)
    assert "2 of 2 seeds diverged: seed 1 at rate" in str(record.reason)
    assert "its answers to the test rows have no accuracy: nan; seed 2" in str(record.reason)
    assert from_json(Record, json.loads(json.dumps(to_json(record)))) == record


def test_a_second_attempt_repeats_no_finished_training_and_costs_as_much(tmp_path: Path) -> None:
    first = run(tmp_path).record
    learners: list[fakes.FakeLearner] = []

    def opener(assignment: Assignment) -> Learner:
        learners.append(fakes.FakeLearner(assignment))
        return learners[-1]

    second = run(tmp_path, opener).record
    assert fakes.lasting(second) == fakes.lasting(first)
    assert learners[0].fits == []
    assert first.cost is not None
    assert second.cost is not None
    assert second.cost.train_seconds == first.cost.train_seconds
    assert second.cost.seconds > 0.75 * 6
