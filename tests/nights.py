"""Whole runs of the fake learner on disk, for tests of comparisons: quick, and as noisy or as wrong as asked for."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench import cell as cells
from bench import provenance
from bench.learner import Assignment, Learner
from bench.material import Material
from bench.plan import Cell
from bench.record import Outcome, Record
from bench.spec import Budget, Rows
from bench.store import Store
from leaderboard import sides
from leaderboard.sides import Night, Side
from tests import fakes
from tests.fakes import FakeLearner

BUDGET = Budget(trials=2, seeds=(1, 2, 3), epochs=2, batch_size=8, evaluations=2)
MODELS = tuple(f"m{number}" for number in range(6))


class NoisyLearner(FakeLearner):
    """A fake learner whose chance is drawn from `salt`, and whose answers are wrong for a share `worse` of all rows."""

    def __init__(self, assignment: Assignment, salt: str = "", worse: float = 0.0, loss: float = 1.0) -> None:
        super().__init__(assignment)
        self.salt, self.worse, self.loss = f"{salt}/{assignment.model.name}", worse, loss

    def answers(self, asked: Rows, rate: float, seed: int, progress: float) -> list[str]:
        """Right for nine rows in ten at any rate, less those that are worse."""
        salt = self.salt if self.salt[0] != "/" else self.salt[1:]
        right = 0.9 - self.worse
        told = []
        for row in asked:
            hard = fakes._draw(row["text"], 0) < 0.8 * right  # rows that every seed answers rightly
            lucky = fakes._draw(f"{salt}{row['text']}", seed) < 0.2 * right / (1 - 0.8 * right)
            told.append(fakes.answer(row["text"]) if hard or lucky else "neither")
        return told

    def fitted(self, state: str, curve: Sequence[Any], rate: float, seed: int, reason: str | None = None) -> Any:
        """The finished training, its losses varying with the seed."""
        scale = self.loss * (1 + 0.02 * fakes._draw(self.salt, seed))
        points = [dataclasses.replace(point, loss=point.loss * scale) for point in curve]
        return super().fitted(state, points, rate, seed, reason)


def grid(models: Sequence[str] = MODELS, **changes: Any) -> list[Cell]:
    """One cell for each model."""
    return [fakes.cell(model=name, budget=BUDGET, **changes) for name in models]


def make(
    run: Path,
    planned: Sequence[Cell] | None = None,
    *,
    learner: Callable[[Assignment], Learner] = NoisyLearner,
    material: Callable[[Cell], Material] = lambda cell: fakes.material(),
    edit: Callable[[Record], Record | None] = lambda record: record,
    left_out: Sequence[str] = (),
    history: Mapping[str, Any] | None = None,
) -> Side:
    """A run in which every planned cell was made; `edit` changes a record before it is kept, or loses it (None)."""
    store, planned = Store(run), grid() if planned is None else planned
    names = [{"task": c.task.name, "model": {"name": c.model.name}, "method": c.method_name,
              "fingerprint": c.fingerprint} for c in planned]
    store.write_plan(json.dumps({"cells": names}))
    sides.write_night(run, Night("fake", provenance.now(), tuple(left_out)))
    for cell in planned:
        finished = cells.run(
            cell, learner, open_material=partial(material, cell), study=store.study(cell.names), facts=history
        )
        record = edit(finished.record)
        if record is not None:
            store.write_record(record)
            store.write_predictions(cell.names, finished.predictions)
    return sides.read(run)


def ended(record: Record, outcome: Outcome) -> Record:
    """The record of a cell that ended otherwise."""
    return dataclasses.replace(record, outcome=outcome, score=None, reason="it ended so")
