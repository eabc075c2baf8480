"""The README is true: its commands exist, and CI types what it says."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from bench import catalog
from bench.cli import main
from bench.learn.recipes import RECIPES
from bench.learn.resume import describe

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CODE = re.findall(r"```bash\n(.*?)```", README, flags=re.DOTALL)


def test_ci_types_the_readmes_test_command_word_for_word() -> None:
    commands = [line for block in CODE for line in block.splitlines() if line.endswith("&& nox")]
    assert len(commands) == 1
    assert commands[0] in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("command", re.findall(r"`bench ([a-z]+)[^`]*`", README))
def test_every_command_that_is_named_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert "usage" in capsys.readouterr().out


@pytest.mark.parametrize("suite", sorted(set(re.findall(r"--suite ([a-z-]+)", README))))
def test_every_suite_that_is_named_exists(suite: str) -> None:
    assert suite in catalog.suites()


def test_every_file_that_is_linked_exists() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if not link.startswith("http")]
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]


@pytest.mark.parametrize("name", ["bert-mini", "gpt2-mini", "t5-mini"])
def test_a_minis_card_says_how_to_rebuild_it_and_its_weights_are_those_of_the_recipe(name: str) -> None:
    folder = ROOT / "bench" / "checkpoints" / name
    assert f"python -m bench pretrain {name}" in (folder / "README.md").read_text(encoding="utf-8")
    told = json.loads((folder / "pretraining.json").read_text(encoding="utf-8"))
    weights = (folder / "model.safetensors").read_bytes()
    assert hashlib.sha256(weights).hexdigest() == told["sha256"]
    assert told["recipe"] == describe(RECIPES[name])
    assert len(weights) < 8_400_000
