"""The accelerator's page says what was measured, or that nothing was, and needs an accelerator for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig

from bench import catalog
from bench.models import ROOT
from benchmarks.accelerator import page, shapes
from benchmarks.speed.turns import alternate

SHAPE = {
    "shape": {"name": "bert-base, sentiment, short rows"},
    "rounds": {"peer_bfloat16": [[8.0, 8.0]], "ours": [[4.0, 4.0]]},
    "memory": {"peer_bfloat16": 2**30, "ours": None}, "precision": "bfloat16", "flop": 1e14, "examples": 800,
}
RESULTS: dict[str, Any] = {
    "miniature": False, "device": "NVIDIA Z1 (8 GiB; CUDA 13)", "machine": {"cores": 2},
    "peaks": {"float32": 1e4, "bfloat16": 1e5}, "shapes": [SHAPE],
    "packed": [{"workers": 1, "cells": 16, "wall": 120.0, "peak": None}, {"workers": 2, "cells": 16, "wall": 80.0,
                                                                         "peak": 2**20}],
}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.accelerator", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=None)


def test_page_has_rates_shares_of_the_peak_memory_and_packing() -> None:
    found = page.render(RESULTS)
    assert "Measured on NVIDIA Z1 (8 GiB; CUDA 13); cores 2. Matrix product: 10.0 TFLOP/s in float32, 100.0" in found
    assert "| 100 examples/s | 200 examples/s | 2.0 | 12.5% | 25.0% | bfloat16 | 1,024 MiB |  |" in found
    assert "| 2 | 80.0 s | 12.0 | 1.5 | 1 MiB |" in found
    assert "iniature" not in found.partition("## ")[0].partition("```\n\n")[2]


def test_page_of_a_miniature_says_that_it_is_one() -> None:
    assert "A miniature: its figures say nothing" in page.render({**RESULTS, "miniature": True})


def test_page_without_results_says_that_nothing_was_run() -> None:
    assert "Not run yet" in page.render(None)


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


@pytest.mark.slow
def test_a_miniature_goes_all_the_way(tmp_path: Path) -> None:
    done = run("--miniature", "--out", str(tmp_path / "tiny.md"))
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "tiny.md").read_text()
    assert "| t5-small, translation, 64 tokens |" in written
    assert "A miniature" in written
