"""Finished final trainings outlive the worker that made them, and are taken for no others."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import cell as cells
from bench import halfway, work
from bench.learner import Assignment, Fitted
from bench.record import Outcome, Parameters
from bench.spec import Rows
from bench.store import Store
from tests import fakes

BUDGET = replace(fakes.BUDGET, trials=2, seeds=(1, 2, 3))


class Interrupted(BaseException):
    """Stands for a kill: nothing in between may handle it."""


class Mortal(fakes.FakeLearner):
    """Notes what is asked of it, and dies in the training of one seed, or when it answers the test questions."""

    def __init__(self, assignment: Assignment, dies_at: int | None = None, late: bool = False) -> None:
        super().__init__(assignment)
        self.dies_at, self.late = dies_at, late

    def fit(self, rate: Any, seed: int, validate: Any, report: Any, epochs: int, choice: Any = None) -> Fitted:
        if seed == self.dies_at and not self.late:
            raise Interrupted
        chosen = dict(choice or {})
        self.parameters = replace(self.parameters, trainable=100 + chosen.get("part", 0))
        fitted = super().fit(rate, seed, validate, report, epochs, chosen)
        return replace(fitted, predict=self.dying) if seed == self.dies_at else fitted

    def dying(self, rows: Rows) -> Any:
        raise Interrupted

    @property
    def seeds(self) -> list[int]:
        """The final seeds that were trained."""
        return [seed for _, seed in self.fits if seed != cells.SEARCH_SEED]


def attempt(
    place: Path, made: list[Mortal], dies_at: int | None = None, late: bool = False, models: bool = False,
    **changes: Any,
) -> cells.Finished:
    """A cell that finishes, or dies in the training of a seed."""

    def opener(assignment: Assignment) -> Mortal:
        made.append(Mortal(assignment, dies_at, late))
        return made[-1]

    if models:
        (place / "models").mkdir(parents=True, exist_ok=True)
    return cells.run(
        fakes.cell(**{"budget": BUDGET, **changes}), opener, open_material=fakes.material,
        study=place / "cell.journal", models=place / "models" if models else None,
    )


def killed(place: Path, dies_at: int, **options: Any) -> None:
    with pytest.raises(Interrupted):
        attempt(place, [], dies_at, **options)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("models", [False, True])
@pytest.mark.parametrize("dies_at", [1, 2, 3])
def test_a_killed_cell_goes_on_with_the_next_seed(tmp_path: Path, dies_at: int, models: bool, late: bool) -> None:
    killed(tmp_path / "a", dies_at, late=late, models=models)
    made: list[Mortal] = []
    found = attempt(tmp_path / "a", made, models=models)
    undisturbed = attempt(tmp_path / "b", [], models=models)
    assert made[0].seeds == list(range(dies_at, 4))
    assert fakes.lasting(found.record) == fakes.lasting(undisturbed.record)
    assert found.predictions == undisturbed.predictions
    if models:
        names = ["seed-1", "seed-2", "seed-3"]
        assert sorted(path.name for path in (tmp_path / "a" / "models").iterdir()) == names
        for name in names:
            assert json.loads((tmp_path / "a/models" / name / "kept.json").read_text()) == {"seed": int(name[-1])}


def test_the_parameters_are_those_of_the_choice_that_was_best_though_nothing_trains_any_more(tmp_path: Path) -> None:
    method = replace(fakes.METHOD, choices={"part": (2, 3)})
    first = attempt(tmp_path, [], method=method).record
    made: list[Mortal] = []
    second = attempt(tmp_path, made, method=method).record
    assert made[0].fits == []
    assert second.parameters == first.parameters
    assert isinstance(second.parameters, Parameters)
    assert second.parameters.trainable == 100 + second.choice["part"]


def test_finals_without_their_models_train_again_where_models_are_to_be_kept(tmp_path: Path) -> None:
    killed(tmp_path, 3)
    made: list[Mortal] = []
    assert attempt(tmp_path, made, models=True).record.outcome is Outcome.OK
    assert made[0].seeds == [1, 2, 3]


def test_a_final_that_diverged_stays_so(tmp_path: Path) -> None:
    made: list[fakes.FakeLearner] = []

    class Fickle(fakes.FakeLearner):
        def fit(self, rate: Any, seed: int, validate: Any, report: Any, epochs: int, choice: Any = None) -> Fitted:
            self.limit = 0.0 if seed == 1 else 1.0
            return super().fit(rate, seed, validate, report, epochs)

    def opener(assignment: Assignment) -> fakes.FakeLearner:
        made.append(Fickle(assignment))
        return made[-1]

    cell = fakes.cell(budget=BUDGET)
    records = [
        cells.run(cell, opener, open_material=fakes.material, study=tmp_path / "cell.journal").record for _ in range(2)
    ]
    assert records[0].outcome is Outcome.DIVERGED
    assert fakes.lasting(records[1]) == fakes.lasting(records[0])
    assert made[1].fits == []


def of_another_cell(text: str) -> str:
    return text.replace(json.loads(text)["fingerprint"], "f" * 64)


def at_another_rate(text: str) -> str:
    data = json.loads(text)
    data["final"]["training"]["rate"] *= 2
    return json.dumps(data)


def with_other_answers(text: str) -> str:
    data = json.loads(text)
    data["final"]["predictions"][0] = "neither of them"
    return json.dumps(data)


@pytest.mark.parametrize(
    "damage",
    [lambda text: text[: len(text) // 2], lambda text: "", lambda text: "[]", lambda text: "{}", of_another_cell,
     at_another_rate, with_other_answers],
)
def test_what_is_damaged_or_of_another_training_is_trained_again(
    tmp_path: Path, damage: Callable[[str], str]
) -> None:
    killed(tmp_path / "a", 3)
    kept = tmp_path / "a" / "cell.halfway" / "final-1.json"
    kept.write_text(damage(kept.read_text()))
    made: list[Mortal] = []
    found = attempt(tmp_path / "a", made)
    assert made[0].seeds == [1, 3]
    assert fakes.lasting(found.record) == fakes.lasting(attempt(tmp_path / "b", []).record)


def test_a_directory_that_cannot_be_written_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "cell.halfway").write_text("in the way")
    record = attempt(tmp_path, []).record
    assert record.outcome is Outcome.FAILED
    assert "a finished training cannot be kept" in str(record.reason)
    assert "run the same command again" in str(record.reason)


def job(tmp_path: Path, model: str, keep: bool = False) -> work.Job:
    data = fakes.write_files(tmp_path / "data")
    return work.Job(fakes.cell(data, model), tmp_path / "out", "tests.fakes:open_moody", {}, keep)


@pytest.mark.parametrize("keep", [False, True])
def test_nothing_stays_beside_the_study_of_a_finished_cell(tmp_path: Path, keep: bool) -> None:
    for model in ("good", "wild", "unsupported"):
        work.do(job(tmp_path, model, keep))
    assert not list((tmp_path / "out").rglob("*.halfway"))


def test_what_is_kept_goes_by_the_cells_name(tmp_path: Path) -> None:
    """As do a record's predictions and study when training-set sizes come into names."""
    store = Store(tmp_path / "out")
    work.do(job(tmp_path, "good"))
    record = dataclasses.replace(store.records()[0], train_size=None)
    left = halfway.beside(store.study(record.names))
    left.mkdir(parents=True)
    renamed = store.rename(record, 20)
    assert halfway.beside(store.study(renamed.names)).is_dir()
    assert not left.exists()
