"""Whatever writers are killed, at whatever step, and however they overlap: every file is the old or the new one, whole.

Writers are real processes. A kill is SIGKILL at the n-th thing that the writer does to a file or directory, or the
kernel's own when a file grows beyond so many bytes: then it is cut off in the middle of a write.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from bench.record import Record
from bench.store import Store
from tests import fake_records

METHODS = ("full", "lora", "bitfit")
TOUCHES = frozenset({"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.listdir", "os.scandir"})
"""What Python reports of a process's doings with files (audit events)."""


@dataclass(frozen=True)
class Kill:
    """When a writer dies: at its `step`-th touch of a file, or when a file of its own grows beyond `size` bytes."""

    step: int | None = None
    size: int | None = None


KILLS = st.one_of(
    st.just(Kill()), st.integers(1, 16).map(lambda n: Kill(step=n)), st.integers(0, 6000).map(lambda n: Kill(size=n))
)


def start(write: Callable[[], object], kill: Kill) -> int:
    """The id of a process that does `write` and dies as `kill` says."""
    pid = os.fork()
    if pid:
        return pid
    try:
        gc.disable()  # what the collector closes is not the writer's doing
        _arm(kill)
        write()
    finally:
        os._exit(0)


def _arm(kill: Kill) -> None:
    if kill.size is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (kill.size, kill.size))
    if kill.step is not None:
        left = iter(range(kill.step - 1))

        def count(event: str, details: tuple[Any, ...]) -> None:
            if event in TOUCHES and next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)


class Writers(RuleBasedStateMachine):
    """A store that several processes write to. `may` has what each file may now hold, by its name."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.store = Store(self.root / "run")
        self.store.root.mkdir()
        self.records: dict[str, Record | None] = dict.fromkeys(METHODS)
        self.models: dict[str, str | None] = dict.fromkeys(METHODS)
        self.plan: str | None = None
        self.events: set[int] = set()
        self.version = 0

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    def made(self, method: str) -> Record:
        """A record that no other equals, some kilobytes long."""
        self.version += 1
        plain = fake_records.record("sentiment", "bert-mini", "full")
        reason = "x" * (self.version % 5) * 500
        return replace(plain, method=method, fingerprint=f"{self.version:064x}", reason=reason)

    @rule(method=st.sampled_from(METHODS), kill=KILLS)
    def write_a_record(self, method: str, kill: Kill) -> None:
        new = self.made(method)
        self.end(start(lambda: self.store.write_record(new), kill))
        found = self.store.read_record(new.names)
        assert found in (self.records[method], new)
        self.records[method] = found

    @rule(method=st.sampled_from(METHODS), other=st.sampled_from(METHODS), kill=KILLS, other_kill=KILLS)
    def write_two_records_at_once(self, method: str, other: str, kill: Kill, other_kill: Kill) -> None:
        """The same cell's, too. A reader looks on and never sees half a record."""
        one, two = self.made(method), self.made(other)
        writers = [start(lambda: self.store.write_record(one), kill)]
        writers.append(start(lambda: self.store.write_record(two), other_kill))
        assert self.store.listing().problems == ()
        for writer in writers:
            self.end(writer)
        for name in {method, other}:
            found = self.store.read_record(one.names if name == method else two.names)
            assert found in (self.records[name], *(new for new in (one, two) if new.method == name))
            self.records[name] = found

    @rule(method=st.sampled_from(METHODS), kill=KILLS)
    def keep_models(self, method: str, kill: Kill) -> None:
        """A directory of two files is there whole, old or new, or (where the kill came between) not at all."""
        names, said = ("sentiment", "bert-mini", method), f"{self.version} {method}"
        self.version += 1

        def write() -> None:
            with self.store.new_models(names) as place:
                for seed in (1, 2):
                    (place / f"seed-{seed}").mkdir()
                    (place / f"seed-{seed}" / "kept.json").write_text(said)

        self.end(start(write, kill))
        files = [self.store.model(names, seed) / "kept.json" for seed in (1, 2)]
        found = {path.read_text() for path in files if path.exists()}
        assert found in (set(), {self.models[method]}, {said})
        assert sum(path.exists() for path in files) in (0, 2)
        self.models[method] = next(iter(found), None)

    @rule(kill=KILLS)
    def write_the_plan(self, kill: Kill) -> None:
        self.version += 1
        new = json.dumps({"version": self.version, "cells": ["x" * 50] * 100})
        self.end(start(lambda: self.store.write_plan(new), kill))
        found = self.store.read_plan() if (self.store.root / "plan.json").exists() else None
        assert found in (self.plan, new)
        self.plan = found

    @rule()
    def append_events_at_once(self) -> None:
        numbers = [self.version + n for n in range(1, 4)]
        self.version = numbers[-1]
        for writer in [start(lambda n=n: self.store.append_event({"number": n}), Kill()) for n in numbers]:  # type: ignore[misc]
            self.end(writer)
        self.events |= set(numbers)

    @precondition(lambda self: self.version > 0)
    @rule()
    def tidy_up(self) -> None:
        """As a run does that is alone: what killed writers left is gone, and nothing else."""
        self.store.sweep()
        left = [path for path in self.store.root.rglob("*") if path.name.endswith(".tmp")]
        assert [path for path in left if path.parent != self.store.root] == []

    @invariant()
    def all_can_be_read(self) -> None:
        """And is what the writers that lived have written."""
        listing = self.store.listing()
        assert listing.problems == ()
        assert {record.method: record for record in listing.records} == {
            method: record for method, record in self.records.items() if record is not None
        }
        log = self.store.root / "events.jsonl"
        lines = log.read_text().splitlines() if log.exists() else []
        assert {json.loads(line)["number"] for line in lines} == self.events

    def end(self, pid: int) -> None:
        """Wait for a writer, however it ends."""
        limit = time.monotonic() + 60
        while os.waitpid(pid, os.WNOHANG)[0] == 0:
            assert time.monotonic() < limit, "a writer hangs"
            time.sleep(0.001)


TestWriters = Writers.TestCase
TestWriters.settings = settings(max_examples=15, stateful_step_count=15, deadline=None, derandomize=True)


@pytest.mark.faults
def test_many_more_writers_and_kills() -> None:
    """The same, at random and for minutes: about 2,000 steps."""
    many = settings(max_examples=80, stateful_step_count=25, deadline=None)
    run_state_machine_as_test(Writers, settings=many)
