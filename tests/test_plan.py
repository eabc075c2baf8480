"""From a suite and a request to cells, and what makes two cells the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import catalog, estimate
from bench.errors import NothingSelectedError, RequestError, StoreError, UnavailableError, UnknownNameError
from bench.plan import Cell, Plan, Request, make
from bench.record import Cost, Outcome, Record, to_json
from bench.spec import Budget, Files, LogRange, Method, Pinned, Routine
from bench.suite import Suite
from tests import fakes
from tests.hub_server import COMMIT, serving


def python(code: str, environment: dict[str, str]) -> str:
    """What the code prints in a process of its own."""
    root = Path(__file__).resolve().parent.parent
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=root)
    return done.stdout.strip()


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    """A directory that passes for a checkpoint."""
    place = tmp_path / "checkpoint"
    place.mkdir()
    (place / "config.json").write_text(json.dumps({"model_type": "bert"}))
    (place / "model.safetensors").write_bytes(b"weights")
    return str(place)


@pytest.fixture
def suite(checkpoint: str) -> Suite:
    """Two tasks, one model, two methods."""
    return Suite("test", "", ("sentiment", "qa"), (checkpoint,), ("full", "lora"),
                 budget=Budget(trials=2), changes={"qa": {"epochs": 1}})


def test_a_plan_crosses_tasks_models_and_methods(suite: Suite, checkpoint: str) -> None:
    plan = make(suite)
    assert [cell.names for cell in plan.cells] == [
        (task, checkpoint, method) for task in ("sentiment", "qa") for method in ("full", "lora")
    ]
    assert [cell.budget.epochs for cell in plan.cells] == [3, 3, 1, 1]


def test_every_axis_can_be_narrowed_or_replaced(suite: Suite) -> None:
    request = Request(tasks=("ner",), methods=("lora[r=16]", "lora[r=16]"))
    (cell,) = make(suite, request).cells
    assert cell.names[0::2] == ("ner", "lora[r=16]")
    assert cell.options["r"] == 16
    assert cell.budget == Budget(trials=2)


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        (Request(tasks=("nre",)), UnknownNameError, "Did you mean 'ner'?"),
        (Request(methods=()), NothingSelectedError, "no cell is selected"),
        (Request(source="hubb"), UnknownNameError, "unknown source of task 'sentiment': 'hubb'. Did you mean 'hub'?"),
        (Request(source="files"), RequestError, "--data-dir"),
    ],
)
def test_what_cannot_be_planned_is_an_error(
    suite: Suite, request_: Request, error: type[Exception], words: str
) -> None:
    with pytest.raises(error) as caught:
        make(suite, request_)
    assert words in str(caught.value)


def test_the_hub_has_models_of_its_own_with_pinned_commits(suite: Suite) -> None:
    task = catalog.task("sentiment")
    hub = next(source for name, source in task.sources.items() if name == "hub")
    if getattr(hub, "revision", None) is None:
        pytest.skip("the task's data set is resolved when the plan is made")
    (cell,) = make(replace(suite, hub_models=("distilbert",)),
                   Request(tasks=("sentiment",), methods=("full",), source="hub")).cells
    assert cell.model_revision == catalog.model("distilbert").revision
    assert cell.data_revision is not None


PLAN_OF_A_HUB_MODEL = """
from bench.plan import Request, make
from bench.suite import Suite
(cell,) = make(Suite("test", "", ("sentiment",), ("org/model",), ("full",))).cells
print(cell.key, cell.model.family, cell.model_revision)
"""


def test_a_hub_id_is_resolved_to_its_commit_and_family(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"model_type": "gpt2"}')
    with serving({"org/model": tmp_path / "model"}) as hub:
        environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0"}
        assert python(PLAN_OF_A_HUB_MODEL, environment) == f"sentiment/org/model/full decoder {COMMIT}"


def test_files_are_part_of_the_fingerprint_by_content_and_not_by_place(suite: Suite, tmp_path: Path) -> None:
    def fingerprint(name: str, text: str) -> str:
        directory = tmp_path / name / "sentiment"
        directory.mkdir(parents=True)
        for split in ("train", "validation", "test"):
            (directory / f"{split}.jsonl").write_text(json.dumps({"text": text, "label": "good"}) + "\n")
        request = Request(tasks=("sentiment",), methods=("full",), source="files", data_dir=tmp_path / name)
        return make(suite, request).cells[0].fingerprint

    assert fingerprint("a", "fine") == fingerprint("b", "fine")
    assert fingerprint("c", "poor") != fingerprint("d", "fine")


def _other(network: Any, options: Any) -> None:
    """Another way to apply a method."""


CHANGES: dict[str, dict[str, Any]] = {
    "task version": {"task": replace(fakes.TASK, version=2)},
    "task limit": {"task": replace(fakes.TASK, input_tokens=9)},
    "data": {"data_sha256": "9" * 64},
    "source": {"source": "other"},
    "weights": {"model_sha256": "9" * 64},
    "commit": {"model_revision": "9" * 40},
    "pooling": {"model": replace(fakes.MODEL, pooling="last")},
    "method version": {"method": replace(fakes.METHOD, version=2)},
    "range": {"method": replace(fakes.METHOD, rates=LogRange(1e-5, 1e-2, 2e-4))},
    "choices": {"method": replace(fakes.METHOD, choices={"part": (1, 2)})},
    "teacher": {"others": {"teacher": Pinned(fakes.MODEL, None, "9" * 64)}},
    "option": {"options": {"r": 16}},
    "budget": {"budget": replace(fakes.BUDGET, trials=5)},
    "seeds": {"budget": replace(fakes.BUDGET, seeds=(1, 3))},
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_a_result_depends_on_changes_the_fingerprint(what: str) -> None:
    assert fakes.cell(**CHANGES[what]).fingerprint != fakes.cell().fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"task": replace(fakes.TASK, title="Other words", sources={"files": Files(), "more": Files()})},
        {"model": replace(fakes.MODEL, note="other words")},
        {"method": replace(fakes.METHOD, title="other words", source="a paper", apply=_other)},
        {"method": replace(fakes.METHOD, routine=lambda *given: Routine(), merge=lambda given: None)},
        {"data_dir": Path("elsewhere")},
    ],
    ids=["task", "model", "method", "code", "place"],
)
def test_what_only_describes_leaves_the_fingerprint_alone(change: dict[str, Any]) -> None:
    assert replace(fakes.cell(), **change).fingerprint == fakes.cell().fingerprint


def test_a_new_harness_version_makes_every_record_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fakes.cell().fingerprint
    monkeypatch.setattr("bench.plan.HARNESS", 999)
    assert fakes.cell().fingerprint != before


def test_fingerprints_are_the_same_in_another_process() -> None:
    code = "from tests import fakes; print(fakes.cell().fingerprint)"
    assert python(code, {**os.environ, "PYTHONHASHSEED": "12345"}) == fakes.cell().fingerprint


def test_a_model_that_an_option_names_is_part_of_the_plan_by_its_content(suite: Suite, tmp_path: Path) -> None:
    def cell(weights: bytes) -> Cell:
        place = tmp_path / weights.decode()
        place.mkdir()
        (place / "config.json").write_text(json.dumps({"model_type": "bert"}))
        (place / "model.safetensors").write_bytes(weights)
        return make(suite, Request(tasks=("sentiment",), methods=(f"distill[teacher={place}]",))).cells[0]

    one, other = cell(b"one"), cell(b"other")
    assert one.others["teacher"].sha256 not in (None, other.others["teacher"].sha256)
    assert Plan.loads(Plan("test", (one,)).dumps()).cells == (one,)


def test_a_teacher_that_is_missing_does_not_stop_the_plan(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its cell will say so."""
    monkeypatch.setattr("bench.models._packaged", _not_installed)
    (cell,) = make(suite, Request(tasks=("sentiment",), methods=("distill",))).cells
    assert cell.others == {"teacher": Pinned(catalog.model("minilm"))}


def _not_installed(package: str) -> Path:
    raise UnavailableError(f"{package} is not installed")


def test_a_plan_survives_json(suite: Suite) -> None:
    plan = make(suite, Request(methods=("lora[r=16]", "full")))
    again = Plan.loads(plan.dumps())
    assert again == plan
    assert [cell.fingerprint for cell in again.cells] == [cell.fingerprint for cell in plan.cells]
    assert json.loads(plan.dumps())["cells"][0]["fingerprint"] == plan.cells[0].fingerprint


CELLS = '{"suite": "x", "cells": [%s]}'


@pytest.mark.parametrize("text", ["", "[]", "{}", CELLS % "{}", CELLS % '{"method": 3}'])
def test_what_is_no_plan_is_said_to_be_none(text: str) -> None:
    with pytest.raises(StoreError, match="not a plan"):
        Plan.loads(text)


def test_steps_count_search_and_final_seeds() -> None:
    cell = fakes.cell(budget=Budget(trials=4, seeds=(1, 2, 3), epochs=2, batch_size=10, train_size=95))
    assert estimate.steps(cell) == 10 * 2 * 7


def test_an_earlier_record_with_the_same_budget_is_the_estimate() -> None:
    cell: Cell = fakes.cell()
    record = Record(*cell.names, "files", "encoder", "classify", "other", Outcome.OK, "accuracy",
                    cost=Cost(123.0, 1.0, 1.0, None, None, None), budget=to_json(cell.budget))
    assert estimate.seconds(cell, {cell.names: record}) == 123.0
    assert estimate.seconds(cell, {cell.names: replace(record, budget={})}) == estimate.seconds(cell)


def test_a_longer_budget_is_estimated_to_take_longer() -> None:
    assert estimate.seconds(fakes.cell(budget=replace(fakes.BUDGET, epochs=9))) > estimate.seconds(fakes.cell())


def test_a_larger_model_is_estimated_to_take_longer_and_an_unknown_one_as_long_as_a_base_model(tmp_path: Path) -> None:
    def directory(width: int) -> str:
        place = tmp_path / str(width)
        place.mkdir()
        (place / "config.json").write_text(json.dumps({"num_hidden_layers": 12, "hidden_size": width}))
        return str(place)

    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "config.json").write_text('{"num_hidden_layers": "12", "hidden_size": null}')
    small, base = (replace(fakes.MODEL, path=directory(width)) for width in (384, 768))
    hub, odd = (replace(fakes.MODEL, path=path) for path in ("some/model", str(tmp_path / "odd")))
    times = [estimate.seconds(replace(fakes.cell(), model=model)) for model in (small, base, hub, odd)]
    assert times[0] < times[1] == times[2] == times[3]


def test_a_teacher_is_estimated_to_take_longer_the_larger_it_is_and_as_a_base_model_where_it_is_missing() -> None:
    teachers = (catalog.model("bert-mini"), fakes.MODEL, replace(fakes.MODEL, package="no_such_package"))
    taught = [replace(fakes.cell(), method=fakes_with_teacher(), others={"teacher": Pinned(m)}) for m in teachers]
    times = [estimate.seconds(cell) for cell in (fakes.cell(), *taught)]
    assert times[0] < times[1] < times[2] == times[3]


def fakes_with_teacher() -> Method:
    """The fake method with something to do before its trainings."""
    return replace(fakes.cell().method, prepare=lambda learner, options: None)
