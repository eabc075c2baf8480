"""The peer is told the very cell that a run of ours makes, and gives answers in the order of the rows."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoTokenizer

from bench import sources
from bench.learn.fit import ModelLearner
from bench.models import ROOT
from benchmarks.peer import handed as told
from benchmarks.peer import networks, precision, rows
from benchmarks.peer.__main__ import Cell
from benchmarks.peer.handed import Handed
from benchmarks.speed import grid, single

KEY = "ner/bert-mini/lora"


@pytest.fixture(scope="module")
def handed(tmp_path_factory: pytest.TempPathFactory) -> Handed:
    (cell,) = grid.cells([KEY], pruning=True).cells
    return told.read(grid.hand_out(cell, tmp_path_factory.mktemp("handed")))


def test_rows_rates_and_budget_are_those_of_our_cell(handed: Handed) -> None:
    (cell,) = grid.cells([KEY], pruning=True).cells
    splits = sources.load(cell.task, cell.source, budget=cell.budget)
    assert handed.split("train") == json.loads(json.dumps([dict(row) for row in splits.train]))
    assert len(handed.split("test")) == len(splits.test())
    assert cell.method.rates is not None
    assert handed.rates[2] == pytest.approx(cell.method.rates.default * 768 / 128)
    assert (handed.trials, handed.seeds, handed.batch_size) == (4, (1, 2, 3), cell.budget.batch_size)
    assert handed.labels[0] == "O"


def test_without_pruning_there_is_one_evaluation() -> None:
    (cell,) = grid.cells([KEY], pruning=False).cells
    assert cell.budget.evaluations == 1


@pytest.mark.parametrize("evaluations", [1, 2])
def test_the_peer_evaluates_as_often_as_our_cell(handed: Handed, tmp_path: Path, evaluations: int) -> None:
    asked = dataclasses.replace(handed, evaluations=evaluations, batch_size=64)
    trainer = Cell(asked, tmp_path).trainer(1, 1, 1e-4, keep_best=False)
    trainer.train()
    steps = [found["step"] for found in trainer.state.log_history if "eval_loss" in found]
    assert len(steps) == evaluations
    assert steps[-1] == trainer.state.max_steps > evaluations


def test_heads_and_what_no_checkpoint_has_train_under_every_method(tmp_path: Path) -> None:
    """A pooler of random weights, left frozen below the classifier, would hide from it what BERT knows."""
    for method in ("head_only", "freeze", "lora"):
        (cell,) = grid.cells([f"sentiment/bert-mini/{method}"], pruning=True).cells
        asked = told.read(grid.hand_out(cell, tmp_path))
        network = networks.build(asked, AutoTokenizer.from_pretrained(asked.checkpoint))
        trained = [name for name, parameter in network.named_parameters() if parameter.requires_grad]
        assert any("pooler" in name for name in trained)
        assert any("classifier" in name for name in trained)


def test_the_precision_that_is_faster_is_found_by_trying_both(handed: Handed, tmp_path: Path) -> None:
    source, target = tmp_path / "cell.json", tmp_path / "found.json"
    told.write(source, dataclasses.replace(handed, batch_size=4))
    precision.main(target, [source])
    assert json.loads(target.read_text())[str(source)] in (True, False)


def test_a_timed_training_of_the_peer_loads_nothing_and_is_the_same_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = {"epochs": 1, "train_size": 64, "validation_size": 8, "batch_size": 32}
    (cell,) = grid.cells([KEY], pruning=True, budget=budget).cells
    train = single._peer(cell, tmp_path, bfloat16=False)
    monkeypatch.setattr(networks, "build", None)  # which loads the checkpoint
    outcomes: list[Any] = [train(), train()]
    one, other = outcomes
    assert one.training_loss == other.training_loss
    assert one.global_step == other.global_step == 2


def test_a_training_of_ours_that_ends_early_is_no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = {"epochs": 1, "train_size": 64, "validation_size": 8, "batch_size": 32}
    (cell,) = grid.cells([KEY], pruning=True, budget=budget).cells
    train, _ = single._ours(cell)
    fitted: Any = train()
    assert fitted.state == "COMPLETE"
    early = dataclasses.replace(fitted, state="DIVERGED", reason="no numbers")
    monkeypatch.setattr(ModelLearner, "fit", lambda *given: early)
    with pytest.raises(RuntimeError, match="ner/bert-mini/lora: DIVERGED: no numbers"):
        train()


def test_a_cell_that_the_suite_does_not_have_is_named() -> None:
    with pytest.raises(SystemExit, match="ner/bert-mini/magic"):
        grid.cells(["ner/bert-mini/magic"], pruning=True)


def test_perfect_scores_give_the_rows_own_tags_in_their_order(handed: Handed) -> None:
    """Data sets are sorted by length for evaluation; answers come back in the order of the rows."""
    tokenizer = AutoTokenizer.from_pretrained(ROOT / "bench/checkpoints/bert-mini")
    found = handed.split("validation")
    prepared = rows.prepare(handed, tokenizer, found, train=False)
    labels = prepared.data["labels"]
    width = max(map(len, labels))
    best = np.array([[max(0, label) for label in row] + [0] * (width - len(row)) for row in labels])
    assert prepared.data["length"] == sorted(prepared.data["length"], reverse=True)
    assert prepared.answers(best) == [row["tags"] for row in found]


def test_results_do_not_say_where_files_lay() -> None:
    told = single._public(single.Shape("MiniLM", path="/somewhere/model", data_dir="/somewhere/rows"))
    assert told["name"] == "MiniLM"
    assert "somewhere" not in str(told)
