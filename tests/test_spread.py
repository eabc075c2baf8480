"""Trials in a database: the same as with a journal where one worker runs them, and each run once where several do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import run as runs
from bench import spread, tune
from bench.errors import RequestError, StoreError
from bench.plan import Plan
from bench.record import Point, Training
from bench.store import Store
from tests import fakes, mysql, postgres
from tests.test_tune import BUDGET, CHOICES, RATES, Interrupted, Trainer

NAME = "cell 1234"
ROOT = Path(__file__).resolve().parents[1]
TRIALS = 7


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'trials.db'}"


@pytest.fixture(scope="module")
def _postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed: pip install psycopg[binary]")
    if postgres.programs() is None:
        pytest.skip("there is no PostgreSQL server here: apt-get install postgresql")
    with postgres.server(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(scope="module")
def _mysql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("pymysql", reason="the MySQL driver is not installed: pip install pymysql")
    if not mysql.programs():
        pytest.skip("there is no MySQL server here: apt-get install mariadb-server")
    with mysql.server(tmp_path_factory.mktemp("mysql")) as url:
        yield url


@pytest.fixture(params=["_postgres", "_mysql"])
def server(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def journal(tmp_path: Path, **options: Any) -> list[Training]:
    trials: list[Training] = []
    tune.search(tmp_path / "s.journal", NAME, RATES, BUDGET, Trainer(), lambda t, _: trials.append(t), **options)
    return trials


def shared(url: str, trainer: Trainer, name: str = NAME, **options: Any) -> list[Training]:
    trials: list[Training] = []
    spread.search(url, name, RATES, BUDGET, trainer, lambda t, _: trials.append(t), **options)
    return sorted(trials, key=lambda trial: trial.number)


@pytest.mark.parametrize("options", [{}, {"choices": CHOICES}, {"higher_is_better": False}])
def test_one_worker_finds_what_it_finds_with_a_journal(tmp_path: Path, sqlite: str, options: Any) -> None:
    assert shared(sqlite, Trainer(), **options) == journal(tmp_path, **options)


def test_finished_trials_are_not_run_again(tmp_path: Path, sqlite: str) -> None:
    first, again = shared(sqlite, Trainer()), Trainer()
    assert shared(sqlite, again) == first
    assert again.rates == []


@pytest.mark.parametrize("stop_at", [0, 2, 5])
def test_the_trial_of_a_dead_worker_is_taken_up(
    tmp_path: Path, sqlite: str, stop_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spread, "BEAT", 1)
    monkeypatch.setattr(spread, "SILENCE", 2)
    monkeypatch.setattr(spread, "POLL", 0.1)
    with pytest.raises(Interrupted):
        shared(sqlite, Trainer(stop_at=stop_at))
    time.sleep(4)  # else the others would be run before it, and their proposals without it
    again = Trainer()
    assert shared(sqlite, again) == journal(tmp_path)
    assert len(again.rates) == TRIALS - stop_at


def test_a_trial_without_any_sign_of_life_is_taken_up_too(
    tmp_path: Path, sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its worker died between taking it and the first sign."""
    monkeypatch.setattr(spread, "SILENCE", 1)
    monkeypatch.setattr(spread, "POLL", 0.1)

    def dies(*_: Any) -> Any:
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(spread, "_beating", dies)
        with pytest.raises(Interrupted):
            shared(sqlite, Trainer())
    trials = shared(sqlite, Trainer())
    assert [trial.number for trial in trials] == list(range(TRIALS))
    assert [trial.rate for trial in trials[:3]] == [trial.rate for trial in journal(tmp_path)[:3]]


def test_two_trials_of_one_slot_leave_one(tmp_path: Path, sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers that found the same slot free have both put a trial in."""
    free = spread._Search._free

    def twice(search: spread._Search) -> int | None:
        found = free(search)
        if found is not None:
            search.study.enqueue_trial({}, user_attrs={spread.SLOT: found})
        return found

    monkeypatch.setattr(spread, "POLL", 0.0)
    monkeypatch.setattr(spread._Search, "_free", twice)
    trainer = Trainer()
    trials = shared(sqlite, trainer)
    assert [trial.number for trial in trials] == list(range(TRIALS))
    assert len(trainer.rates) == TRIALS


def test_a_cell_finds_the_same_in_a_database(tmp_path: Path, sqlite: str) -> None:
    made = Plan("test", (fakes.cell(fakes.write_files(tmp_path / "data"), "a"),))
    found = []
    for place, storage in (("one", None), ("two", sqlite), ("three", sqlite)):
        runs.run(made, tmp_path / place, learner="tests.fakes:open_learner", workers=0, storage=storage)
        found.append([fakes.lasting(record) for record in Store(tmp_path / place).records()])
    assert found[0] == found[1] == found[2]
    assert not list((tmp_path / "two").rglob("*.journal"))


@pytest.mark.parametrize("url", ["trials.db", "ftp://somebody:a-secret@host/x", "postgresql:/host"])
def test_what_names_no_database_is_refused_without_its_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(RequestError, match="write the URL of a database") as caught:
        spread.checked(url)
    assert "a-secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["postgresql://somebody:a-secret@host/x", "postgresql://somebody:a-secret/y@host/x",
     "postgresql://host/x?user=somebody&password=a-secret"],
)
def test_a_password_is_refused_where_it_would_be_written_to_files(url: str) -> None:
    assert spread.checked(url).startswith("postgresql+psycopg://")
    assert spread.checked("postgresql://somebody@host:5432/x", written_down=True)
    with pytest.raises(RequestError, match="Leave it out") as caught:
        spread.checked(url, written_down=True)
    assert "a-secret" not in str(caught.value)


def test_a_database_that_cannot_be_had_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("psycopg")
    monkeypatch.setattr(spread, "TRIES", 1)
    with pytest.raises(StoreError, match="cannot be used") as caught:
        shared("postgresql://somebody:a-secret@127.0.0.1:1/none", Trainer())
    assert "127.0.0.1" in str(caught.value)
    assert "a-secret" not in str(caught.value)


# -- A real server --

SCRIPT = """
import os, sys, time
from pathlib import Path
from bench import spread
from tests.test_spread import RATES, BUDGET, Slow
spread.BEAT, spread.SILENCE, spread.POLL = 1, 3, 0.1
spread.search(sys.argv[1], sys.argv[2], RATES, BUDGET, Slow(Path(sys.argv[3])), lambda *_: None)
"""


class Slow(Trainer):
    """Takes half a second for a trial, and notes each beginning and end in a file."""

    def __init__(self, log: Path) -> None:
        super().__init__()
        self.log = log

    def __call__(self, number: int, rate: float, choice: tune.Choice, go_on: Callable[[Point], bool]) -> Training:
        with self.log.open("a") as file:
            file.write(f"begin {number} {os.getpid()}\n")
        time.sleep(0.5)
        found = super().__call__(number, rate, choice, go_on)
        with self.log.open("a") as file:
            file.write(f"end {number} {os.getpid()}\n")
        return found


def workers(url: str, name: str, log: Path, count: int) -> list[subprocess.Popen[str]]:
    command = [sys.executable, "-c", SCRIPT, url, name, str(log)]
    return [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(count)]


def ends(log: Path) -> list[int]:
    lines = log.read_text().splitlines() if log.exists() else []
    return sorted(int(line.split()[1]) for line in lines if line.startswith("end"))


@pytest.mark.faults
def test_a_servers_trials_are_those_of_a_journal(tmp_path: Path, server: str) -> None:
    assert shared(server, Trainer(), "alone") == [*_renamed(tmp_path, "alone")]


def _renamed(tmp_path: Path, name: str) -> list[Training]:
    trials: list[Training] = []
    tune.search(tmp_path / "s.journal", name, RATES, BUDGET, Trainer(), lambda t, _: trials.append(t))
    return trials


@pytest.mark.faults
def test_workers_that_begin_at_once_run_every_trial_once(tmp_path: Path, server: str) -> None:
    log = tmp_path / "log"
    for child in workers(server, "together", log, 4):
        _, said = child.communicate(timeout=180)
        assert child.returncode == 0, said[-2000:]
        assert postgres.PASSWORD not in said
    assert ends(log) == list(range(TRIALS))
    assert len({line.split()[2] for line in log.read_text().splitlines()}) > 1
    found = shared(server, Trainer(stop_at=0), "together")
    assert [trial.rate for trial in found[: tune.STRATA]] == pytest.approx(tune.first_rates(RATES, tune.STRATA))


@pytest.mark.faults
def test_workers_that_are_killed_lose_no_trial_and_repeat_none_that_ended(tmp_path: Path, server: str) -> None:
    log = tmp_path / "log"
    for _ in range(5):
        (child,) = workers(server, "killed", log, 1)
        before = log.read_text().count("begin") if log.exists() else 0
        deadline = time.monotonic() + 60
        while not (log.exists() and log.read_text().count("begin") > before) and time.monotonic() < deadline:
            time.sleep(0.05)
        child.send_signal(signal.SIGKILL)
        child.wait()
    (last,) = workers(server, "killed", log, 1)
    _, said = last.communicate(timeout=180)
    assert last.returncode == 0, said[-2000:]
    trials = shared(server, Trainer(stop_at=0), "killed")
    assert [trial.number for trial in trials] == list(range(TRIALS))
    assert ends(log) == list(range(TRIALS))
    # later ones depend on which trials were finished when they were proposed: those of the dead wait for silence
    assert [trial.rate for trial in trials[: tune.STRATA]] == pytest.approx(tune.first_rates(RATES, tune.STRATA))
