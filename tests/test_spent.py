"""Where the time of a cell goes is counted by part where it is asked for, and shown; else nothing is counted."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from bench import catalog, plan, run, spent
from bench.commands.request import with_budget
from bench.record import Record, Spent, from_json, to_json
from bench.store import Store
from leaderboard import single, spending
from tests import fake_records

SMALL = {"trials": 1, "seeds": (1,), "epochs": 1, "batch_size": 4, "train_size": 32, "validation_size": 8,
         "test_size": 8, "evaluations": 1}


def made(out: Path, profile: str | None, workers: int = 0) -> Record:
    suite = with_budget(catalog.suite("smoke"), SMALL)
    asked = plan.make(suite, plan.Request(tasks=("sentiment",), models=("bert-mini",), methods=("full",)))
    summary = run.run(asked, out, workers=workers, profile=profile)
    assert summary.exit_code == 0
    return Store(out).records()[0]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Record, Path]:
    out = tmp_path_factory.mktemp("traced")
    return made(out, "trace"), out


class Hands:
    """The hands of a clock that go on only when they are told to."""

    def __init__(self) -> None:
        self.wall = self.processor = 0.0

    def __call__(self) -> tuple[float, float]:
        return self.wall, self.processor

    def work(self, seconds: float) -> None:
        self.wall += seconds
        self.processor += seconds


def test_time_inside_a_part_of_a_part_counts_once() -> None:
    hands = Hands()
    clock = spent.Clock(now=hands)
    with spent.measured(clock), spent.part("evaluation"):
        hands.work(2.0)
        with spent.part("forward"):
            hands.work(5.0)
        hands.work(1.0)
    assert clock.stop() == {"forward": Spent(5.0, 5.0), "evaluation": Spent(3.0, 3.0), "rest": Spent(0.0, 0.0)}


def test_waiting_is_wall_time_without_processor_time() -> None:
    hands = Hands()
    clock = spent.Clock(now=hands)
    with spent.measured(clock), spent.part("data"):
        hands.wall += 4.0
        hands.work(1.0)
    assert clock.stop()["data"] == Spent(5.0, 1.0)


def test_parts_add_up_to_all_the_time_that_passed() -> None:
    hands = Hands()
    clock = spent.Clock(now=hands)
    with spent.measured(clock):
        for name in ("forward", "backward", "forward"):
            hands.work(0.5)
            with spent.part(name):
                hands.work(1.0)
    assert sum(found.seconds for found in clock.stop().values()) == hands.wall == 4.5


def test_a_part_that_fails_is_left_again() -> None:
    clock = spent.Clock()
    with spent.measured(clock):
        with pytest.raises(ValueError, match="no"), spent.part("forward"):
            raise ValueError("no")
        with spent.part("data"):
            pass
    assert set(clock.stop()) == {"rest", "forward", "data"}


def test_without_a_clock_every_part_is_the_same_empty_context() -> None:
    assert spent.part("forward") is spent.part("backward")
    assert spent.clock() is None


def test_a_device_is_waited_for_at_the_ends_of_parts() -> None:
    waits: list[int] = []
    clock = spent.Clock(settle=lambda: waits.append(1))
    with spent.measured(clock), spent.part("forward"):
        assert len(waits) == 1
    assert len(waits) == 2


def test_profile_puts_the_parts_of_a_training_into_the_record(traced: tuple[Record, Path]) -> None:
    record, _ = traced
    assert {"forward", "backward", "optimizer", "data", "set-up", "search", "evaluation"} <= set(record.spent)
    total = sum(found.seconds for found in record.spent.values())
    assert record.cost is not None
    assert total >= 0.95 * record.cost.seconds
    assert all(found.seconds >= 0 for found in record.spent.values())


def test_a_worker_process_measures_too_and_its_record_has_what_it_found(tmp_path: Path) -> None:
    record = made(tmp_path, "times", workers=1)
    assert {"forward", "backward", "optimizer", "evaluation"} <= set(record.spent)
    assert record.cost is not None
    assert sum(found.seconds for found in record.spent.values()) >= 0.95 * record.cost.seconds


def test_measuring_changes_no_result(traced: tuple[Record, Path], tmp_path: Path) -> None:
    plain = made(tmp_path, None)
    assert plain.spent == {}
    assert plain.finals[0].answers == traced[0].finals[0].answers
    assert [p.loss for p in plain.finals[0].curve] == [p.loss for p in traced[0].finals[0].curve]


def test_trace_of_some_steps_lies_beside_the_study(traced: tuple[Record, Path]) -> None:
    _, out = traced
    events = json.loads((out / "studies/sentiment/bert-mini/full.trace.json").read_text())["traceEvents"]
    assert any("aten::linear" in str(event.get("name")) for event in events)
    assert sum(str(event.get("name")).startswith("ProfilerStep") for event in events) >= 5


def test_record_with_times_reads_back_as_it_was(traced: tuple[Record, Path]) -> None:
    record, _ = traced
    assert from_json(Record, json.loads(json.dumps(to_json(record)))) == record


def test_show_tells_parts_the_share_of_work_and_the_waiting() -> None:
    record = dataclasses.replace(
        fake_records.record("ner", "bert-mini", "full"), provenance={"device": "cpu"},
        spent={"forward": Spent(6.0, 5.0), "backward": Spent(2.0, 2.0), "set-up": Spent(2.0, 1.5)},
    )
    lines = [" ".join(line.split()) for line in single.render(record).splitlines()]
    assert "forward 6.0 s 60%" in lines
    assert "the work itself 80% (forward, backward, optimizer, generation)" in lines
    assert "waiting 1.5 s without a processor, in all parts" in lines
    assert [part.name for part in spending.parts(record)] == ["forward", "backward", "set-up"]


def test_nothing_is_shown_of_a_run_that_did_not_measure() -> None:
    record = fake_records.record("ner", "bert-mini", "full")
    assert spending.parts(record) == []
    assert spending.work(record) is None
    assert "where the time went" not in single.render(record)
