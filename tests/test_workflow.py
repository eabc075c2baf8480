"""The workflow that runs every night: valid by GitHub's schema, and its command is one that there is."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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
