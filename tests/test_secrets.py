"""Secrets that a user has, planted everywhere: none of them is in anything that a run writes or prints."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench import cli
from bench.store import Store
from tests import fake_records

ROOT = Path(__file__).parents[1]
SECRETS = {
    "WANDB_API_KEY": "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567", "HF_TOKEN": "hf_aBcDeFgHiJkLmNoPqRsTuVwXyZ",
    "PGPASSWORD": "pg-open-sesame", "url": "url-open-sesame", "netrc": "netrc-open-sesame", "wandb": "wb-open-sesame",
}  # fmt: skip
SMALL = "--trials 1 --seeds 1 --epochs 1 --train-size 16 --validation-size 8 --test-size 8 --workers 1"
WORKS = f"run --suite smoke --tasks sentiment --models bert-mini --methods head_only {SMALL} --out out"
FAILS = f"{WORKS.replace('head_only', 'full')} --timeout 1 --trials 99"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a user with secrets has run what works, what fails and what is wrong; `said` has all that was printed."""
    place = tmp_path_factory.mktemp("place")
    (place / "home").mkdir()
    (place / "home" / ".netrc").write_text(f"machine api.wandb.ai\n login user\n password {SECRETS['netrc']}\n")
    wrong = f"run --models https://ann:{SECRETS['url']}@host.example/x --methods full --tasks sentiment"
    lines = [WORKS, FAILS, f"{wrong} --debug", "doctor", f"show postgresql://ann:{SECRETS['url']}@db/x --debug"]
    said = [line + "\n" + run(place, line) for line in lines]
    (place / "said").write_text("\n".join(text.partition("\n")[2] for text in said))
    (place / "codes").write_text("".join(text.rpartition("exit code ")[2].strip() for text in said))
    return place


def run(place: Path, line: str) -> str:
    """What a command line prints, with its exit code."""
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "OMP_NUM_THREADS") if name in os.environ}
    environment |= {name: SECRETS[name] for name in ("WANDB_API_KEY", "HF_TOKEN", "PGPASSWORD")}
    environment |= {
        "HOME": str(place / "home"), "PYTHONPATH": str(ROOT), "HF_ENDPOINT": f"http://ann:{SECRETS['url']}@127.0.0.1:9",
        "WANDB_BASE_URL": f"http://ann:{SECRETS['wandb']}@127.0.0.1:9", "WANDB_MODE": "online",
    }  # fmt: skip
    command = [sys.executable, "-m", "bench", *line.split()]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=300, check=False)
    return f"{done.stdout}\n{done.stderr}\nexit code {done.returncode}\n"


@pytest.mark.faults
def test_the_commands_ended_as_they_should(place: Path) -> None:
    """Else there would be nothing to look for secrets in."""
    assert (place / "codes").read_text() == "01101", (place / "said").read_text()
    assert "***@127.0.0.1" in (place / "said").read_text()
    assert len([path for path in (place / "out").rglob("*") if path.is_file()]) > 20


@pytest.mark.faults
@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_is_written_or_printed(place: Path, name: str) -> None:
    """Not in a record, a log, a page, the files of W&B, a message or a traceback."""
    files = [path for path in place.rglob("*") if path.is_file() and path.name != ".netrc"]
    assert [path for path in files if SECRETS[name].encode() in path.read_bytes()] == []


def test_the_command_and_the_reason_in_a_record_have_no_secret(tmp_path: Path) -> None:
    store, secret = Store(tmp_path), SECRETS["url"]
    command = f"python -m bench run --storage postgresql://ann:{secret}@db/x"
    made = fake_records.record("sentiment", "bert-mini", "full")
    made = replace(made, reason=f"no connection to {command.split()[-1]}", provenance={"command": command})
    path = store.write_record(made)
    assert secret not in path.read_text()
    found = store.read_record(made.names)
    assert found is not None
    assert found.provenance["command"] == "python -m bench run --storage postgresql://***@db/x"


def test_a_command_is_told_without_its_secrets_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Executors write jobs, with the command, to disk in their own way."""
    told: list[str] = []

    def show(arguments: argparse.Namespace, screen: object) -> int:
        told.append(arguments.command_line)
        return 0

    monkeypatch.setattr("bench.commands.show.main", show)
    assert cli.main(["show", f"x://ann:{SECRETS['url']}@db/x"]) == 0
    assert told == ["python -m bench show x://***@db/x"]
