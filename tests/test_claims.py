"""Several runs in one directory: each cell is made once, and nobody waits for the dead."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bench import claims
from bench import run as runs
from bench.errors import RequestError, StoreError
from bench.plan import Plan
from bench.record import Outcome
from bench.store import Store
from bench.tally import Event, Kind
from tests import fakes
from tests.test_run import plan, processes, results, run, wait_for

ROOT = Path(__file__).resolve().parent.parent
MODELS = tuple(f"m{number}" for number in range(8))

RUN = """
import sys
from pathlib import Path
from bench.plan import Plan
from tests import fakes
from tests.test_run import run
if __name__ == "__main__":
    made = Plan("test", tuple(fakes.cell(Path(sys.argv[1]), model) for model in sys.argv[3].split(",")))
    summary = run(made, Path(sys.argv[2]), "open_logged", 2)
    print(summary.ran - summary.elsewhere, summary.elsewhere, summary.exit_code)
"""

HOLD = """
import sys, time
from pathlib import Path
from bench import claims
with claims.present(Path(sys.argv[1])), claims.claim(Path(sys.argv[2])) as mine:
    print(mine, flush=True)
    time.sleep(60)
"""


def start(script: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Python code in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, env={**os.environ, **environment}, text=True,
        stdout=subprocess.PIPE,
    )


@contextmanager
def holder(out: Path, model: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has claimed a cell, and does not end by itself."""
    child = start(HOLD, str(out), str(out / "claims" / "parity" / model / "fake"))
    assert child.stdout is not None
    assert child.stdout.readline() == "True\n"
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def test_two_runs_at_once_make_each_cell_once(tmp_path: Path) -> None:
    """Each ends when all cells are done, and both know all of them."""
    data, out, log = tmp_path / "data", tmp_path / "out", tmp_path / "log"
    fakes.write_files(data)
    running = [
        start(RUN, str(data), str(out), ",".join(MODELS), BENCH_TEST_LOG=str(log), BENCH_TEST_PAUSE="0.05")
        for _ in range(2)
    ]
    ends = [child.communicate(timeout=60)[0].split() for child in running]
    assert [child.returncode for child in running] == [0, 0]
    assert Counter(log.read_text().split()) == dict.fromkeys(MODELS, 1)
    assert sum(int(here) for here, _, _ in ends) == len(MODELS)
    run(plan(data, MODELS), tmp_path / "undisturbed")
    assert results(out) == results(tmp_path / "undisturbed")
    assert not (out / claims.FOLDER).exists()


def test_a_run_waits_for_a_cell_that_is_made_elsewhere_and_makes_it_itself_if_its_maker_dies(tmp_path: Path) -> None:
    made, out = plan(tmp_path / "data"), tmp_path / "out"
    told: list[Event] = []
    with holder(out, "b") as child:

        def watch(event: Event) -> None:
            told.append(event)
            if event.note:
                child.kill()

        store = Store(out)
        store.write_plan(made.dumps())
        assert run(made, out, workers=1, events=watch).outcomes == {Outcome.OK: 3}
    assert [event.note for event in told if event.note] == ["1 cell left, being made by another run: waiting for it"]
    assert [event.key for event in told if event.kind is Kind.HELD] == ["parity/b/fake"]
    assert max(event.elsewhere for event in told) == 1
    assert told[-1].elsewhere == 0


def test_a_cell_that_another_run_finished_is_not_made_again_even_if_it_failed(tmp_path: Path) -> None:
    made, out = plan(tmp_path / "data", ("broken", "good")), tmp_path / "out"

    def other(event: Event) -> None:
        if event.kind is Kind.PLANNED:
            run(made, out, "open_moody")

    summary = run(made, out, "does_not_exist", events=other)
    assert (summary.ran, summary.elsewhere, summary.outcomes) == (2, 2, {Outcome.OK: 1, Outcome.FAILED: 1})


def test_who_is_not_alone_leaves_half_written_files_to_their_writers(tmp_path: Path) -> None:
    made, out = plan(tmp_path / "data", ("a",)), tmp_path / "out"
    left = out / "records" / "parity" / "a" / ".fake.json.12345678.tmp"
    with holder(out, "b"):
        Store(out).write_plan(made.dumps())
        left.parent.mkdir(parents=True)
        left.touch()
        run(made, out)
        assert left.exists()
    run(made, out)
    assert not left.exists()


def during(made: Plan, other: Plan, out: Path) -> list[str]:
    """The models in the directory's plan while `made` is run, after `other` was run there meanwhile."""
    seen: list[str] = []

    def again(event: Event) -> None:
        if event.kind is Kind.PLANNED:
            run(other, out)
            seen.extend(cell["model"]["name"] for cell in json.loads(Store(out).read_plan())["cells"])

    run(made, out, events=again)
    return seen


def test_runs_of_different_cells_share_a_directory_and_its_plan_names_all_of_them(tmp_path: Path) -> None:
    both = plan(tmp_path / "data", ("a", "b", "c"))
    assert during(Plan("x", both.cells[:2]), Plan("y", both.cells[1:]), tmp_path / "out") == ["a", "b", "c"]
    assert len(Store(tmp_path / "out").records()) == 3


def test_a_run_that_means_something_else_by_a_cell_is_refused_while_the_other_lasts(tmp_path: Path) -> None:
    made, out = plan(tmp_path / "data"), tmp_path / "out"
    changed = Plan("y", (replace(made.cells[0], budget=replace(fakes.BUDGET, trials=2)),))
    with pytest.raises(RequestError, match="another run in this directory is making parity/a/fake from other data"):
        during(made, changed, out)
    assert run(changed, out).ran == 1


def test_a_file_system_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(StoreError, match=r"has no locks \(flock: No locks available\).*by --out"):
        runs.run(plan(tmp_path / "data"), tmp_path / "out", workers=0)


def test_a_turn_is_waited_for(tmp_path: Path) -> None:
    script = "import sys, time; from pathlib import Path; from bench import claims\n"
    script += "with claims.turn(Path(sys.argv[1]), 'publish'): print('in', flush=True); time.sleep(1)"
    with start(script, str(tmp_path)) as child:
        assert child.stdout is not None
        child.stdout.readline()
        began = time.monotonic()
        with claims.turn(tmp_path, "publish"):
            assert time.monotonic() - began > 0.5


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_a_run_that_is_killed_leaves_no_claim(tmp_path: Path) -> None:
    data, out = fakes.write_files(tmp_path / "data"), tmp_path / "out"
    marks = {"BENCH_TEST_LOG": str(tmp_path / "log"), "BENCH_TEST_PAUSE": "0.5"}
    with start(RUN, str(data), str(out), "a", **marks) as child:
        wait_for(lambda: (tmp_path / "log").exists())
        child.kill()
    wait_for(lambda: not processes(f"BENCH_TEST_LOG={tmp_path}"))
    with claims.claim(out / "claims" / "parity" / "a" / "fake") as mine:
        assert mine
