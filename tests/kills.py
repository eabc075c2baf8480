"""Runs that are killed at random moments, and what must be the same afterwards as if nothing had happened.

As a program, `python -m tests.kills DATA OUT MODELS` is one command of such a run: a cell a model, by a fake learner.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import run as runs
from bench.atomic import write_atomically
from bench.learner import Assignment, Learner
from bench.plan import Plan
from bench.record import Outcome
from bench.store import Store
from leaderboard import render
from tests import fakes

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 2
CLOCKS = ("train_seconds", "evaluate_seconds", "seconds", "examples_per_second", "tokens_per_second", "peak_memory",
          "started", "finished", "command", "commit")
"""What a record says of the clock, of memory, of its directory, and of the code, which may be edited meanwhile."""

ROLES = ("main", "worker", "fork server", "helper")


def main(data: str, out: str, models: str) -> int:
    """One command: make what is missing."""
    plan = Plan("kills", tuple(fakes.cell(Path(data), model) for model in models.split(",")))
    summary = runs.run(plan, Path(out), workers=WORKERS, learner="tests.kills:open_watched")
    return summary.exit_code


def open_watched(assignment: Assignment) -> Learner:
    """A fake learner that complains where its cell is finished already, or being made by a process that lives."""
    out, name = Path(os.environ["BENCH_TEST_OUT"]), assignment.model.name
    record = Store(out).read_record((assignment.task.name, name, "fake"))
    if record is not None and record.outcome is Outcome.OK:
        _complain(out, f"{name} was finished")
    busy = out.parent / f"{out.name}-busy" / name
    if busy.exists() and _lives(int(busy.read_text())):
        _complain(out, f"{name} was being made")
    write_atomically(busy, str(os.getpid()).encode(), lasting=False)  # who writes it may be killed just now, too
    return fakes.FakeLearner(assignment, pause=0.005)


def _complain(out: Path, text: str) -> None:
    with (out.parent / f"{out.name}-complaints").open("a") as file:
        file.write(f"{text}\n")


def _lives(pid: int) -> bool:
    """Whether another process goes on living; one that is just ending has given its claim up already."""
    for _ in range(4):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        if pid == os.getpid() or state in "ZX":
            return False
        time.sleep(0.1)
    return True


@dataclass
class Storm:
    """Kills the processes of a command at random moments, starting it again whenever it has ended.

    `victims` counts what was killed. `longest` is the longest wait between two kills, in seconds; the first kill of a
    command may come as late as twice the time that it needs to have workers, or no cell would ever be made.
    """

    command: Sequence[str]
    out: Path
    marker: str
    longest: float
    dice: random.Random
    check: Callable[[], None]
    boot: float = 0.0
    victims: Counter[str] = field(default_factory=Counter)

    def rage(self, kills: int) -> int:
        """Kill so many times, or until the run is complete; the number of kills that are left."""
        while kills:
            with self.start() as child:
                wait = 2 * self.boot
                while child.poll() is None and kills:
                    time.sleep(self.dice.uniform(0.0, wait))
                    wait = self.longest
                    kills -= self.kill(child.pid)
                    self.check()
                if child.poll() is None:
                    child.wait()
            if child.returncode == 0:
                break
        return kills

    def kill(self, main: int) -> bool:
        """Kill the main process, or one that it brought along; False where none is left."""
        found = [(role(pid, main), pid) for pid in marked(self.marker)]
        wanted = self.dice.choices(ROLES, (3, 5, 1, 1))[0]
        kind, pid = self.dice.choice([entry for entry in found if entry[0] == wanted] or [("main", main)])
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        self.victims[kind] += 1
        return True

    def calm(self) -> None:
        """The same command, undisturbed until it has nothing left to do."""
        for _ in range(3):
            with self.start() as child:
                self.boot = self.boot or self.until_workers(child.pid)
                if child.wait(timeout=300) == 0:
                    return
        reasons = [f"{record.key}: {record.reason}" for record in Store(self.out).records() if record.reason]
        raise AssertionError("\n".join([f"no good end in {self.out}", *reasons, self.said.read_text()[-4000:]]))

    def until_workers(self, main: int) -> float:
        """Seconds until the command that has just been started has workers."""
        began = time.monotonic()
        while time.monotonic() < began + 60 and "worker" not in [role(pid, main) for pid in marked(self.marker)]:
            time.sleep(0.1)
        return time.monotonic() - began

    def start(self) -> subprocess.Popen[bytes]:
        """The command as a process."""
        name, _, value = self.marker.partition("=")
        environment = {**os.environ, name: value, "BENCH_TEST_OUT": str(self.out), "PYTHONPATH": str(ROOT)}
        with self.said.open("ab") as said:
            return subprocess.Popen(self.command, env=environment, cwd=ROOT, stdout=said, stderr=said)

    @property
    def said(self) -> Path:
        """What the commands have printed."""
        return self.out.parent / f"{self.out.name}-said"


def marked(marker: str) -> list[int]:
    """The ids of processes whose environment holds the marker."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{marker}\0".encode() in entry.read_bytes():
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


def role(pid: int, main: int) -> str:
    """What a process is to the run. Workers are children of the fork server, orphans once that is killed."""
    if pid == main:
        return "main"
    try:
        line = Path(f"/proc/{pid}/cmdline").read_text()
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return "helper"
    if "forkserver" not in line:
        return "helper"
    return "fork server" if parent == main else "worker"


def readable(out: Path) -> None:
    """Every record can be read, at any moment."""
    if out.is_dir():
        problems = Store(out).listing().problems
        assert not problems, problems


def complete(out: Path, cells: int) -> None:
    """All cells are there once, all went well, no complaint was made, and every line of the log is whole."""
    records = Store(out).records()
    assert len(records) == len({record.key for record in records}) == cells
    assert {record.outcome for record in records} == {Outcome.OK}
    complaints = out.parent / f"{out.name}-complaints"
    assert not complaints.exists(), complaints.read_text()
    assert [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    assert not list(out.rglob("*.tmp"))


def timeless(out: Path, board: bool = True) -> Mapping[str, bytes]:
    """All that lasts of a run: its records without the clock, its answers, and the board made of these."""
    for path in out.glob("records/*/*/*.json"):
        path.write_text(json.dumps(_still(json.loads(path.read_text())), indent=1))
    if board:
        render.publish(out)
    kept = ("plan.json", "records/**/*.json", "predictions/**/*.parquet", "leaderboard/**/*")
    paths = [path for pattern in kept for path in out.glob(pattern) if path.is_file()]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in paths}


def _still(value: Any) -> Any:
    """With every clock at the same time."""
    if isinstance(value, dict):
        return {name: _stopped(name, entry) if name in CLOCKS else _still(entry) for name, entry in value.items()}
    return [_still(entry) for entry in value] if isinstance(value, list) else value


def _stopped(name: str, value: Any) -> Any:
    if name in ("started", "finished", "command", "commit"):
        return "2026-01-01T00:00:00+00:00"
    return None if value is None else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
