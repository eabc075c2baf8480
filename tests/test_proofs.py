"""The slow proofs: what only the real grid can show. `nox -s proofs` runs them."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest

from bench.cli import main

TASKS = ("sentiment", "ner", "qa", "translation", "summarization")
MODELS = ("bert-mini", "gpt2-mini", "t5-mini")


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str, str], Any]:
    """Every cell of the shipped suite under `full` and `scratch`, by task, model and method."""
    out: Path = tmp_path_factory.mktemp("runs") / "proofs"
    assert main(["run", "--suite", "glue-lite", "--methods", "full,scratch", "--out", str(out), "--no-track"]) == 0
    records = [json.loads(path.read_text(encoding="utf-8")) for path in out.glob("records/*/*/*.json")]
    return {(r["task"], r["model"], r["method"]): r for r in records}


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("model", MODELS)
def test_full_fine_tuning_from_the_checkpoint_beats_random_weights(
    cells: dict[tuple[str, str, str], Any], task: str, model: str
) -> None:
    """By more than two standard errors of the difference over seeds, each at its own searched rate."""
    metric = cells[task, model, "full"]["metric"]
    full, scratch = (
        [final["scores"][metric] for final in cells[task, model, method]["finals"]] for method in ("full", "scratch")
    )
    error = ((stdev(full) ** 2 + stdev(scratch) ** 2) / len(full)) ** 0.5
    assert mean(full) - mean(scratch) > 2 * error
