"""Training-set size as an axis: names, fingerprints, what is used again, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bench import catalog, estimate, options, sizes, sources
from bench import run as runs
from bench.commands import request
from bench.commands.outlook import Outlook, State
from bench.errors import RequestError, SuiteError
from bench.plan import Cell, Plan, Request, make
from bench.spec import Budget
from bench.store import Store
from bench.suite import Suite
from tests import fakes

SUITE = Suite("test", "", ("sentiment", "qa"), ("bert-mini",), ("full", "lora[r=4]"), budget=Budget(trials=2))
AXIS = replace(SUITE, train_sizes=(100, 500))


def cell(data_dir: Path, size: int | None, train_size: int | None) -> Cell:
    """A cell of the fake task with `size` training rows, called after `train_size`."""
    budget = replace(fakes.BUDGET, train_size=size)
    sha256 = sources.fingerprint(fakes.TASK, "files", data_dir, budget)
    return fakes.cell(data_dir, budget=budget, train_size=train_size, data_sha256=sha256)


def axis(data_dir: Path, *asked: int) -> Plan:
    """The fake cell at these sizes."""
    fakes.write_files(data_dir)
    return Plan("test", tuple(cell(data_dir, size, size) for size in asked))


def run(plan: Plan, out: Path) -> runs.Summary:
    return runs.run(plan, out, learner="tests.fakes:open_learner", workers=0)


def keys(out: Path) -> list[str]:
    return [record.key for record in Store(out).records()]


# What is asked for


@pytest.mark.parametrize(("text", "meant"), [("500", 500), ("100,500", (100, 500)), ("500,20,100", (20, 100, 500))])
def test_one_size_is_a_number_and_several_are_put_in_order(text: str, meant: sizes.Sizes) -> None:
    assert options.train_size(text) == meant


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0", "--train-size '0': write a number of rows, as in 500, or several, as in 100,500."),
        ("100,0", "--train-size '100,0': write"),
        ("100,", "--train-size '100,': write"),
        ("1e3", "--train-size '1e3': write"),
        ("100,500,100", "must differ from each other, got 100 more than once."),
    ],
)
def test_what_is_no_size_is_refused(text: str, words: str) -> None:
    with pytest.raises(RequestError) as caught:
        options.train_size(text)
    assert words in str(caught.value)


def test_the_sizes_of_a_request_replace_those_of_every_task_and_source() -> None:
    suite = replace(AXIS, changes={"qa": {"train_size": (7, 9), "epochs": 1}}, hub_budget={"train_size": 4000})
    one, several = request.with_budget(suite, {"train_size": 30}), request.with_budget(suite, {"train_size": (10, 20)})
    for task, source in (("sentiment", "bundled"), ("qa", "bundled"), ("qa", "hub")):
        assert [budget.train_size for budget in one.budgets_for(task, source)] == [30]
        assert [budget.train_size for budget in several.budgets_for(task, source)] == [10, 20]
    assert several.budgets_for("qa", "bundled")[0].epochs == 1
    untouched = request.with_budget(suite, {"epochs": 2})
    assert [budget.train_size for budget in untouched.budgets_for("sentiment", "bundled")] == [100, 500]


FILE = """
[suite]
tasks = ["sentiment", "qa", "ner"]
models = ["bert-mini"]
methods = ["full"]

[budget]
train_size = [500, 100]

[budget.qa]
train_size = 256

[budget.ner]
train_size = [50]

[hub]
budget = { train_size = [1000, 4000] }
"""


def read(folder: Path, text: str) -> Suite:
    (folder / "mine.toml").write_text(text)
    return catalog.suite(str(folder / "mine.toml"))


def test_a_suite_has_sizes_of_its_own_for_tasks_and_for_the_hub(tmp_path: Path) -> None:
    suite = read(tmp_path, FILE)

    def asked(task: str, source: str) -> list[int | None]:
        return [budget.train_size for budget in suite.budgets_for(task, source)]

    assert asked("sentiment", "bundled") == [100, 500]
    assert asked("qa", "bundled") == [256]
    assert asked("ner", "bundled") == [50]
    assert asked("qa", "hub") == [1000, 4000]


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("[9, 9]", "[budget]: budget: the sizes in train_size must differ from each other, got 9 more than once."),
        ("[100, 0]", "[budget]: budget: train_size must be at least 1, got 0."),
        ("[]", "[budget]: budget: train_size needs at least one size, got none."),
        ('"100,500"', "[budget] train_size must be a whole number, or a list of them, as in train_size = [100, 500]"),
        ("[100, 0.5]", "[budget] train_size must be a whole number, or a list of them"),
    ],
)
def test_sizes_that_make_no_sense_are_named_with_file_and_remedy(tmp_path: Path, new: str, words: str) -> None:
    with pytest.raises(SuiteError) as caught:
        read(tmp_path, FILE.replace("[500, 100]", new))
    assert words in str(caught.value)
    assert "mine.toml" in str(caught.value)


# Plans


def test_every_cell_is_planned_at_every_size_under_a_name_of_its_own() -> None:
    plan = make(AXIS, Request(tasks=("sentiment",)))
    assert [cell.key for cell in plan.cells] == [
        f"sentiment/bert-mini/{method}@{size}" for method in ("full", "lora[r=4]") for size in (100, 500)
    ]
    assert [cell.budget.train_size for cell in plan.cells] == [100, 500] * 2
    assert len({cell.fingerprint for cell in plan.cells}) == 4
    assert Plan.loads(plan.dumps()) == plan


def test_one_size_is_no_axis() -> None:
    (cell, _) = make(replace(SUITE, budget=Budget(train_size=100)), Request(tasks=("sentiment",))).cells
    assert (cell.key, cell.train_size, cell.budget.train_size) == ("sentiment/bert-mini/full", None, 100)


def test_a_cell_is_the_same_whether_its_size_is_one_of_several_or_the_only_one() -> None:
    alone = make(replace(SUITE, budget=Budget(trials=2, train_size=100))).cells
    among = [cell for cell in make(AXIS).cells if cell.train_size == 100]
    more = [cell for cell in make(replace(AXIS, train_sizes=(20, 100))).cells if cell.train_size == 100]
    assert [c.fingerprint for c in alone] == [c.fingerprint for c in among] == [c.fingerprint for c in more]


def test_smaller_sizes_are_estimated_to_take_fewer_steps() -> None:
    small, large = make(AXIS, Request(tasks=("sentiment",), methods=("full",))).cells
    assert estimate.steps(small) < estimate.steps(large)


# Runs


def test_the_cells_of_a_run_lie_apart_by_size_and_tell_their_rows(tmp_path: Path) -> None:
    run(axis(tmp_path / "data", 10, 20), tmp_path / "out")
    store = Store(tmp_path / "out")
    records = store.records()
    assert [r.key for r in records] == ["parity/tiny/fake@10", "parity/tiny/fake@20"]
    assert [r.data.train for r in records if r.data is not None] == [10, 20]
    assert {(r.data.validation, r.data.test) for r in records if r.data is not None} == {(60, 80)}
    assert (tmp_path / "out/records/parity/tiny/fake@10.json").is_file()
    assert (tmp_path / "out/studies/parity/tiny/fake@20.journal").is_file()
    assert len(store.read_predictions(("parity", "tiny", "fake@20"))) == 2 * fakes.SIZES["test"]


def test_a_size_that_is_added_later_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    run(axis(tmp_path / "data", 10, 20), tmp_path / "out")
    wider = axis(tmp_path / "data", 5, 10, 20)
    assert [c.key for c in Outlook.of(wider, tmp_path / "out").to_do] == ["parity/tiny/fake@5"]
    assert run(wider, tmp_path / "out").ran == 1


@pytest.mark.parametrize("there", [None, 10])
def test_one_size_becomes_one_of_several_and_the_other_way_round_without_new_work(
    tmp_path: Path, there: int | None
) -> None:
    """The same cell, by another name: its record, predictions and study are renamed, not made again."""
    fakes.write_files(tmp_path / "data")
    here = 10 if there is None else None
    run(Plan("test", (cell(tmp_path / "data", 10, there),)), tmp_path / "out")
    wanted = Plan("test", (cell(tmp_path / "data", 10, here), cell(tmp_path / "data", 20, 20)))
    assert Outlook.of(wanted, tmp_path / "out").state(wanted.cells[0]) is State.FRESH
    assert run(wanted, tmp_path / "out").ran == 1
    name = sizes.named("fake", here)
    assert keys(tmp_path / "out") == [f"parity/tiny/{name}", "parity/tiny/fake@20"]
    for kind in ("predictions", "studies"):
        assert sorted(p.stem for p in (tmp_path / "out" / kind).rglob("fake*")) == sorted([name, "fake@20"])


def test_another_size_under_the_plain_name_is_left_alone(tmp_path: Path) -> None:
    """A cell that learnt from all rows is none of the sizes."""
    fakes.write_files(tmp_path / "data")
    run(Plan("test", (cell(tmp_path / "data", None, None),)), tmp_path / "out")
    assert run(axis(tmp_path / "data", 10, 20), tmp_path / "out").ran == 2
    assert len(keys(tmp_path / "out")) == 3


def test_a_cell_gives_the_same_result_under_either_name(tmp_path: Path) -> None:
    fakes.write_files(tmp_path / "data")
    for name, train_size in (("alone", None), ("among", 10)):
        run(Plan("test", (cell(tmp_path / "data", 10, train_size),)), tmp_path / name)
    alone, among = (Store(tmp_path / name).records()[0] for name in ("alone", "among"))
    assert fakes.lasting(alone) == fakes.lasting(replace(among, train_size=None))


@pytest.mark.parametrize(("asked", "fine"), [((10, 40, 500), False), ((500, 600), False), ((10, 500), True)])
def test_sizes_that_would_be_the_same_rows_are_refused_before_anything_trains(
    tmp_path: Path, asked: Sequence[int], fine: bool
) -> None:
    """There are 40 training rows; one size beyond them takes all, and the record says how many that were."""
    plan = axis(tmp_path / "data", *asked)
    if fine:
        run(plan, tmp_path / "out")
        assert [r.data.train for r in Store(tmp_path / "out").records() if r.data is not None] == [10, 40]
        return
    with pytest.raises(RequestError, match=r"'parity' has 40 training rows, so the sizes .* Leave out all but one"):
        run(plan, tmp_path / "out")
    assert keys(tmp_path / "out") == []


# The command line


def bench(line: str) -> int:
    from bench import cli

    return cli.main(line.split())


def test_plan_shows_the_sizes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    line = f"plan --tasks sentiment --models bert-mini --methods full --train-size 100,20 --out {tmp_path}"
    assert bench(line) == 0
    said = capsys.readouterr().out
    assert "full@20 " in said
    assert "rows: train 20 | 100, validation" in said
    bench(f"{line} --json")
    rows = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert [(row["cell"], row["method"], row["train_size"]) for row in rows] == [
        ("sentiment/bert-mini/full@20", "full", 20), ("sentiment/bert-mini/full@100", "full", 100),
    ]


def test_suites_are_listed_with_all_their_cells() -> None:
    from bench.commands.list import _suite

    assert _suite(AXIS)[1] == "8"
