"""Several machines on one shared directory of a real network file system: each cell is made once, none is lost."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import pytest

from bench import claims
from tests import fakes
from tests.machines import MISSING, Machine, machines, programs
from tests.test_claims import ROOT, RUN
from tests.test_run import plan, results, run, wait_for

pytestmark = [pytest.mark.faults, pytest.mark.skipif(not programs(), reason=MISSING)]

MODELS = tuple(f"m{number:02}" for number in range(24))


@pytest.fixture
def two(tmp_path: Path) -> Iterator[list[Machine]]:
    """Two machines, and the task's data in the directory that they share."""
    with machines(tmp_path, ("first", "second")) as made:
        fakes.write_files(made[0].mount / "data")
        yield made


def begin(machine: Machine, log: Path) -> Popen[str]:
    """The run's command on this machine, which writes down each cell that it makes."""
    shared = machine.shared
    command = [sys.executable, "-c", RUN, str(shared / "data"), str(shared / "out"), ",".join(MODELS)]
    return machine.start(command, {"BENCH_TEST_LOG": str(log), "BENCH_TEST_PAUSE": "0.02"}, ROOT)


def undisturbed(tmp_path: Path) -> dict[str, object]:
    """The results of one run on one machine, whose data lie at the same path, which is in the records."""
    run(plan(tmp_path / "shared" / "data", MODELS), tmp_path / "undisturbed")
    return results(tmp_path / "undisturbed")


def test_a_second_machine_that_joins_makes_what_the_first_has_not_begun(two: list[Machine], tmp_path: Path) -> None:
    logs = [tmp_path / f"{machine.name}.made" for machine in two]
    running = [begin(machine, log) for machine, log in zip(two, logs, strict=True)]
    said = [child.communicate(timeout=180)[0] for child in running]
    assert [child.returncode for child in running] == [0, 0], said
    made = [log.read_text().split() for log in logs]
    assert all(made), "both had a part in it"
    assert Counter([*made[0], *made[1]]) == dict.fromkeys(MODELS, 1), made
    out = two[0].mount / "out"
    assert results(out) == undisturbed(tmp_path)
    assert not (out / claims.FOLDER).exists()


def test_what_a_machine_was_making_when_it_lost_its_power_the_other_makes(two: list[Machine], tmp_path: Path) -> None:
    logs = [tmp_path / f"{machine.name}.made" for machine in two]
    running = [begin(machine, log) for machine, log in zip(two, logs, strict=True)]
    wait_for(lambda: all(log.exists() and len(log.read_text().split()) >= 3 for log in logs))
    two[1].lose(running[1])
    said = running[0].communicate(timeout=180)[0]
    assert running[0].returncode == 0, said
    made = Counter(logs[0].read_text().split() + logs[1].read_text().split())
    again = {model: count for model, count in made.items() if count > 1}
    assert set(made) == set(MODELS)
    assert len(again) <= 2, f"no more than what its two workers had in hand: {again}"
    assert results(two[0].mount / "out") == undisturbed(tmp_path)
