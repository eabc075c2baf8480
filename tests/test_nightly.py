"""The command that runs every night, with a tiny real model: the first night, the base, a short night, a broken one."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest
import torch

from bench import estimate, history, work
from bench.cli import main
from bench.commands import nightly
from bench.spec import Family, Head
from bench.work import Made
from leaderboard import costs, sides
from leaderboard.verdict import EXIT, Verdict
from tests import tiny

torch.set_num_threads(1)

LINE = (
    "nightly --source files --data-dir data --tasks sentiment --models ./little-bert --methods full,head_only "
    "--trials 1 --seeds 2 --epochs 1 --workers 0 --no-track --history nights"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a model and data, and a first night that was accepted."""
    where = tmp_path_factory.mktemp("work")
    tiny.checkpoint(Family.ENCODER, where / "little-bert")
    for split in ("train", "validation", "test"):
        path = where / "data" / "sentiment" / f"{split}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in tiny.rows(Head.CLASSIFY)))
    return where


def night(monkeypatch: pytest.MonkeyPatch, place: Path, more: str = "") -> int:
    monkeypatch.chdir(place)
    return main([*LINE.split(), *more.split()])


def test_nights_in_their_order(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(costs, "COSTS", ())  # trainings of milliseconds: their times are noise on a busy machine
    assert night(monkeypatch, place) == EXIT[Verdict.TOO_LITTLE], "there is no base yet"
    assert "no night was accepted yet" in capsys.readouterr().out
    first = history.nights(Path("nights"))[-1]
    assert main(["accept", str(first), "--who", "ada", "--why", "the beginning"]) == 0

    assert night(monkeypatch, place) == EXIT[Verdict.FINE]
    second = history.nights(Path("nights"))[-1]
    assert second != first
    assert {path.name for path in second.glob("verdict.*")} == {"verdict.md", "verdict.xml", "verdict.json"}
    assert (second / "leaderboard" / "leaderboard.html").is_file()

    monkeypatch.setattr(estimate, "seconds", lambda cell, earlier=None: 50.0)
    capsys.readouterr()
    assert night(monkeypatch, place, "--max-minutes 1") == EXIT[Verdict.FINE]
    third = sides.read(history.nights(Path("nights"))[-1])
    assert len(third.planned) == 1
    assert third.night is not None
    out = capsys.readouterr().out
    assert third.night.left_out[0] in out
    assert "1 cell: 1 to run, 0 fresh; about 50 s with 1 worker (a rough estimate), 1 cell left out" in out

    capsys.readouterr()
    do, jobs = work.do, []

    def endless(job: work.Job) -> Made | None:
        jobs.append(job)
        while len(jobs) > 1:
            time.sleep(0.01)
        return do(job)

    with monkeypatch.context() as patch:
        patch.setattr(nightly, "MINUTE", 4.0)
        patch.setattr(work, "do", endless)
        assert night(patch, place, "--stop-after 1") == EXIT[Verdict.TOO_LITTLE]
    assert "stopped after 1 minute: what was not finished has no record" in capsys.readouterr().err
    fourth = history.nights(Path("nights"))[-1]
    summary = (fourth / "verdict.md").read_text()
    assert f"no record, the night's time was up: {jobs[1].cell.key}" in summary.replace("\\", "")
    assert "1 of 2 cells compared" in summary

    shutil.rmtree(first)
    assert night(monkeypatch, place) == 2
    assert "is gone" in capsys.readouterr().err
