"""`pretrain` on the command line: progress, the finished model, and an interruption."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bench import cli
from bench.learn import pretrain as pretraining
from bench.learn.recipes import RECIPES
from bench.spec import Family
from tests.test_pretrain import STREAMS, tiny

torch.set_num_threads(1)

Capture = pytest.CaptureFixture[str]
LINE = ["pretrain", "bert-mini", "--out", "made"]


@pytest.fixture(autouse=True)
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recipe for a few seconds under the name of a real one, on text that is quickly made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(RECIPES, "bert-mini", replace(tiny(Family.ENCODER), name="bert-mini"))
    monkeypatch.setattr(pretraining, "world_texts", lambda worlds: STREAMS)
    monkeypatch.setattr(pretraining, "REPORT_EVERY", 2)


def test_pretrain_shows_its_progress_and_says_where_the_model_lies(capsys: Capture) -> None:
    assert cli.main([*LINE, "--steps", "4", "--seed", "7"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "pretraining bert-mini: 4 steps into made"
    assert lines[-2].startswith("4/4  loss ")
    assert lines[-1] == "done: made"
    assert json.loads(Path("made/pretraining.json").read_text())["recipe"]["seed"] == 7


def test_an_interrupted_pretraining_keeps_its_checkpoint_and_goes_on(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = pretraining._Training.report

    def press(self: pretraining._Training, *arguments: object) -> None:
        report(self, *arguments)  # type: ignore[arg-type]
        if self.at.step == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(pretraining._Training, "report", press)
    assert cli.main(LINE) == 130
    said = capsys.readouterr().err
    assert said.startswith("stopped after step 6: what was learnt up to step 5 is kept in made/.resume; run the same")
    monkeypatch.setattr(pretraining._Training, "report", report)
    assert cli.main(LINE) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith(" 6/12  loss ")
    assert not Path("made/.resume").exists()


def test_another_recipe_in_the_same_directory_is_refused(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pretraining, "_held_out_losses", stop)
    assert cli.main([*LINE, "--steps", "10"]) == 130
    assert cli.main([*LINE, "--steps", "11"]) == 2
    assert "was left by another recipe" in capsys.readouterr().err
