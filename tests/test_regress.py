"""The head that gives numbers: on what scale it learns them, and how they come out of a whole cell."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from bench import cell as cells
from bench.learn import device, distill
from bench.learn.fit import ModelLearner, open_learner
from bench.learn.heads.regress import Regress, numbers_of
from bench.learn.network import Network
from bench.learner import Assignment
from bench.material import Material
from bench.record import Data, Outcome
from bench.sources import Splits
from bench.spec import Family, Head, Pinned
from tests import fakes, tiny

torch.set_num_threads(1)
SCORES = [row["score"] for row in tiny.rows(Head.REGRESS)]


def learner(root: Path, method: str = "full", **changes: Any) -> ModelLearner:
    given = tiny.assignment(Head.REGRESS, tiny.checkpoint(Family.ENCODER, root / "encoder"), method)
    return ModelLearner(dataclasses.replace(given, **changes))


def test_numbers_are_learnt_with_the_mean_and_deviation_of_the_training_rows(root: Path) -> None:
    """Not of validation rows; and answers are turned back."""
    made = learner(root, validation=[{"one": "a", "other": "b", "score": 1e6}])
    targets = [example["target"] for example in made.train_examples]
    assert (np.mean(targets), np.std(targets)) == (pytest.approx(0), pytest.approx(1))
    assert made.head.decode(targets, made.train_set) == pytest.approx(SCORES)


def test_training_rows_of_one_number_are_learnt_as_0(root: Path) -> None:
    """As a small cut of the rows may be."""
    rows = [{**row, "score": 2.5} for row in tiny.rows(Head.REGRESS)]
    made = learner(root, train=rows)
    assert [example["target"] for example in made.train_examples] == [0] * len(rows)
    assert made.head.decode([0.0, 1.0], made.train_set) == [2.5, 3.5]


def test_what_is_no_finite_number_is_told_as_none_and_counted_as_invalid(root: Path) -> None:
    made = learner(root)
    assert made.head.decode([math.nan, math.inf, 0.0], made.train_set) == [None, None, pytest.approx(np.mean(SCORES))]

    def broken(network: Network) -> Network:
        assert isinstance(network.head, nn.Linear)
        nn.init.constant_(network.head.bias, math.nan)
        return network

    predicted = made._predict(broken(made._network(0)), tiny.rows(Head.REGRESS))
    assert list(predicted.predictions) == [None] * 8
    assert (predicted.health.invalid, predicted.health.distinct) == (8, 1)


def test_numbers_are_not_rounded_where_the_network_runs_in_bfloat16(root: Path) -> None:
    """Which has 8 bits for digits: 1,000 vectors would get some hundred numbers."""
    torch.manual_seed(0)
    network, features = learner(root)._network(0), torch.randn(1000, tiny.SIZE)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = numbers_of(network, features.bfloat16())
    assert found.dtype is torch.float32
    assert len(set(found.tolist())) > 950


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_the_loss_is_the_mean_squared_error_of_standardised_numbers(root: Path, family: Family) -> None:
    made = ModelLearner(tiny.assignment(Head.REGRESS, tiny.checkpoint(family, root / str(family)), "full"))
    network = made._network(0).eval()
    batch = made.head.collate(made.train_examples, made.torch_device)
    with torch.no_grad():
        features = made.head.features(network, batch)
        answers = made.head.decode(made.head.answers(network, features, batch), made.train_set)
        loss = float(made.head.loss(network, features, batch))
    errors = (np.array(answers) - SCORES) / np.std(SCORES)
    assert loss == pytest.approx(float(np.mean(errors**2)), rel=1e-4)


def test_a_students_objective_is_nearness_to_the_teachers_numbers(root: Path) -> None:
    given = tiny.assignment(Head.REGRESS, tiny.checkpoint(Family.ENCODER, root / "encoder"), "full")
    teacher = dataclasses.replace(given.model, name="teacher", path=tiny.teacher(root / "teacher"))
    made, method = ModelLearner(given), given.method
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device, "CPU_BFLOAT16_WIDTH", 10**9)
        distill.distill(made, Pinned(teacher), method, alpha=0.3, temperature=2.0)
        network = made._network(1).eval()
        batch = made.head.collate(made.train_examples, made.torch_device)
        with torch.no_grad():
            loss, objective = made._losses(network, batch)
            ours = numbers_of(network, made.head.features(network, batch))
    theirs = torch.stack([example["soft"][0] for example in made.train_examples])
    assert float(objective) == pytest.approx(0.7 * float(loss) + 0.3 * float(((ours - theirs) ** 2).mean()), rel=1e-4)
    assert len(set(theirs.tolist())) == len(theirs)


class Huge(Regress):
    """A head whose numbers overflow from the first step on."""

    def answers(self, network: Network, features: torch.Tensor, batch: Any) -> list[Any]:
        return [math.inf] * len(features)


@pytest.mark.parametrize("broken", [False, True])
def test_a_whole_cell_of_numbers_has_scores_an_interval_and_stored_predictions(
    root: Path, tmp_path: Path, broken: bool
) -> None:
    """All of it JSON without NaN, also where the network gives no finite number."""
    task = dataclasses.replace(
        tiny.TASKS[Head.REGRESS], metric="spearman", floors=("mean_number", "word_overlap"), name="parity"
    )
    rows = tiny.rows(Head.REGRESS)
    material = Material(task, Splits(rows, rows, lambda: rows, Data("files", "memory", "0" * 64, None, 8, 8, 8)))
    cell = dataclasses.replace(fakes.cell(), task=task, model=tiny.checkpoint(Family.ENCODER, root / "encoder"))
    full = learner(root).assignment.method
    cell = dataclasses.replace(cell, method=full, method_name="full", options={})

    def opener(assignment: Assignment) -> Any:
        made = open_learner(assignment)
        if broken:
            made.head = Huge(assignment, made.head.tokenizer)  # type: ignore[union-attr]
        return made

    done = cells.run(cell, opener, open_material=lambda: material, study=tmp_path / "study.journal")
    record = done.record
    assert record.outcome is Outcome.OK, record.reason
    assert record.score is not None
    assert record.low is not None
    assert record.high is not None
    assert -100 <= record.low <= record.score <= record.high <= 100
    assert record.floors["mean_number"] == {"spearman": 0, "pearson": 0}
    assert record.floors["word_overlap"]["spearman"] != 0
    predictions: Sequence[Any] = [json.loads(row["prediction"]) for row in done.predictions]
    assert all(p is None for p in predictions) if broken else all(isinstance(p, float) for p in predictions)
    assert all(isinstance(json.loads(row["reference"]), float) for row in done.predictions)
    assert all(0 <= row["score"] <= 100 for row in done.predictions)
    assert not broken or (record.score == 0 and record.finals[0].health is not None)
