"""The mirror to W&B: what it writes offline, when it goes online, and that nothing it does fails or stalls a run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench import track, wandb_child
from bench.record import Outcome, Record
from bench.store import Store
from bench.track import GRACE, WAIT, NullTracker, Tracker
from leaderboard import render
from tests import fake_records, wandb_files
from tests.wandb_files import WandbRun

ROOT = Path(__file__).resolve().parents[1]
KEY = "0123456789abcdef0123456789abcdef01234567"
GOOD = fake_records.record("sentiment", "bert-mini", "full")
BAD = fake_records.record("qa", "gpt2-mini", "lora[r=8]")
PATIENCE = 120.0
"""Seconds after which a test gives up waiting for the child. A second or two are enough, unless the machine is busy."""


@pytest.fixture(autouse=True)
def _no_user(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    alone(monkeypatch, tmp_path_factory.mktemp("home"))


def alone(patch: pytest.MonkeyPatch, home: Path) -> None:
    """A user without any W&B settings, who has time."""
    patch.setattr(track, "WAIT", PATIENCE)
    for name in [name for name in os.environ if name.startswith("WANDB_") or name == "NETRC"]:
        patch.delenv(name)
    patch.setenv("HOME", str(home))
    patch.chdir(home)


def write(run_dir: Path, record: Record) -> Path:
    """Put a record and three predictions into a run."""
    store = Store(run_dir)
    names = (record.task, record.model, record.method)
    if record.outcome is Outcome.OK:
        row = {"input": "a fine day", "reference": '"positive"', "prediction": '"negative"', "score": 0.0}
        store.write_predictions(names, [{**row, "row": n, "seed": 1, "phenomena": None} for n in range(3)])
    return store.write_record(record)


def mirror(run_dir: Path, *records: Record, publish: bool = False) -> list[str]:
    """Run a tracker over the records, as a run would, and return its warnings."""
    warnings: list[str] = []
    with Tracker() as tracker:
        tracker.start(run_dir, "nightly", warnings.append)
        for record in records:
            tracker.finished(write(run_dir, record))
        wait_for(lambda: len(sent(run_dir)) >= len({record.key for record in records}) or not alive(tracker))
        tracker.close(render.publish(run_dir) if publish else ())
    return warnings


def sent(run_dir: Path) -> list[str]:
    ledger = run_dir / "wandb" / "mirrored.jsonl"
    return ledger.read_text().splitlines() if ledger.exists() else []


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def alive(tracker: Tracker) -> bool:
    return tracker._child is not None and tracker._child.alive()


def child_of(tracker: Tracker) -> int:
    child = tracker._child
    assert child is not None
    assert child._process.pid is not None
    return child._process.pid


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the user of `offline` is at home, and at work."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def offline(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run of two cells, mirrored offline by a user who has secrets."""
    run_dir = tmp_path_factory.mktemp("runs") / "nightly"
    with pytest.MonkeyPatch.context() as patch:
        alone(patch, home)
        patch.setenv("WANDB_MODE", "offline")
        patch.setenv("WANDB_API_KEY", KEY)
        patch.setenv("HF_TOKEN", KEY)
        assert mirror(run_dir, GOOD, BAD, publish=True) == []
        yield run_dir


@pytest.fixture(scope="module")
def kept(offline: Path) -> dict[str, WandbRun]:
    return wandb_files.runs(offline)


def test_every_cell_and_the_board_are_one_run_each(kept: dict[str, WandbRun]) -> None:
    assert set(kept) == {GOOD.key, BAD.key, "leaderboard"}


def test_runs_are_grouped_typed_and_tagged(kept: dict[str, WandbRun]) -> None:
    run = kept[GOOD.key].run
    assert (run.run_group, run.job_type, run.project) == ("nightly", "sentiment", "finetune-bench")
    assert list(run.tags) == ["sentiment", "bert-mini", "full", "bundled", "OK"]
    assert kept["leaderboard"].run.job_type == "leaderboard"


def test_the_config_says_what_was_run(kept: dict[str, WandbRun]) -> None:
    config = kept[GOOD.key].config
    assert config["cell"]["model"] == "bert-mini"
    assert config["budget"]["seeds"] == [1, 2, 3]
    assert config["rate"] == GOOD.rate
    assert config["fingerprint"] == GOOD.fingerprint
    assert config["versions"]["packages"]["torch"] == "2.13.0"


def test_the_history_has_the_curve_of_every_trial(kept: dict[str, WandbRun]) -> None:
    rows = [row for row in kept[GOOD.key].history if "step" in row]
    for trial in GOOD.trials:
        curve = [(row["step"], row[f"trial_{trial.number}/validation"]) for row in rows]
        assert curve == [(point.step, point.validation) for point in trial.curve]
        assert rows[0][f"trial_{trial.number}/rate"] == trial.rate


def test_charts_are_drawn_over_the_step_of_the_training(kept: dict[str, WandbRun]) -> None:
    drawn = {metric.glob_name: metric.step_metric for metric in kept[GOOD.key].metrics}
    assert drawn["trial_0/*"] == "step"
    assert drawn["seed_1/*"] == "step"


def test_the_summary_has_the_score_and_what_it_cost(kept: dict[str, WandbRun]) -> None:
    summary = kept[GOOD.key].summary
    assert GOOD.cost is not None
    assert (summary["score"], summary["low"], summary["high"]) == (GOOD.score, GOOD.low, GOOD.high)
    assert [summary[f"seeds/{n}"] for n in (1, 2, 3)] == list(GOOD.seed_scores)
    assert summary["cost/seconds"] == GOOD.cost.seconds
    assert summary["parameters/trainable"] == 2310000


def test_the_predictions_can_be_read(kept: dict[str, WandbRun]) -> None:
    table = kept[GOOD.key].table("predictions")
    first = dict(zip(table["columns"], table["data"][0], strict=True))
    assert (first["input"], first["reference"], first["prediction"]) == ("a fine day", "positive", "negative")
    assert len(table["data"]) == 3


def test_a_cell_that_diverged_is_there_as_a_failed_run(kept: dict[str, WandbRun]) -> None:
    assert kept[GOOD.key].exit_code == 0
    assert kept[BAD.key].exit_code == 1
    assert kept[BAD.key].summary["outcome"] == "DIVERGED"


def test_the_board_is_a_table_and_an_artifact(kept: dict[str, WandbRun]) -> None:
    board = kept["leaderboard"]
    assert len(board.table("leaderboard")["data"]) == 2
    files = next(a for a in board.artifacts if a.type == "leaderboard").manifest.contents
    named = {f"leaderboard.{kind}" for kind in ("md", "csv", "tex", "parquet", "html")}
    assert named < {entry.path for entry in files}
    assert all(entry.path.endswith(".svg") for entry in files if entry.path not in named)


def test_a_verdict_is_a_run_with_its_word_as_a_tag_and_an_alert(tmp_path: Path) -> None:
    run_dir = tmp_path / "night"
    alarm = {"kind": "score", "scope": "all cells", "worse": True, "says": "-1.7 points over 36 cells"}
    said = {
        "exit_code": 11, "base": "yesterday", "verdict": "worse", "alarms": [alarm], "cells": [{"judged": True}],
        "unmeasured": {}, "cause": {"stage": "training", "what": "the training loss changed"},
    }
    run_dir.mkdir()
    (run_dir / "verdict.json").write_text(json.dumps(said))
    with Tracker() as tracker:
        tracker.start(run_dir, "nightly", lambda text: None)
        tracker.judged(run_dir / "verdict.json")
    kept = wandb_files.runs(run_dir)["verdict"]
    assert list(kept.run.tags) == ["verdict", "worse", "training"]
    assert kept.summary["alarms"] == 1
    assert (kept.alerts[0].title, kept.alerts[0].level) == ("nightly: worse", "ERROR")
    assert "-1.7 points" in kept.alerts[0].text


def test_no_secret_is_written(offline: Path) -> None:
    """Neither in a W&B run, nor in a log."""
    files = [p for p in offline.rglob("*") if p.is_file()]
    assert len(files) > 10
    assert not [p for p in files if KEY.encode() in p.read_bytes()]


def test_everything_lies_in_the_folder_of_the_run(offline: Path, home: Path) -> None:
    """Copies of artifacts and caches too, which W&B would leave in the user's home."""
    assert (offline / "wandb" / "data" / "artifacts").is_dir()
    assert list(home.iterdir()) == []


def test_a_cell_that_is_sent_again_is_still_one_run(offline: Path, tmp_path: Path) -> None:
    """The same record leaves it as it is; a new one takes its place, under the same id."""
    run_dir = tmp_path / "nightly"
    shutil.copytree(offline, run_dir, symlinks=True)
    before = {name: kept.folder.name for name, kept in wandb_files.runs(run_dir).items()}
    again = replace(BAD, outcome=Outcome.FAILED, reason="another end")
    assert mirror(run_dir, GOOD, again, GOOD) == []
    after = wandb_files.runs(run_dir)
    assert after[GOOD.key].folder.name == before[GOOD.key]
    assert after[BAD.key].run.run_id == before[BAD.key].rpartition("-")[2]
    assert after[BAD.key].summary["reason"] == "another end"


def test_a_killed_child_is_one_warning_and_the_next_run_catches_up(tmp_path: Path) -> None:
    run_dir, warnings = tmp_path / "nightly", list[str]()
    with Tracker() as tracker:
        tracker.start(run_dir, "nightly", warnings.append)
        pid = child_of(tracker)
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        for record in (GOOD, BAD):
            tracker.finished(write(run_dir, record))
        tracker.close()
    assert len(warnings) == 1
    assert "SIGKILL" in warnings[0]
    assert mirror(run_dir) == []
    assert set(wandb_files.runs(run_dir)) == {GOOD.key, BAD.key}


def test_two_mirrors_of_one_directory_take_turns_and_send_each_cell_once(tmp_path: Path) -> None:
    """As those of two commands that share a run."""
    run_dir, warnings = tmp_path / "nightly", list[str]()
    with Tracker() as first, Tracker() as second:
        first.start(run_dir, "nightly", warnings.append)
        first.finished(write(run_dir, GOOD))
        wait_for(lambda: len(sent(run_dir)) == 1)
        second.start(run_dir, "nightly", warnings.append)
        second.finished(write(run_dir, GOOD))
        for tracker in (first, second):
            tracker.finished(write(run_dir, BAD))
        first.close()
        second.close()
    assert warnings == []
    assert sorted(sent(run_dir)) == sorted({*sent(run_dir)})
    assert len(sent(run_dir)) == 2


def test_a_run_that_ends_first_leaves_its_cells_to_the_mirror_of_the_other(tmp_path: Path) -> None:
    run_dir, warnings = tmp_path / "nightly", list[str]()
    with Tracker() as first, Tracker() as second:
        first.start(run_dir, "nightly", pytest.fail)
        first.finished(write(run_dir, GOOD))
        wait_for(lambda: len(sent(run_dir)) == 1)
        second.start(run_dir, "nightly", warnings.append)
        second.finished(write(run_dir, BAD))
        wait_for(lambda: (run_dir / "wandb" / "mirror.log").exists())
        second.close()
        assert warnings == [wandb_child.ELSEWHERE]
        assert len(sent(run_dir)) == 1
        first.close()
    assert len(sent(run_dir)) == 2


def test_a_run_waits_for_the_mirror_ten_seconds_at_most() -> None:
    assert WAIT + 2 * GRACE <= 10


def test_a_child_that_hangs_is_ended_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(track, "WAIT", 0.5)
    warnings: list[str] = []
    tracker = Tracker()
    tracker.start(tmp_path / "nightly", "nightly", warnings.append)
    pid = child_of(tracker)
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    tracker.close()
    assert time.monotonic() - began < 5
    assert len(warnings) == 1
    assert "stopped after 0.5 s" in warnings[0]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_an_interrupted_run_hardly_waits(tmp_path: Path) -> None:
    tracker = Tracker()
    tracker.start(tmp_path / "nightly", "nightly", lambda text: None)
    os.kill(child_of(tracker), signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), tracker:
        raise KeyboardInterrupt
    assert time.monotonic() - began < 5


def test_a_record_that_cannot_be_read_is_a_warning_and_the_others_are_mirrored(tmp_path: Path) -> None:
    run_dir, warnings = tmp_path / "nightly", list[str]()
    broken = run_dir / "broken.json"
    run_dir.mkdir()
    broken.write_text("{")
    with Tracker() as tracker:
        tracker.start(run_dir, "nightly", warnings.append)
        tracker.finished(broken)
        tracker.finished(write(run_dir, BAD))
        wait_for(lambda: len(sent(run_dir)) == 1)
    assert len(warnings) == 1
    assert "broken.json" in warnings[0]


def test_a_silent_server_does_not_stall_the_run_and_the_rest_is_kept_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setattr(track, "WAIT", WAIT)
    run_dir, warnings = tmp_path / "nightly", list[str]()
    with wandb_files.silent_server() as address, Tracker() as tracker:
        monkeypatch.setenv("WANDB_BASE_URL", address)
        waited = -time.monotonic()
        tracker.start(run_dir, "nightly", warnings.append)
        for record in (GOOD, BAD):
            tracker.finished(write(run_dir, record))
        waited += time.monotonic()
        wait_for(lambda: len(sent(run_dir)) == 2)
        waited -= time.monotonic()
        tracker.close()
        waited += time.monotonic()
    assert waited <= 10
    assert "cannot be used online (Timed out" in warnings[0]
    assert "wandb sync" in warnings[0]
    assert set(wandb_files.runs(run_dir)) == {GOOD.key, BAD.key}
    assert not list(run_dir.glob("wandb/run-*")), "the attempt is left over"
    assert not [p for p in run_dir.rglob("*") if p.is_file() and KEY.encode() in p.read_bytes()]


def test_online_without_a_key_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("WANDB_PROJECT", "mine")
    warnings = mirror(tmp_path / "nightly", BAD)
    assert len(warnings) == 1
    assert "No API key configured" in warnings[0]
    assert wandb_files.runs(tmp_path / "nightly")[BAD.key].run.project == "mine"


def test_a_disabled_mirror_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    with Tracker() as tracker:
        tracker.start(tmp_path / "nightly", "nightly", pytest.fail)
        tracker.finished(write(tmp_path / "nightly", GOOD))
        tracker.close()
    assert not (tmp_path / "nightly" / "wandb").exists()


def test_the_null_tracker_leaves_no_trace(tmp_path: Path) -> None:
    with NullTracker() as tracker:
        tracker.start(tmp_path, "nightly", pytest.fail)
        tracker.finished(tmp_path / "record.json")
        tracker.close([tmp_path / "leaderboard.md"])
    assert list(tmp_path.iterdir()) == []


def test_a_tracker_that_was_never_started_does_nothing(tmp_path: Path) -> None:
    with Tracker() as tracker:
        tracker.finished(tmp_path / "record.json")
        tracker.close()


SCRIPT = """
import os, sys, time
from pathlib import Path
from bench import track, wandb_child

if __name__ == "__main__":
    track.WAIT = 120
    tracker = track.Tracker()
    tracker.start(Path(sys.argv[1]), "nightly", print)
    print(tracker._child._process.pid, flush=True)
    {end}
"""


def run_script(path: Path, end: str) -> subprocess.CompletedProcess[str]:
    """A program of its own that tracks the run beside it."""
    path.write_text(SCRIPT.format(end=end))
    command = [sys.executable, str(path), str(path.parent / "nightly")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_child_ends_when_the_run_is_killed(tmp_path: Path) -> None:
    child = int(run_script(tmp_path / "killed.py", "os.kill(os.getpid(), 9)").stdout)
    wait_for(lambda: _is_gone(child))


def test_nothing_is_printed(tmp_path: Path) -> None:
    """Neither by W&B, nor by the service that it starts."""
    record = write(tmp_path / "nightly", GOOD)
    done = run_script(tmp_path / "quiet.py", f"tracker.finished(Path({str(record)!r})); tracker.close()")
    assert done.stdout.strip().isdigit()
    assert done.stderr == ""


def _is_gone(pid: int) -> bool:
    """Whether the process has ended, be it that nobody has taken note yet."""
    status = Path(f"/proc/{pid}/status")
    return not status.exists() or "State:\tZ" in status.read_text()


def test_importing_the_tracker_does_not_import_wandb() -> None:
    code = "import sys, bench.track; sys.exit('wandb' in sys.modules or 'pyarrow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


PUBLIC = "machine api.wandb.ai\n  login user\n  password " + KEY
OWN = "machine wandb.example.org\n  login user\n  password " + KEY


@pytest.mark.parametrize(
    ("environment", "files", "expected"),
    [
        ({}, {}, "offline"),
        ({"WANDB_API_KEY": KEY}, {}, "online"),
        ({"WANDB_IDENTITY_TOKEN_FILE": "token"}, {}, "online"),
        ({"WANDB_MODE": "online"}, {}, "online"),
        ({"WANDB_MODE": "offline", "WANDB_API_KEY": KEY}, {}, "offline"),
        ({"WANDB_MODE": "dryrun", "WANDB_API_KEY": KEY}, {}, "offline"),
        ({"WANDB_MODE": "disabled", "WANDB_API_KEY": KEY}, {}, "disabled"),
        ({"WANDB_MODE": " OFFLINE", "WANDB_API_KEY": KEY}, {}, "offline"),
        ({"WANDB_MODE": "Disabled", "WANDB_API_KEY": KEY}, {}, "disabled"),
        ({"WANDB_MODE": "nonsense", "WANDB_API_KEY": KEY}, {}, "offline"),
        ({"WANDB_DISABLED": "true", "WANDB_API_KEY": KEY}, {}, "disabled"),
        ({}, {".netrc": PUBLIC}, "online"),
        ({}, {".netrc": OWN}, "offline"),
        ({"WANDB_BASE_URL": "https://wandb.example.org"}, {".netrc": OWN}, "online"),
        ({"WANDB_BASE_URL": "https://wandb.example.org"}, {".netrc": PUBLIC}, "offline"),
        ({"NETRC": "mine"}, {"mine": PUBLIC}, "online"),
        ({}, {".netrc": "no netrc"}, "offline"),
        ({}, {".netrc": PUBLIC, ".config/wandb/settings": "[default]\nmode = offline"}, "offline"),
        ({"WANDB_MODE": "online"}, {".config/wandb/settings": "[default]\nmode = offline"}, "online"),
        ({}, {".netrc": OWN, ".config/wandb/settings": "[default]\nbase_url = https://wandb.example.org"}, "online"),
        ({}, {".config/wandb/settings": "[default]\nmode = disabled"}, "disabled"),
        ({}, {".config/wandb/settings": "not = settings"}, "offline"),
        ({}, {"wandb/settings": "[default]\nmode = online"}, "online"),
    ],
)
def test_the_mode_is_what_the_users_own_settings_say(
    environment: dict[str, str], files: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for place, content in files.items():
        path = Path.home() / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    assert track.mode() == expected
