"""Runs: what is made, what is left alone, and what happens when something goes wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bench import catalog, pool, tally, work
from bench import plan as plans
from bench import run as runs
from bench.commands.outlook import Outlook, State
from bench.errors import DataError, RequestError
from bench.plan import Cell, Plan
from bench.record import Outcome
from bench.run import Summary
from bench.store import Store
from bench.tally import Event, Kind
from bench.work import Job
from tests import fakes

MODELS = ("a", "b", "c")


def plan(data_dir: Path, models: Sequence[str] = MODELS) -> Plan:
    """A plan of one cell a model."""
    fakes.write_files(data_dir)
    return Plan("test", tuple(fakes.cell(data_dir, model) for model in models))


def run(plan: Plan, out: Path, learner: str = "open_learner", workers: int = 0, **options: object) -> Summary:
    """A run with one of the fake learners."""
    return runs.run(plan, out, learner=f"tests.fakes:{learner}", workers=workers, **options)  # type: ignore[arg-type]


def results(out: Path) -> dict[str, object]:
    """The lasting part of all records."""
    return {record.model: fakes.lasting(record) for record in Store(out).records()}


def test_a_run_makes_a_record_and_predictions_for_every_cell(tmp_path: Path) -> None:
    summary = run(plan(tmp_path / "data"), tmp_path / "out")
    store = Store(tmp_path / "out")
    assert (summary.ran, summary.fresh, summary.exit_code) == (3, 0, 0)
    assert summary.outcomes == {Outcome.OK: 3}
    assert [record.model for record in store.records()] == ["a", "b", "c"]
    assert len(store.read_predictions(("parity", "a", "fake"))) == 2 * fakes.SIZES["test"]
    assert json.loads(store.read_plan())["suite"] == "test"


def test_the_number_of_workers_and_the_order_of_cells_change_nothing(tmp_path: Path) -> None:
    here = plan(tmp_path / "data")
    run(here, tmp_path / "here")
    run(Plan("test", here.cells[::-1]), tmp_path / "one", workers=1)
    run(here, tmp_path / "two", workers=2)
    assert results(tmp_path / "one") == results(tmp_path / "here")
    assert results(tmp_path / "two") == results(tmp_path / "here")


def test_a_second_run_has_nothing_to_do(tmp_path: Path) -> None:
    made = plan(tmp_path / "data")
    run(made, tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.json") if path.name != "plan.json"}
    summary = run(made, tmp_path / "out", learner="does_not_exist")
    assert (summary.ran, summary.fresh) == (0, 3)
    assert summary.outcomes == {Outcome.OK: 3}
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_record_that_was_seen_is_read_again_only_if_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten thousand of them take seconds, which need not be spent twice."""
    made, out = plan(tmp_path / "data"), tmp_path / "out"
    run(made, out)
    seen = Store(out).seen()
    assert all(not found.record.trials for found in seen.values())
    path = Store(out).path("records", made.cells[0].names, "json")
    path.write_text(path.read_text().replace(made.cells[0].fingerprint, "0" * 64))
    read: list[str] = []
    real = Store.read_record
    monkeypatch.setattr(Store, "read_record", lambda store, names: read.append(names[1]) or real(store, names))  # type: ignore[func-returns-value]
    assert run(made, out, seen=seen).ran == 1
    assert read == ["a"]


def test_a_cell_that_takes_far_longer_than_expected_is_told_once_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless it has a limit. It is not ended: no estimate is good enough for that."""
    for name, value in {"LATE": 0.0, "SOON": 0.3, "LOOK": 0.1}.items():
        monkeypatch.setattr(tally, name, value)
    told: list[Event] = []
    run(plan(tmp_path / "data", ("a",)), tmp_path / "out", "open_slow", 1, events=told.append)
    (late,) = [event for event in told if event.kind is Kind.LATE]
    assert "parity/a/fake: under way for 0 minutes" in str(late.note)
    assert "--timeout" in str(late.note)
    run(plan(tmp_path / "data", ("a",)), tmp_path / "two", "open_slow", 1, timeout=60.0, events=told.append)
    assert [event.kind for event in told].count(Kind.LATE) == 1


def test_only_what_is_stale_runs_again(tmp_path: Path) -> None:
    made = plan(tmp_path / "data")
    run(made, tmp_path / "out")
    changed = replace(made.cells[1], budget=replace(fakes.BUDGET, trials=2))
    again = Plan("test", (made.cells[0], changed, made.cells[2]))
    assert [cell.key for cell in Outlook.of(again, tmp_path / "out").to_do] == ["parity/b/fake"]
    assert run(again, tmp_path / "out").ran == 1


def test_a_model_and_a_method_that_are_added_make_their_own_cells_alone(tmp_path: Path) -> None:
    first, out = plan(tmp_path / "data", ("a", "b")), tmp_path / "out"
    run(first, out)
    written = {path: path.stat().st_mtime_ns for path in (out / "records").rglob("*.json")}
    other = fakes.cell(tmp_path / "data", "a", method=replace(fakes.METHOD, name="other"), method_name="other")
    more = Plan("test", (*first.cells, fakes.cell(tmp_path / "data", "c"), other))
    summary = run(more, out)
    assert (summary.ran, summary.fresh) == (2, 2)
    assert len(list((out / "records").rglob("*.json"))) == 4
    assert all(path.stat().st_mtime_ns == then for path, then in written.items())


def test_a_cell_is_the_same_in_a_small_grid_and_in_a_large_one() -> None:
    """So that a grid may grow by models and methods, and what is finished stays so."""
    suite = catalog.suite("smoke")
    small = plans.make(suite, plans.Request(tasks=("sentiment",), models=("bert-mini",), methods=("full",)))
    large = plans.make(suite, plans.Request(tasks=("sentiment", "ner"), models=("gpt2-mini", "bert-mini"),
                                            methods=("lora", "full")))
    (cell,) = small.cells
    assert {each.key: each.fingerprint for each in large.cells}[cell.key] == cell.fingerprint
    assert len(large.cells) == 8


def seeds(out: Path, model: str) -> list[str]:
    """The seeds of which the run keeps a model."""
    return sorted(path.parent.name for path in (out / "models" / "parity" / model).rglob("kept.json"))


def test_models_are_kept_only_when_asked_for_and_then_of_finished_cells_too(tmp_path: Path) -> None:
    made, out = plan(tmp_path / "data"), tmp_path / "out"
    run(Plan("test", made.cells[:2]), out)
    assert not (out / "models").exists()
    assert [Outlook.of(made, out, keep=True).state(cell) for cell in made.cells] == [
        State.UNKEPT, State.UNKEPT, State.MISSING,
    ]
    assert run(made, out, workers=1, keep=True).ran == 3
    assert seeds(out, "a") == seeds(out, "c") == ["seed-1", "seed-2"]
    assert run(made, out, keep=True, learner="does_not_exist").ran == 0


def test_models_of_an_earlier_record_are_forgotten_with_it(tmp_path: Path) -> None:
    made, out = plan(tmp_path / "data", ("a",)), tmp_path / "out"
    run(made, out, keep=True)
    changed = Plan("test", (replace(made.cells[0], budget=replace(fakes.BUDGET, trials=2)),))
    run(changed, out)
    assert seeds(out, "a") == []


def test_a_cell_that_fails_or_dies_keeps_no_model_and_is_not_asked_for_one(tmp_path: Path) -> None:
    made, out = plan(tmp_path / "data", ("unsupported", "wild", "killed", "good")), tmp_path / "out"
    run(made, out, learner="open_moody", workers=1, keep=True)
    kept = {cell.model.name: seeds(out, cell.model.name) for cell in made.cells}
    assert kept == {"unsupported": [], "wild": [], "killed": [], "good": ["seed-1", "seed-2"]}
    assert [cell.model.name for cell in Outlook.of(made, out, keep=True).to_do] == ["killed"]
    run(made, out, learner="open_moody", workers=1, keep=True)
    assert list(out.rglob("*.tmp")) == []


def test_a_model_that_cannot_be_written_fails_its_cell_in_one_sentence_and_can_be_tried_again(tmp_path: Path) -> None:
    made, out = plan(tmp_path / "data", ("a",)), tmp_path / "out"
    assert run(made, out, learner="open_on_full_disk", keep=True).exit_code == 1
    assert Store(out).records()[0].reason == "no room for the model"
    assert seeds(out, "a") == []
    assert run(made, out, keep=True).exit_code == 0
    assert seeds(out, "a") == ["seed-1", "seed-2"]


def test_an_unreadable_record_is_made_again(tmp_path: Path) -> None:
    made = plan(tmp_path / "data")
    run(made, tmp_path / "out")
    Store(tmp_path / "out").path("records", made.cells[0].names, "json").write_text("{")
    assert run(made, tmp_path / "out").ran == 1
    assert len(Store(tmp_path / "out").listing().records) == 3


@pytest.mark.parametrize("workers", [0, 2])
def test_one_cells_failure_never_stops_another(tmp_path: Path, workers: int) -> None:
    made = plan(tmp_path / "data", ("unsupported", "broken", "hungry", "wild", "good"))
    summary = run(made, tmp_path / "out", "open_moody", workers)
    outcomes = {record.model: record.outcome for record in Store(tmp_path / "out").records()}
    assert outcomes == {
        "unsupported": Outcome.UNSUPPORTED, "broken": Outcome.FAILED, "hungry": Outcome.OUT_OF_MEMORY,
        "wild": Outcome.DIVERGED, "good": Outcome.OK,
    }
    assert summary.exit_code == 1
    assert {record.model for record in summary.failed} == {"broken", "hungry", "wild"}


def test_failures_are_tried_again_and_findings_are_not(tmp_path: Path) -> None:
    made = plan(tmp_path / "data", ("unsupported", "broken", "hungry", "wild", "good"))
    run(made, tmp_path / "out", "open_moody")
    assert {cell.model.name for cell in Outlook.of(made, tmp_path / "out").to_do} == {"broken", "hungry"}


def test_a_worker_that_is_killed_leaves_a_record_and_the_others_go_on(tmp_path: Path) -> None:
    made = plan(tmp_path / "data", ("killed", "good", "better"))
    run(made, tmp_path / "out", "open_moody", 2)
    records = {record.model: record for record in Store(tmp_path / "out").records()}
    assert records["killed"].outcome is Outcome.FAILED
    assert "SIGKILL" in str(records["killed"].reason)
    assert records["good"].outcome is records["better"].outcome is Outcome.OK


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a worker makes its cells in itself")
def test_the_memory_of_a_cell_is_its_own_whatever_its_worker_made_before(tmp_path: Path) -> None:
    run(plan(tmp_path / "data", ("hoarder", "modest")), tmp_path / "out", "open_hoarding", 1)
    hoarder, modest = (record.cost for record in Store(tmp_path / "out").records())
    assert hoarder is not None
    assert modest is not None
    assert (hoarder.peak_memory or 0) - (modest.peak_memory or 0) > 150 * 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a worker makes its cells in itself")
def test_what_cells_share_is_loaded_once_and_what_cannot_be_loaded_is_told_by_the_cell(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    made = plan(data, ("a", "b"))
    jobs = [Job(cell, out, "tests.fakes:open_learner", {}) for cell in made.cells]
    first = work.do_apart(jobs[0])
    (data / "parity" / "train.jsonl").unlink()
    second = work.do_apart(jobs[1])
    assert first is not None
    assert second is not None
    assert first.record.outcome is second.record.outcome is Outcome.OK
    assert first.record.floors == second.record.floors
    lost = replace(made.cells[0], data_sha256="2" * 64)
    third = work.do_apart(replace(jobs[0], cell=lost))
    assert third is not None
    assert third.record.outcome is Outcome.FAILED
    assert "train" in str(third.record.reason)


def test_a_cell_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    made = plan(tmp_path / "data", ("endless", "good"))
    run(made, tmp_path / "out", "open_endless", 2, timeout=8.0)
    records = {record.model: record for record in Store(tmp_path / "out").records()}
    assert (records["endless"].outcome, records["endless"].reason) == (Outcome.TIMED_OUT, "no result after 8 s")
    assert records["good"].outcome is Outcome.OK


def test_a_cell_that_is_stopped_keeps_its_trials_and_goes_on_from_them(tmp_path: Path) -> None:
    made, out = plan(tmp_path / "data", ("a",)), tmp_path / "out"
    run(made, out, "open_stuck", 1, timeout=3.0)
    record = Store(out).records()[0]
    assert (record.outcome, len(record.trials), record.finals) == (Outcome.TIMED_OUT, 2, ())
    assert run(made, out).exit_code == 0
    run(made, tmp_path / "undisturbed")
    assert results(out) == results(tmp_path / "undisturbed")


def test_a_cell_that_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "GRACE", 0.5)
    made, out = plan(tmp_path / "data", ("deaf", "good")), tmp_path / "out"
    run(made, out, "open_dying", 1, timeout=3.0)
    records = {record.model: record for record in Store(out).records()}
    assert records["deaf"].outcome is Outcome.TIMED_OUT
    assert "after it was asked to end" in str(records["deaf"].reason)
    assert records["good"].outcome is Outcome.OK


DEATHS = {"segfault": "SIGSEGV", "kill": "SIGKILL (often", "exit": "exit code 3", "abort": "SIGABRT"}


def test_a_cell_whose_worker_dies_is_tried_again_and_then_recorded_with_its_reason(tmp_path: Path) -> None:
    made, out = plan(tmp_path / "data", (*DEATHS, "good")), tmp_path / "out"
    told: list[Event] = []
    run(made, out, "open_dying", 2, events=told.append)
    records = {record.model: record for record in Store(out).records()}
    assert records.pop("good").outcome is Outcome.OK
    for model, word in DEATHS.items():
        assert records[model].outcome is Outcome.FAILED
        assert word in str(records[model].reason)
        assert "(tried 2 times)" in str(records[model].reason)
    notes = [event.note for event in told if event.kind is Kind.RETRIED]
    assert sorted(str(note).partition(":")[0] for note in notes) == sorted(f"parity/{model}/fake" for model in DEATHS)


def test_a_worker_that_dies_once_costs_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    cells = plan(tmp_path / "data", ("once", "good")).cells
    made = Plan("test", tuple(replace(cell, model=replace(cell.model, path=str(tmp_path))) for cell in cells))
    assert run(made, out, "open_dying", 1).outcomes == {Outcome.OK: 2}
    run(made, tmp_path / "undisturbed")
    assert results(out) == results(tmp_path / "undisturbed")


def test_without_retries_a_dead_worker_is_recorded_at_once(tmp_path: Path) -> None:
    run(plan(tmp_path / "data", ("exit",)), tmp_path / "out", "open_dying", 1, retries=0)
    assert Store(tmp_path / "out").records()[0].reason == "the worker ended with exit code 3"


@pytest.mark.parametrize("workers", [0, 2])
def test_events_tell_how_the_run_stands(tmp_path: Path, workers: int) -> None:
    told: list[Event] = []
    run(plan(tmp_path / "data", ("broken", "good")), tmp_path / "out", "open_moody", workers, events=told.append)
    assert told[0].kind is Kind.PLANNED
    assert (told[0].total, told[0].done, told[0].left) == (2, 0, None)
    assert sorted((e.kind, e.key) for e in told[1:]) == sorted(
        (kind, f"parity/{model}/fake") for kind in (Kind.STARTED, Kind.FINISHED) for model in ("broken", "good")
    )
    assert (told[-1].done, told[-1].failed, told[-1].running, told[-1].left) == (2, 1, (), 0.0)
    assert told[-1].record is not None
    log = [json.loads(line) for line in (tmp_path / "out" / "events.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in log] == [event.kind for event in told]


def test_rows_are_checked_before_anything_trains(tmp_path: Path) -> None:
    made = plan(tmp_path / "data")
    with (tmp_path / "data" / "parity" / "test.jsonl").open("a") as file:
        file.write('{"text": "number 1", "lable": "odd"}\n')
    with pytest.raises(DataError, match=r"test\.jsonl, line 81: no column 'label'"):
        run(made, tmp_path / "out")
    assert Store(tmp_path / "out").records() == []


def test_an_interrupt_keeps_what_is_finished_and_the_next_run_goes_on(tmp_path: Path) -> None:
    made = plan(tmp_path / "data")

    def interrupt(event: Event) -> None:
        if event.kind is Kind.FINISHED:
            raise KeyboardInterrupt

    for workers in (0, 1):
        with pytest.raises(KeyboardInterrupt):
            run(made, tmp_path / "out", workers=workers, events=interrupt)
    assert run(made, tmp_path / "out").fresh >= 2
    run(made, tmp_path / "undisturbed")
    assert results(tmp_path / "out") == results(tmp_path / "undisturbed")


SCRIPT = """
import sys
from pathlib import Path
from tests.test_run import plan, run
if __name__ == "__main__":
    run(plan(Path(sys.argv[1])), Path(sys.argv[2]), "open_slow", 2)
"""


def processes(marker: str) -> list[int]:
    """The ids of processes whose environment holds the marker."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if marker.encode() in entry.read_bytes():
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_leaves_no_process_and_ends_as_an_undisturbed_one(tmp_path: Path, sign: signal.Signals) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    root = Path(__file__).resolve().parent.parent
    marker = f"BENCH_TEST_MARKER={tmp_path.name}"
    name, _, value = marker.partition("=")
    environment = {**os.environ, name: value, "PYTHONPATH": str(root)}
    command = [sys.executable, str(script), str(tmp_path / "data"), str(tmp_path / "out")]
    with subprocess.Popen(command, env=environment, cwd=root, stderr=subprocess.DEVNULL) as child:
        journals = tmp_path / "out" / "studies"
        wait_for(lambda: any('"training"' in path.read_text() for path in journals.rglob("*.journal")))
        child.send_signal(sign)
    wait_for(lambda: not processes(marker))
    made = plan(tmp_path / "data")
    assert Outlook.of(made, tmp_path / "out").to_do
    run(made, tmp_path / "out")
    run(made, tmp_path / "undisturbed")
    assert results(tmp_path / "out") == results(tmp_path / "undisturbed")


def wait_for(condition: object, seconds: float = 60.0) -> None:
    """Wait until the condition holds."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def test_a_negative_number_of_workers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="workers must be at least 0"):
        run(plan(tmp_path / "data"), tmp_path / "out", workers=-1)


def test_the_command_is_part_of_the_provenance(tmp_path: Path) -> None:
    run(plan(tmp_path / "data", ("a",)), tmp_path / "out", command="python -m bench run --suite test")
    assert Store(tmp_path / "out").records()[0].provenance["command"] == "python -m bench run --suite test"


def test_workers_have_one_thread_and_the_caller_keeps_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    run(plan(tmp_path / "data", ("a",)), tmp_path / "out", workers=1)
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_hiding_the_gpu_gives_a_worker_for_each_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not pool.has_gpu()
    assert pool.default_workers() >= 1


def test_a_stale_record_is_replaced_with_its_predictions(tmp_path: Path) -> None:
    made = plan(tmp_path / "data", ("good",))
    run(made, tmp_path / "out")
    cell: Cell = replace(made.cells[0], model=replace(made.cells[0].model, pooling="first"))
    run(Plan("test", (cell,)), tmp_path / "out", "open_moody")
    assert Store(tmp_path / "out").records()[0].fingerprint == cell.fingerprint
