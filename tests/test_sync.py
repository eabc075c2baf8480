"""What reaches a W&B server, later or at once: one run for each cell, whatever happens on the way.

The server is a small one on the loopback interface; `wandb sync` is the real one.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench import track
from bench.record import Outcome
from bench.track import WAIT, Tracker
from tests import wandb_files, wandb_server
from tests.test_track import BAD, GOOD, alone, child_of, mirror, sent, wait_for, write
from tests.wandb_server import KEY, Server

NAMES = sorted([GOOD.key, BAD.key])


@pytest.fixture(autouse=True)
def _no_user(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    alone(monkeypatch, tmp_path_factory.mktemp("home"))


@pytest.fixture
def server() -> Iterator[Server]:
    with wandb_server.serving() as running:
        yield running


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two cells that was mirrored offline."""
    run_dir = tmp_path_factory.mktemp("runs") / "nightly"
    with pytest.MonkeyPatch.context() as patch:
        alone(patch, tmp_path_factory.mktemp("home"))
        assert mirror(run_dir, GOOD, BAD) == []
    return run_dir


@pytest.fixture
def run_dir(offline: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(offline, tmp_path / "nightly", symlinks=True))


def start_sync(run_dir: Path, server: Server) -> subprocess.Popen[str]:
    """What the README says, started."""
    environment = {**os.environ, "WANDB_BASE_URL": server.url, "WANDB_API_KEY": KEY}
    command = [str(Path(sys.executable).with_name("wandb")), "sync"]
    command += [str(path) for path in sorted(run_dir.glob("wandb/offline-run-*"))]
    out = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdout=out, stderr=out, text=True, start_new_session=True)


def sync(run_dir: Path, server: Server) -> None:
    """The same, until it is through."""
    syncing = start_sync(run_dir, server)
    _, said = syncing.communicate(timeout=100)
    assert syncing.returncode == 0, said


def is_whole(server: Server) -> bool:
    """Whether every cell is there once, with its curve, and has ended as it should."""
    codes = {run.shown: run.exit_code for run in server.runs.values()}
    curves = [run.lines.get("wandb-history.jsonl") for run in server.runs.values()]
    return server.names == NAMES and codes == {GOOD.key: 0, BAD.key: 1} and all(curves)


def test_syncing_twice_makes_one_run_a_cell(run_dir: Path, server: Server) -> None:
    sync(run_dir, server)
    assert is_whole(server)
    announced = [run.announced for run in server.runs.values()]
    sync(run_dir, server)
    assert is_whole(server)
    assert [run.announced for run in server.runs.values()] == announced, "what is there is not sent again"


def test_a_sync_that_was_killed_is_made_up_for_by_the_next(run_dir: Path, server: Server) -> None:
    server.delay = 0.3
    syncing = start_sync(run_dir, server)
    wait_for(lambda: bool(server.runs))
    os.killpg(syncing.pid, signal.SIGKILL)
    syncing.communicate()
    server.delay = 0.0
    sync(run_dir, server)
    assert is_whole(server)


def test_two_syncs_at_once_make_one_run_a_cell(run_dir: Path, server: Server) -> None:
    both = [start_sync(run_dir, server) for _ in range(2)]
    for syncing in both:
        syncing.communicate(timeout=100)
    assert is_whole(server)


def test_a_cell_that_was_run_again_is_the_same_run_with_what_is_new(run_dir: Path, server: Server) -> None:
    sync(run_dir, server)
    before = set(server.runs)
    again = replace(BAD, outcome=Outcome.FAILED, reason="another end")
    assert mirror(run_dir, again) == []
    sync(run_dir, server)
    assert set(server.runs) == before
    assert [run.summary["reason"] for run in server.runs.values() if run.shown == BAD.key] == ["another end"]


def test_online_a_killed_mirror_leaves_no_second_run(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had begun is the same run in the end."""
    monkeypatch.setenv("WANDB_BASE_URL", server.url)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    run_dir = tmp_path / "nightly"
    server.delay = 0.3
    with Tracker() as tracker:
        tracker.start(run_dir, "nightly", lambda text: None)
        for record in (GOOD, BAD):
            tracker.finished(write(run_dir, record))
        wait_for(lambda: bool(server.runs))
        os.kill(child_of(tracker), signal.SIGKILL)
    server.delay = 0.0
    assert mirror(run_dir) == []
    assert is_whole(server)


def test_two_runs_in_one_directory_mirror_every_cell_once(tmp_path: Path) -> None:
    run_dir = tmp_path / "nightly"
    with Tracker() as other, Tracker() as one:
        for tracker, record in ((one, GOOD), (other, BAD)):
            tracker.start(run_dir, "nightly", pytest.fail)
            tracker.finished(write(run_dir, record))
            wait_for(lambda: bool(sent(run_dir)))
    assert set(wandb_files.runs(run_dir)) == set(NAMES)
    assert len(sent(run_dir)) == len(NAMES)


def test_many_cells_and_a_silent_server_cost_ten_seconds_in_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And are all there after the next run, each once."""
    monkeypatch.setattr(track, "WAIT", WAIT)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    run_dir, warnings = tmp_path / "nightly", list[str]()
    failed = replace(GOOD, outcome=Outcome.FAILED)
    records = [write(run_dir, replace(failed, method=f"lora[r={number}]")) for number in range(60)]
    with wandb_files.silent_server() as address:
        monkeypatch.setenv("WANDB_BASE_URL", address)
        waited = -time.monotonic()
        with Tracker() as tracker:
            tracker.start(run_dir, "nightly", warnings.append)
            for path in records:
                tracker.finished(path)
        waited += time.monotonic()
    assert waited <= 10
    assert len(warnings) <= 2
    monkeypatch.setattr(track, "WAIT", 120.0)
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert mirror(run_dir) == []
    assert len(wandb_files.runs(run_dir)) == 60


def test_a_mirror_that_cannot_be_written_is_one_warning_and_no_failure(tmp_path: Path) -> None:
    run_dir, warnings = tmp_path / "nightly", list[str]()
    run_dir.mkdir()
    (run_dir / "wandb").write_text("a file where the folder should be")
    with Tracker() as tracker:
        tracker.start(run_dir, "nightly", warnings.append)
        tracker.finished(write(run_dir, BAD))
    assert len(warnings) == 1
    assert "no W&B mirror from here on" in warnings[0]
    assert "wandb" in warnings[0]


@pytest.mark.faults
def test_a_full_disk_stops_the_mirror_and_nothing_else(tmp_path: Path) -> None:
    """Needs root, to make a disk of one megabyte."""
    run_dir, warnings = tmp_path / "nightly", list[str]()
    (run_dir / "wandb").mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(run_dir / "wandb")]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here: that takes root")
    try:
        with Tracker() as tracker:
            tracker.start(run_dir, "nightly", warnings.append)
            tracker.finished(write(run_dir, BAD))
    finally:
        subprocess.run(["umount", str(run_dir / "wandb")], check=True)
    assert len(warnings) == 1
    assert "No space left on device" in warnings[0]
    assert mirror(run_dir) == []
    assert set(wandb_files.runs(run_dir)) == {BAD.key}


@pytest.mark.parametrize("ledger", [b"\xff\xfe\x00", b"5\n", b'["a"]\n{"a": 1}\n', b'["cede'])
def test_a_damaged_ledger_costs_nothing_but_sending_again(tmp_path: Path, ledger: bytes) -> None:
    run_dir = tmp_path / "nightly"
    (run_dir / "wandb").mkdir(parents=True)
    (run_dir / "wandb" / "mirrored.jsonl").write_bytes(ledger)
    write(run_dir, BAD)
    with Tracker() as tracker:
        tracker.start(run_dir, "nightly", pytest.fail)
    assert set(wandb_files.runs(run_dir)) == {BAD.key}
