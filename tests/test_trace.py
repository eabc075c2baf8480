"""What moved first: each trace by itself, in the order in which things happen."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from bench.record import Checkpoint, Data, Point, Record, Training
from leaderboard.compare import attributed
from leaderboard.trace import Stage, environment_changes, first_moved
from tests import fake_records

DATA = Data("bundled", "tasks.corpora.ner", "ab" * 32, None, 10, 5, 5, learnt="l" * 64, asked="a" * 64)


def training(number: int, loss: float = 0.5, validation: float = 80.0, answers: str | None = None) -> Training:
    curve = (Point(10, 1.0, loss, validation, 1.0), Point(20, 2.0, loss / 2, validation, 2.0))
    return Training(number, 1e-3, number, "COMPLETE", validation, 20, curve, 20, 160, 900, 1.0, 0.1,
                    scores={"entity_f1": 70.0} if answers else None, answers=answers)


RECORD = dataclasses.replace(
    fake_records.record("ner", "bert-mini", "full"), data=DATA, trials=(training(0),),
    finals=(training(1, answers="x"), training(2, answers="y")),
)


def replaced(**changes: object) -> Record:
    return dataclasses.replace(RECORD, **changes)  # type: ignore[arg-type]


def data(**changes: str) -> Callable[[], Record]:
    return lambda: replaced(data=dataclasses.replace(DATA, **changes))  # type: ignore[arg-type]


CASES: dict[str, tuple[Callable[[], Record], Stage]] = {
    "rows learnt from": (data(learnt="m" * 64), Stage.DATA),
    "test rows": (data(asked="b" * 64, learnt="l" * 64), Stage.DATA),
    "weights": (lambda: replaced(checkpoint=Checkpoint("bench/checkpoints/bert-mini", None, "ee" * 32)),
                Stage.CHECKPOINT),
    "budget": (lambda: replaced(budget={**RECORD.budget, "epochs": 9}), Stage.BUDGET),
    "loss": (lambda: replaced(trials=(training(0, loss=0.6),)), Stage.TRAINING),
    "validation": (lambda: replaced(trials=(training(0, validation=79.0),)), Stage.EVALUATION),
    "answers": (lambda: replaced(finals=(training(1, answers="z"), training(2, answers="y"))), Stage.EVALUATION),
    "scores": (lambda: replaced(finals=(dataclasses.replace(training(1, answers="x"), scores={"entity_f1": 60.0}),
                                        training(2, answers="y"))), Stage.EVALUATION),
}


@pytest.mark.parametrize("name", CASES)
def test_each_trace_is_seen_and_named(name: str) -> None:
    change, stage = CASES[name]
    moved = first_moved(RECORD, change())
    assert moved is not None
    assert moved.stage is stage


def test_nothing_moved_between_a_record_and_itself() -> None:
    assert first_moved(RECORD, RECORD) is None


def test_an_earlier_trace_is_named_before_a_later_one() -> None:
    both = replaced(trials=(training(0, loss=0.6, validation=70.0),))
    moved = first_moved(RECORD, both)
    assert moved is not None
    assert moved.stage is Stage.TRAINING
    assert "trial 0 by step 10" in moved.what


def test_what_an_older_record_does_not_know_is_no_difference() -> None:
    assert first_moved(replaced(data=dataclasses.replace(DATA, learnt=None, asked=None)), RECORD) is None


def test_the_same_rows_from_a_changed_source_are_no_difference() -> None:
    assert first_moved(RECORD, data(sha256="cd" * 32)()) is None


def test_a_loss_that_drifts_by_rounding_blames_what_came_after() -> None:
    moved = first_moved(RECORD, replaced(trials=(training(0, loss=0.5 * (1 + 1e-5)),)))
    assert moved is not None
    assert attributed(moved, loss_moved=False) == (Stage.EVALUATION, False)
    assert attributed(moved, loss_moved=True) == (Stage.TRAINING, True)


def test_an_evaluation_after_a_loss_that_differs_in_its_last_digits_is_not_blamed_for_sure() -> None:
    for loss, sure in ((0.5, True), (0.5 * (1 + 1e-9), False)):
        moved = first_moved(RECORD, replaced(trials=(training(0, loss=loss, validation=1.0),)))
        assert moved is not None
        assert attributed(moved, loss_moved=False) == (Stage.EVALUATION, sure)


def test_revisions_that_differ_are_listed() -> None:
    told = environment_changes(data(revision="v1")(), data(revision="v2", sha256="cd" * 32)())
    assert [words.partition(" ")[2].partition(" ")[2] for words in told] == ["v1 to v2"]


def test_packages_and_machines_that_differ_are_listed() -> None:
    later = {**RECORD.provenance, "packages": {"torch": "2.14.0", "transformers": "5.23.0"}, "python": "3.13.0"}
    assert environment_changes(RECORD, replaced(provenance=later)) == ("torch 2.13.0 to 2.14.0",
                                                                       "python 3.12.4 to 3.13.0")


def test_a_changed_data_revision_is_named() -> None:
    moved = first_moved(data(revision="v1")(), data(revision="v2", learnt="m" * 64, sha256="cd" * 32)())
    assert moved is not None
    assert "(revision v1 to v2)" in moved.what
