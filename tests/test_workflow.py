"""The workflow that runs every night: valid by GitHub's schema, and its scripts do what they should."""

from __future__ import annotations

import os
import re
import shlex
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


def test_its_command_is_understood() -> None:
    commands = re.findall(r"python -m bench (nightly [^|\n]*)", WORKFLOW.read_text(encoding="utf-8"))
    assert commands
    parser, _ = _parsers()
    for command in commands[-1:]:
        line = command.replace("$SUITE", "smoke").replace("$MINUTES", "60")
        assert parser.parse_args(shlex.split(line)).max_minutes == 60


def script(name: str) -> str:
    """What a step of that name runs."""
    steps = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["nightly"]["steps"]
    (found,) = [str(step["run"]) for step in steps if step.get("name") == name]
    return found


class Job:
    """Runs steps of the workflow in a clone, as GitHub does."""

    def __init__(self, place: Path, **environment: str) -> None:
        self.place = place
        self.told = {name: place.parent / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(place.parent), "SUITE": "x", "MINUTES": "1",
                            **environment, **{name: str(path) for name, path in self.told.items()}}

    def run(self, step: str, inside: str = ".", **more: str) -> dict[str, str]:
        """Carry out a step; its outputs."""
        self.told["GITHUB_OUTPUT"].write_text("")
        command = ["bash", "-e", "-c", script(step)]
        subprocess.run(command, cwd=self.place / inside, env={**self.environment, **more}, check=True)
        return dict(line.split("=", 1) for line in self.told["GITHUB_OUTPUT"].read_text().splitlines())


def git(*arguments: str, place: Path) -> str:
    done = subprocess.run(["git", *arguments], cwd=place, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of a repository with one commit."""
    git("init", "-q", "--bare", "origin", place=tmp_path)
    git("clone", "-q", "origin", "clone", place=tmp_path)
    who = ["-c", "user.name=ada", "-c", "user.email=ada@example.org"]
    git(*who, "commit", "-q", "--allow-empty", "-m", "code", place=tmp_path / "clone")
    git("push", "-q", "origin", "HEAD:main", place=tmp_path / "clone")
    return tmp_path / "clone"


@pytest.mark.parametrize("made", ["", "history/x/2031-05-02T02-30-00Z"])
def test_a_night_that_could_not_start_does_not_show_an_earlier_verdict(tmp_path: Path, made: str) -> None:
    place = tmp_path / "clone"
    night = place / "history" / "x" / "2031-05-01T02-30-00Z"
    night.mkdir(parents=True)
    (night / "verdict.md").write_text("## Fine")
    stub = tmp_path / "bin" / "python"
    stub.parent.mkdir()
    stub.write_text(f"#!/bin/sh\n{f'mkdir {made}' if made else ':'}\nexit 2\n")
    stub.chmod(0o755)
    job = Job(place, PATH=f"{stub.parent}:{os.environ['PATH']}")
    assert job.run("run and compare") == {"code": "2"}
    assert job.run("find the night", LAST="history/x/2031-05-01T02-30-00Z") == {"night": made}
    assert not job.told["GITHUB_STEP_SUMMARY"].exists()


def test_the_branch_of_the_history_is_one_commit_without_what_is_large(clone: Path) -> None:
    for day in ("01", "02"):
        job = Job(clone)
        fetched = job.run("fetch the history")
        night = clone / "history" / "x" / f"2031-05-{day}T02-30-00Z"
        for name in ("records", "wandb", "studies"):
            (night / name / "deep").mkdir(parents=True)
            (night / name / "deep" / "file").write_text(day)
        found = job.run("find the night", LAST=fetched["last"])
        assert found == {"night": str(night.relative_to(clone))}
        job.run("keep the history", "history", NIGHT=found["night"], COMMIT=fetched["commit"])
        git("worktree", "remove", "--force", "history", place=clone)
        git("branch", "-D", "tonight", place=clone)
    git("fetch", "-q", "origin", place=clone)
    assert git("rev-list", "--count", "origin/nightly-history", place=clone) == "1"
    kept = git("ls-tree", "-r", "--name-only", "origin/nightly-history", place=clone).splitlines()
    assert kept == [f"x/2031-05-{day}T02-30-00Z/records/deep/file" for day in ("01", "02")]


def test_what_a_step_that_was_cut_off_left_is_kept(tmp_path: Path) -> None:
    """All that comes after the night runs however the night ended, and the night ends itself before it is cut off."""
    job = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["nightly"]
    names = [step.get("name") for step in job["steps"]]
    after = job["steps"][names.index("run and compare") + 1 : names.index("the verdict")]
    assert all(str(step["if"]).startswith("always()") for step in after)
    (own,) = re.findall(r"--stop-after (\d+)", script("run and compare"))
    cut = job["steps"][names.index("run and compare")]["timeout-minutes"]
    assert int(own) < cut < job["timeout-minutes"]


def test_every_output_that_is_read_is_written() -> None:
    text = WORKFLOW.read_text(encoding="utf-8")
    job = yaml.safe_load(text)["jobs"]["nightly"]
    written = {(step["id"], name) for step in job["steps"] if "id" in step
               for name in re.findall(r'echo "(\w+)=', step["run"])}
    assert set(re.findall(r"steps\.(\w+)\.outputs\.(\w+)", text)) <= written
    assert set(re.findall(r"needs\.nightly\.outputs\.(\w+)", text)) <= set(job["outputs"])


def test_its_scripts_are_bash() -> None:
    jobs = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]
    for step in (step for job in jobs.values() for step in job["steps"] if "run" in step):
        done = subprocess.run(["bash", "-n", "-c", step["run"]], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
