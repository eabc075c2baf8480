"""Two runs compared: what is an alarm, what is not, what cannot be said, and what moved first."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from junitparser import JUnitXml

from bench.cli import main
from bench.learner import Assignment
from bench.record import Outcome, Record
from leaderboard import report, sides
from leaderboard.compare import compare
from leaderboard.sides import Side
from leaderboard.trace import Stage
from leaderboard.verdict import EXIT, Kind, Verdict
from tests import nights
from tests.nights import NoisyLearner, make

KEY = "parity/m0/fake"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Side:
    """A run that nothing is wrong with."""
    return make(tmp_path_factory.mktemp("runs") / "base")


def only(key: str, change: Callable[[Record], Record | None]) -> Callable[[Record], Record | None]:
    """An edit of one cell's record."""
    return lambda record: change(record) if record.key == key else record


def test_the_same_code_twice_is_fine_and_nothing_moved(base: Side, tmp_path: Path) -> None:
    found = compare(base, make(tmp_path / "head"))
    assert found.verdict is Verdict.FINE
    assert not found.alarms
    assert all(cell.same and cell.moved is None for cell in found.cells)


def test_other_chance_is_fine_though_all_answers_moved(base: Side, tmp_path: Path) -> None:
    found = compare(base, make(tmp_path / "head", learner=partial(NoisyLearner, salt="other")))
    assert found.verdict is Verdict.FINE, report.text(found)
    assert not any(cell.same for cell in found.cells)
    assert found.pooled[0].cells == len(nights.MODELS)


def test_a_shift_of_all_cells_is_worse_and_pooled(base: Side, tmp_path: Path) -> None:
    found = compare(base, make(tmp_path / "head", learner=partial(NoisyLearner, salt="other", worse=0.08)))
    assert found.verdict is Verdict.WORSE
    assert "all cells" in {alarm.scope for alarm in found.alarms if alarm.kind is Kind.SCORE}


def test_a_shift_the_other_way_is_better(base: Side, tmp_path: Path) -> None:
    found = compare(base, make(tmp_path / "head", learner=partial(NoisyLearner, salt="other", worse=-0.08)))
    assert found.verdict is Verdict.BETTER


def test_one_broken_cell_is_found_among_many(base: Side, tmp_path: Path) -> None:
    def learner(assignment: Assignment) -> NoisyLearner:
        return NoisyLearner(assignment, worse=0.4 if assignment.model.name == "m0" else 0.0)

    found = compare(base, make(tmp_path / "head", learner=learner))
    assert found.verdict is Verdict.WORSE
    assert {alarm.scope for alarm in found.alarms} == {KEY}


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.TIMED_OUT, Outcome.OUT_OF_MEMORY])
def test_a_failed_cell_is_never_fine(base: Side, tmp_path: Path, outcome: Outcome) -> None:
    head = make(tmp_path / "head", edit=only(KEY, lambda record: nights.ended(record, outcome)))
    found = compare(base, head)
    assert found.verdict is Verdict.TOO_LITTLE
    assert found.unmeasured == {KEY: "failed (it ended so)"}


def test_a_missing_cell_is_never_fine(base: Side, tmp_path: Path) -> None:
    found = compare(base, make(tmp_path / "head", edit=only(KEY, lambda record: None)))
    assert found.verdict is Verdict.TOO_LITTLE
    assert found.unmeasured == {KEY: "no record"}


def test_a_damaged_record_is_told_with_its_place(base: Side, tmp_path: Path) -> None:
    head = make(tmp_path / "head")
    path = head.store.path("records", head.records[KEY].names, "json")
    path.write_text("{")
    found = compare(base, sides.read(head.store.root))
    assert found.verdict is Verdict.TOO_LITTLE
    assert found.unmeasured[KEY].startswith(f"its record is damaged: {path}: not a readable record")


def test_the_suite_is_named_and_its_test_cases_have_a_history(base: Side, tmp_path: Path) -> None:
    head = make(tmp_path / "head")
    (head.store.root / "plan.json").write_text(json.dumps({"suite": "smoke", "cells": []}))
    found = compare(base, sides.read(head.store.root))
    assert report.headline(found).startswith("FINE  smoke, head against base: ")
    suite = ElementTree.fromstring(report.junit(found))
    assert suite.get("name") == "smoke"
    told = {p.get("name"): p.get("value") for p in suite.iter("property")}
    assert told == {"verdict": "fine", "head": "head", "base": "base"}


def test_a_cell_that_left_the_plan_is_missing(base: Side, tmp_path: Path) -> None:
    found = compare(base, make(tmp_path / "head", nights.grid(nights.MODELS[1:])))
    assert (found.verdict, set(found.unmeasured)) == (Verdict.TOO_LITTLE, {KEY})


def test_a_cell_left_out_on_purpose_is_told_and_does_not_spoil_the_verdict(base: Side, tmp_path: Path) -> None:
    found = compare(base, make(tmp_path / "head", nights.grid(nights.MODELS[1:]), left_out=[KEY]))
    assert (found.verdict, found.left_out) == (Verdict.FINE, (KEY,))
    assert KEY in report.text(found)


@pytest.mark.parametrize("stale", [{"fingerprint": "0" * 64}, {"provenance": {"started": "2001-01-01T00:00:00+00:00"}}])
def test_a_record_of_another_plan_or_an_earlier_time_is_stale(
    base: Side, tmp_path: Path, stale: dict[str, Any]
) -> None:
    head = make(tmp_path / "head", edit=only(KEY, lambda record: dataclasses.replace(record, **stale)))
    found = compare(base, head)
    assert found.verdict is Verdict.TOO_LITTLE
    assert "stale" in found.unmeasured[KEY]


def test_a_cell_that_diverges_now_is_worse(base: Side, tmp_path: Path) -> None:
    head = make(tmp_path / "head", edit=only(KEY, lambda record: nights.ended(record, Outcome.DIVERGED)))
    assert compare(base, head).verdict is Verdict.WORSE


def test_nothing_finished_is_could_not_run(base: Side, tmp_path: Path) -> None:
    head = make(tmp_path / "head", edit=lambda record: nights.ended(record, Outcome.FAILED))
    assert compare(base, head).verdict is Verdict.COULD_NOT_RUN


def test_other_parameter_counts_are_worse_until_accepted(base: Side, tmp_path: Path) -> None:
    def frozen(record: Record) -> Record:
        assert record.parameters
        return dataclasses.replace(record, parameters=dataclasses.replace(record.parameters, head=0, trainable=10))

    found = compare(base, make(tmp_path / "head", edit=only(KEY, frozen)))
    assert found.verdict is Verdict.WORSE
    assert found.cause
    assert found.cause.stage is Stage.TRAINING


def test_counts_of_one_cell_are_not_told_as_those_of_all(base: Side, tmp_path: Path) -> None:
    def frozen(record: Record) -> Record:
        assert record.parameters
        head = 10 if record.key == KEY else 20
        return dataclasses.replace(record, parameters=dataclasses.replace(record.parameters, trainable=1, head=head))

    def bigger(record: Record) -> Record:
        assert record.parameters
        left = 7 if record.key == KEY else 8
        return dataclasses.replace(record, parameters=dataclasses.replace(record.parameters, trainable=left))

    told = report.text(compare(base, make(tmp_path / "alike", edit=frozen)))
    assert " to 1 (6 of the 6 cells behind the alarms)" in told
    told = report.text(compare(base, make(tmp_path / "unlike", edit=bigger)))
    assert " to 8, in parity/m1/fake and 4 more (6 of the 6 cells behind the alarms)" in told


def slowed(factor: float) -> Callable[[Record], Record]:
    def slow(record: Record) -> Record:
        assert record.cost
        speed = (record.cost.examples_per_second or 0) / factor
        return dataclasses.replace(record, cost=dataclasses.replace(record.cost, examples_per_second=speed))

    return slow


def test_the_same_results_at_less_than_half_the_speed_are_slower(base: Side, tmp_path: Path) -> None:
    assert compare(base, make(tmp_path / "head", edit=slowed(2.5))).verdict is Verdict.SLOWER


def test_answering_that_takes_longer_is_slower_though_training_is_not(base: Side, tmp_path: Path) -> None:
    def answering(seconds: float) -> Callable[[Record], Record]:
        def edit(record: Record) -> Record:
            trials, finals = ([dataclasses.replace(training, evaluate_seconds=seconds) for training in trainings]
                              for trainings in (record.trials, record.finals))
            return dataclasses.replace(record, trials=tuple(trials), finals=tuple(finals))

        return edit

    before = make(tmp_path / "base", edit=answering(1.0))
    same, slow, short = (make(tmp_path / f"{seconds}", edit=answering(seconds)) for seconds in (1.5, 5.0, 0.01))
    assert compare(before, same).verdict is Verdict.FINE
    found = compare(before, slow)
    assert found.verdict is Verdict.SLOWER
    assert [alarm.says.partition(",")[0] for alarm in found.alarms] == ["time an answer times 5.00"]
    assert "time an answer" not in {change.cost for change in compare(short, slow).costs}, "too short to be told"


def test_steady_earlier_nights_teach_a_narrower_band(base: Side, tmp_path: Path) -> None:
    earlier = [make(tmp_path / str(n), edit=slowed(1 + 0.01 * (n % 3))) for n in range(8)]
    head = make(tmp_path / "head", edit=slowed(1.3))
    assert compare(base, head).verdict is Verdict.FINE
    assert compare(base, head, earlier).verdict is Verdict.SLOWER


def test_nights_that_already_differ_widen_the_band_before_it_is_learnt(base: Side, tmp_path: Path) -> None:
    earlier = [make(tmp_path / str(n), edit=slowed(factor)) for n, factor in enumerate((1.0, 2.8))]
    head = make(tmp_path / "head", edit=slowed(2.5))
    assert compare(base, head, earlier[:1]).verdict is Verdict.SLOWER
    assert compare(base, head, earlier).verdict is Verdict.FINE


def test_fine_says_what_would_have_been_told(base: Side, tmp_path: Path) -> None:
    told = report.text(compare(base, make(tmp_path / "same")))
    assert told.endswith("Every answer is the same as in the base.")
    found = compare(base, make(tmp_path / "other", learner=partial(NoisyLearner, salt="other")))
    said = report.advice(found)
    assert said.startswith("6 cells moved, by no more than chance would. A change of ")
    assert f"{found.sight[0]:.1f} points over all moved cells or of {found.sight[1]:.1f} points in the median" in said


def test_fine_with_one_seed_says_that_no_cell_was_judged_alone(tmp_path: Path) -> None:
    budget = dataclasses.replace(nights.BUDGET, seeds=(1,))
    planned = [dataclasses.replace(cell, budget=budget) for cell in nights.grid()]
    base = make(tmp_path / "base", planned)
    found = compare(base, make(tmp_path / "head", planned, learner=partial(NoisyLearner, salt="other")))
    assert found.verdict is Verdict.FINE
    blind = " None of them can be judged alone: one seed does not tell how much is chance."
    assert report.advice(found).endswith(blind)


def test_another_machine_has_no_comparable_cost(base: Side, tmp_path: Path) -> None:
    head = make(tmp_path / "head", edit=slowed(3.0), history={"processor": "another"})
    assert compare(base, head).costs == ()


def test_a_training_loss_that_rose_is_worse_though_scores_did_not_move(base: Side, tmp_path: Path) -> None:
    found = compare(base, make(tmp_path / "head", learner=partial(NoisyLearner, loss=1.2)))
    assert found.verdict is Verdict.WORSE
    assert {alarm.kind for alarm in found.alarms} == {Kind.LOSS}
    assert found.cause
    assert found.cause.stage is Stage.TRAINING


def test_losses_that_rise_everywhere_are_an_alarm_with_one_seed(tmp_path: Path) -> None:
    budget = dataclasses.replace(nights.BUDGET, seeds=(1,))
    planned = [dataclasses.replace(cell, budget=budget) for cell in nights.grid()]
    base = make(tmp_path / "base", planned)
    found = compare(base, make(tmp_path / "head", planned, learner=partial(NoisyLearner, loss=1.2)))
    assert [(alarm.kind, alarm.scope) for alarm in found.alarms][:1] == [(Kind.LOSS, "all cells")]


def test_one_seed_without_a_history_cannot_tell(tmp_path: Path) -> None:
    budget = dataclasses.replace(nights.BUDGET, seeds=(1,))
    planned = [dataclasses.replace(cell, budget=budget) for cell in nights.grid(nights.MODELS[:2])]
    head = make(tmp_path / "head", planned, learner=partial(NoisyLearner, salt="other"))
    found = compare(make(tmp_path / "base", planned), head)
    assert found.verdict is Verdict.TOO_LITTLE
    assert "seeds" in next(iter(found.unmeasured.values()))


def test_every_verdict_has_an_exit_code_of_its_own() -> None:
    assert set(EXIT) == set(Verdict)
    assert len(set(EXIT.values())) == len(Verdict)
    assert not set(EXIT.values()) & {1, 2, 3, 130}


def test_the_command_shows_the_verdict_exits_with_it_and_writes_its_files(
    base: Side, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path / "head", learner=partial(NoisyLearner, worse=0.4))
    line = ["compare", str(base.store.root), str(tmp_path / "head"), "--out", str(tmp_path / "said")]
    assert main(line) == EXIT[Verdict.WORSE]
    assert capsys.readouterr().out.startswith("WORSE")
    suite = JUnitXml.fromfile(str(tmp_path / "said" / "verdict.xml"))
    assert suite.failures >= len(nights.MODELS)
    assert {case.name for part in suite for case in part} >= {f"{name}/fake" for name in nights.MODELS}
    told = json.loads((tmp_path / "said" / "verdict.json").read_text())
    assert (told["verdict"], told["exit_code"]) == ("worse", 11)
    assert "## Worse" in (tmp_path / "said" / "verdict.md").read_text()
    assert main([*line, "--json"]) == EXIT[Verdict.WORSE]
    assert json.loads(capsys.readouterr().out)["verdict"] == "worse"


def test_seeds_that_agree_by_chance_are_not_taken_for_certainty(base: Side, tmp_path: Path) -> None:
    def agree(score: float) -> Callable[[Record], Record]:
        def edit(record: Record) -> Record:
            finals = tuple(
                dataclasses.replace(t, scores={**(t.scores or {}), record.metric: score}, answers=f"{score}{t.seed}")
                for t in record.finals
            )
            return dataclasses.replace(record, finals=finals, score=score)

        return edit

    rows = next(iter(base.records.values())).data
    assert rows
    one = nights.grid(nights.MODELS[:1])
    before = make(tmp_path / "base", one, edit=agree(90.0))
    learner = partial(NoisyLearner, loss=1.00001)
    heads = {count: agree(90.0 - 100 * count / rows.test) for count in (1, 6)}
    row, many = (compare(before, make(tmp_path / f"{n}", one, learner=learner, edit=edit)) for n, edit in heads.items())
    assert (row.verdict, many.verdict) == (Verdict.FINE, Verdict.WORSE)
    assert row.cells[0].finding
    assert row.cells[0].finding.p > 0.01


def test_a_cause_tells_the_earlier_of_two_stages_and_counts_the_other(base: Side, tmp_path: Path) -> None:
    def edit(record: Record) -> Record:
        assert record.parameters
        assert record.data
        data = dataclasses.replace(record.data, learnt="0" * 64, revision="later")
        parameters = dataclasses.replace(record.parameters, total=7)
        return dataclasses.replace(record, parameters=parameters, data=data if record.key in last else record.data)

    last = sorted(base.records)[-3:]
    found = compare(base, make(tmp_path / "head", edit=edit))
    assert found.cause
    assert (found.cause.stage, found.cause.cells, found.cause.others) == (Stage.DATA, 3, {"training": 3})
    assert "(3 of the 6 cells behind the alarms; training first in 3)" in report.text(found)


def test_losses_that_only_drift_are_not_named_as_what_moved(base: Side, tmp_path: Path) -> None:
    found = compare(base, make(tmp_path / "head", learner=partial(NoisyLearner, worse=0.4, loss=1.00002)))
    assert found.cause
    assert (found.cause.stage, found.cause.sure) == (Stage.EVALUATION, False)
    assert "no more than rounding" in found.cause.what


def test_a_cell_that_diverges_tells_why(base: Side, tmp_path: Path) -> None:
    head = make(tmp_path / "head", edit=only(KEY, lambda record: nights.ended(record, Outcome.DIVERGED)))
    (alarm,) = compare(base, head).alarms
    assert alarm.says == "was scored and is diverged: it ended so"


def test_junit_of_runs_without_cells_is_no_success(tmp_path: Path) -> None:
    for name in ("base", "head"):
        (tmp_path / name).mkdir()
    found = compare(sides.read(tmp_path / "base"), sides.read(tmp_path / "head"))
    assert found.verdict is Verdict.TOO_LITTLE
    assert JUnitXml.fromstring(report.junit(found).encode()).errors == 1


def test_a_directory_that_is_no_run_or_has_no_nights_is_refused(
    base: Side, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(base.store.root)
    assert main(["compare", run, str(tmp_path)]) == 2
    assert "holds no run: there are neither records nor a plan" in capsys.readouterr().err
    assert main(["compare", run, run, "--history", str(tmp_path / "nowhere")]) == 2
    assert "holds no nights" in capsys.readouterr().err
