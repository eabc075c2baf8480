"""What `doctor` finds out about a machine, and that it does not wait long for anything."""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from bench import cli, models
from bench.commands import doctor
from bench.commands.doctor import State
from bench.spec import Family, Model
from tests import tiny
from tests.hub_server import serving

torch.set_num_threads(1)

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def silent_server() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    tiny.checkpoint(Family.DECODER, tmp_path / "little")
    return tmp_path / "little"


def test_doctor_finds_this_machine_good_enough(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert cli.main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in ("python", "torch 2", "device", "workers", "free disk", "hub", "W&B"))
    assert "offline (HF_HUB_OFFLINE)" in said


def test_a_missing_package_is_essential(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(doctor, "NEEDED", ("torch", "a-package-that-is-not-there"))
    assert cli.main(["doctor"]) == 1
    assert "error: broken: packages missing" in capsys.readouterr().err


def test_a_hub_that_answers_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with serving({}) as endpoint:
        monkeypatch.setenv("HF_ENDPOINT", f"{endpoint.url}/api/models/no/such")
        (found,) = doctor._hub()
    assert found.state is State.GOOD
    assert found.value.endswith("answers (HTTP 404)")


def test_a_hub_that_refuses_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    (found,) = doctor._hub()
    assert found.state is State.LACKING
    assert "cannot be reached" in found.value


def test_a_hub_that_never_answers_is_not_waited_for(silent_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", silent_server)
    monkeypatch.setattr(doctor, "SECONDS", 0.2)
    began = time.monotonic()
    (found,) = doctor._hub()
    assert time.monotonic() - began < 2.0
    assert found.state is State.LACKING


def test_a_checkpoint_is_shown_with_hash_size_and_precision(checkpoint: Path) -> None:
    found = doctor._checkpoint("little", checkpoint)
    assert found.state is State.GOOD
    assert found.value.startswith("weights ")
    assert "below width 128, this is 32" in found.value or "GPU" in found.value


def test_weights_that_are_not_those_of_their_card_are_essential(checkpoint: Path) -> None:
    (checkpoint / "pretraining.json").write_text(json.dumps({"sha256": "0" * 64}))
    assert doctor._checkpoint("little", checkpoint).state is State.BROKEN
    (checkpoint / "model.safetensors").unlink()
    assert "is missing" in doctor._checkpoint("little", checkpoint).value


def test_checkpoints_that_are_not_there_are_notes(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (
        Model("here", Family.DECODER, str(checkpoint)),
        Model("gone", Family.DECODER, "bench/checkpoints/gone"),
        Model("lacking", Family.ENCODER, "model", package="no_such_package"),
        Model("far", Family.DECODER, "org/far"),
    )
    monkeypatch.setattr(models, "MODELS", rows)
    found = {finding.name: finding.state for finding in doctor._models()}
    assert found == {"here": State.GOOD, "gone": State.LACKING, "lacking": State.LACKING}


def test_little_disk_is_a_note_and_none_is_essential(monkeypatch: pytest.MonkeyPatch) -> None:
    def disk(free: int) -> State:
        monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
        return {finding.name: finding.state for finding in doctor._machine()}["free disk"]

    assert (disk(10**6), disk(10**9), disk(10**11)) == (State.BROKEN, State.LACKING, State.GOOD)
