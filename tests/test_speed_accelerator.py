"""The accelerator's page says what was measured, or that nothing was, and needs an accelerator for it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoConfig

from bench import catalog, work
from bench.learn.fit import ModelLearner
from bench.models import ROOT
from bench.plan import Cell
from benchmarks.accelerator import packing, page, shapes
from benchmarks.accelerator.__main__ import PAGE
from benchmarks.peer import networks
from benchmarks.speed import process, single
from benchmarks.speed.turns import alternate

SHAPE = {
    "shape": {"name": "bert-base, sentiment, short rows"},
    "rounds": {"peer_bfloat16": [[9.0, 9.0]], single.LOADED: [[8.0, 8.0]], "ours": [[4.0, 4.0]]},
    "memory": {"peer_bfloat16": 2**29, single.LOADED: 2**30, "ours": None},
    "precision": "bfloat16", "flop": 1e14, "examples": 800,
}
RESULTS: dict[str, Any] = {
    "miniature": False, "device": "NVIDIA Z1 (8 GiB; CUDA 13)", "machine": {"cores": 2}, "load": (0.1, 2.3),
    "peaks": {"float32": 1e4, "bfloat16": 1e5}, "shapes": [SHAPE],
    "packed": [{"workers": 1, "cells": 16, "walls": (110.0, 130.0), "peak": None},
               {"workers": 2, "cells": 16, "walls": (55.0, 105.0), "peak": 2**20}],
}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.accelerator", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=None)


def test_page_has_rates_shares_of_the_peak_memory_and_packing() -> None:
    found = page.render(RESULTS)
    assert "Measured on NVIDIA Z1 (8 GiB; CUDA 13); cores 2; load 0.1 before and 2.3 after. Matrix product: " in found
    assert "10.0 TFLOP/s in float32, 100.0" in found
    assert "| 100 examples/s | 2 | 200 examples/s | 2.0 | 12.5% | 25.0% | bfloat16 | 1,024 MiB |  |" in found
    assert "| 2 | 80.0 s (55.0 to 105.0) | 12.0 | 1.6 (1.2 to 2.0) | 1 MiB |" in found
    assert "iniature" not in found.partition("## ")[0].partition("```\n\n")[2]


def test_page_of_a_miniature_says_that_it_is_one() -> None:
    assert "A miniature: its figures say nothing" in page.render({**RESULTS, "miniature": True})


def test_page_without_results_says_that_nothing_was_run() -> None:
    assert "Not run yet" in page.render(None)


def test_the_page_that_is_kept_is_the_one_that_is_rendered_unless_it_was_measured() -> None:
    kept = PAGE.read_text(encoding="utf-8")
    assert kept.startswith(page.HEADER)
    assert kept == page.render(None) or "Measured on" in kept


def test_the_page_names_the_torch_that_is_pinned() -> None:
    (pin,) = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("torch==")]
    assert f"pip install {pin}\n" in page.HEADER


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is an accelerator")
def test_without_an_accelerator_one_sentence_and_two() -> None:
    done = run()
    assert done.returncode == 2
    assert done.stderr.startswith("There is no accelerator")
    assert done.stderr.count("\n") == 1


def test_a_miniature_does_not_write_the_real_page() -> None:
    done = run("--miniature")
    assert done.returncode == 2
    assert "--out" in done.stderr


@pytest.mark.parametrize(("kind", "width", "layers"), [("bert", 768, 12), ("t5", 512, 6), ("gpt2", 768, 12)])
def test_models_have_the_shapes_that_they_are_named_after(kind: str, width: int, layers: int) -> None:
    """The defaults of the libraries' configurations, on which the real shapes rest."""
    config = AutoConfig.for_model(kind)
    assert (config.hidden_size, config.num_hidden_layers) == (width, layers)


def test_long_rows_reach_the_limit_of_their_task(tmp_path: Path) -> None:
    every = shapes.shapes(tmp_path, miniature=True)
    assert len(every) == 2 * len(shapes.KNOWN)
    for shape in every:
        assert shape.data_dir is not None
        lines = (Path(shape.data_dir) / shape.task / "train.jsonl").read_text().splitlines()
        words = min(len(line.split()) for line in lines)
        assert (words > catalog.task(shape.task).input_tokens) == ("tokens" in shape.name)


def test_sides_train_in_turn_and_the_first_round_does_not_count() -> None:
    seen: list[str] = []
    sides = {name: lambda name=name: lambda: seen.append(name) for name in ("a", "b")}
    found = alternate(sides, 2, torch.device("cpu"))
    assert seen == ["a", "b"] * 3
    assert [len(turns) for turns in found.values()] == [2, 2]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Cell:
    """The cell of a tiny BERT with random weights."""
    place = tmp_path_factory.mktemp("tiny")
    return single._cell(shapes.shapes(place, miniature=True)[0], place)


def test_trainings_of_the_peer_copy_a_network_that_was_loaded_once_before(
    tiny: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Any] = []
    build = networks.build

    def seen(*given: Any) -> Any:
        loaded.append(build(*given))
        return loaded[-1]

    monkeypatch.setattr(networks, "build", seen)
    train = single._peer(tiny, tmp_path, bfloat16=False)
    (template,) = loaded
    before = [parameter.detach().clone() for parameter in template.parameters()]
    losses = [train().training_loss for _ in range(2)]  # type: ignore[attr-defined]
    assert loaded == [template]
    assert losses[0] == losses[1]
    assert all(map(torch.equal, before, template.parameters()))


def test_the_peer_trains_alike_with_processes_that_make_its_batches(tiny: Cell, tmp_path: Path) -> None:
    trains = [single._peer(tiny, tmp_path, bfloat16=False, loaders=loaders) for loaders in (0, single.LOADERS)]
    alone, loaded = (train().training_loss for train in trains)  # type: ignore[attr-defined]
    assert alone == loaded


def test_shapes_evaluate_two_rows_once(tiny: Cell) -> None:
    assert (tiny.budget.evaluations, tiny.budget.validation_size) == (1, 2)


def test_our_training_ends_complete(tiny: Cell) -> None:
    train, facts = single._ours(tiny)
    fitted: Any = train()
    assert (fitted.state, fitted.steps, len(fitted.curve)) == ("COMPLETE", 2, 1)
    assert facts["examples"] == 8


def test_a_training_of_ours_that_diverges_is_named(tiny: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = torch.tensor(float("nan"), requires_grad=True)
    monkeypatch.setattr(ModelLearner, "_losses", lambda self, *given: (lost, lost))
    train, _ = single._ours(tiny)
    with pytest.raises(RuntimeError, match=f"{re.escape(tiny.key)}: DIVERGED: the training loss was nan"):
        train()


def test_a_training_of_ours_that_stops_early_is_named() -> None:
    with pytest.raises(RuntimeError, match=r"tiny BERT: COMPLETE: 1 of 2 steps$"):
        single.require_complete(SimpleNamespace(state="COMPLETE", steps=1, reason=None), 2, "tiny BERT")


@pytest.mark.parametrize(("own", "seen"), [(None, "0"), ("3", "3"), ("2,1", "2"), ("", "")])
def test_the_process_that_measures_sees_one_gpu_and_has_the_environment_of_a_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str | None, seen: str
) -> None:
    found: dict[str, str] = {}

    def started(arguments: list[str], environment: dict[str, str]) -> None:
        found.update(environment)
        Path(arguments[-1]).write_text("[]")

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if own is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", own)
    monkeypatch.setattr(process, "run", started)
    single.measure([[single.SHAPES[0]]], tmp_path)
    assert found == {**work.ENVIRONMENT, "CUDA_VISIBLE_DEVICES": seen}


def test_every_other_round_of_packing_runs_backwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def ran(planned: Any, place: Path, workers: int) -> packing.Packed:
        seen.append(workers)
        return packing.Packed(workers, 16, (float(len(seen)),), workers)

    monkeypatch.setattr(packing, "_run", ran)
    found = packing.measure(tmp_path, miniature=False)
    assert seen == [1, 2, 4, 8, 8, 4, 2, 1]
    assert [run.walls for run in found] == [(1.0, 8.0), (2.0, 7.0), (3.0, 6.0), (4.0, 5.0)]


@pytest.mark.slow
def test_a_miniature_goes_all_the_way(tmp_path: Path) -> None:
    done = run("--miniature", "--out", str(tmp_path / "tiny.md"))
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "tiny.md").read_text()
    assert "| t5-small, translation, 64 tokens |" in written
    assert "A miniature" in written
    assert "Medians of 1 round," in written
