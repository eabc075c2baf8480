"""Where a result came from, and what must not be told."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bench import VERSION, provenance


def git(directory: Path, *arguments: str) -> None:
    """Run git with an identity of its own."""
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(directory), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A package in a git repository, committed."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    return package


def test_the_environment_names_versions_machine_and_harness() -> None:
    found = provenance.environment()
    assert found["harness"] == VERSION
    assert {"torch", "transformers", "optuna"} <= set(found["packages"])
    assert found["cores"] >= 1
    assert found["processor"]
    json.dumps(found)


def test_neither_home_nor_secrets_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "very-secret-indeed")
    text = json.dumps(provenance.environment.__wrapped__())
    assert "very-secret-indeed" not in text
    assert str(Path.home()) not in text


def test_a_commit_is_clean_until_something_changes(checkout: Path) -> None:
    clean = provenance.commit(checkout)
    assert clean is not None
    assert len(clean["sha"]) == 40
    assert clean["dirty"] is False
    (checkout / "__init__.py").write_text("changed")
    changed = provenance.commit(checkout)
    assert changed == {**clean, "dirty": True}


def test_code_that_git_does_not_track_has_no_commit(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """An installed copy may lie inside someone else's repository, whose commit says nothing about it."""
    installed = checkout / "site-packages"
    installed.mkdir()
    (installed / "__init__.py").write_text("")
    assert provenance.commit(installed) is None
    assert provenance.commit(tmp_path_factory.mktemp("elsewhere")) is None


def test_times_are_in_utc() -> None:
    assert datetime.fromisoformat(provenance.now()).utcoffset() == timedelta(0)
