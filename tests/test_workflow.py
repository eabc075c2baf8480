"""The workflow that runs every night: valid by GitHub's schema, and its command is one that there is."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bench.cli import _parsers

WORKFLOW = Path(__file__).resolve().parents[1] / ".github" / "workflows" / "nightly.yml"


def test_the_workflow_fits_githubs_schema() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(WORKFLOW)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is not installed")
def test_actionlint_finds_nothing() -> None:
    done = subprocess.run(["actionlint", str(WORKFLOW)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_its_command_is_understood() -> None:
    commands = re.findall(r"python -m bench (nightly [^|\n]*)", WORKFLOW.read_text(encoding="utf-8"))
    assert commands
    parser, _ = _parsers()
    for command in commands[-1:]:
        line = command.replace("$SUITE", "smoke").replace("$MINUTES", "60")
        assert parser.parse_args(shlex.split(line)).max_minutes == 60


@pytest.mark.parametrize("made", ["", "history/x/2031-05-02T02-30-00Z"])
def test_a_night_that_could_not_start_does_not_show_an_earlier_verdict(tmp_path: Path, made: str) -> None:
    steps = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["nightly"]["steps"]
    (script,) = [step["run"] for step in steps if step.get("id") == "verdict"]
    (tmp_path / "history" / "x" / "2031-05-01T02-30-00Z").mkdir(parents=True)
    (tmp_path / "history" / "x" / "2031-05-01T02-30-00Z" / "verdict.md").write_text("## Fine")
    stub = tmp_path / "bin" / "python"
    stub.parent.mkdir()
    stub.write_text(f"#!/bin/sh\n{f'mkdir {made}' if made else ':'}\nexit 2\n")
    stub.chmod(0o755)
    told = {name: tmp_path / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    environment = {"PATH": f"{stub.parent}:{os.environ['PATH']}", "SUITE": "x", "MINUTES": "1",
                   **{name: str(path) for name, path in told.items()}}
    subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, env=environment, check=True)
    assert told["GITHUB_OUTPUT"].read_text().splitlines() == ["code=2", f"night={made}"]
    assert not told["GITHUB_STEP_SUMMARY"].exists()
