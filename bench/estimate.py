"""How long a cell will take. Rough by design: it orders the work and gives a first idea; earlier records are better.

Knows budgets, declarations and the shapes of models; nothing of how fast the machine is.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping

from bench import models
from bench.errors import UnavailableError
from bench.plan import Cell
from bench.record import Names, Record, to_json
from bench.spec import Head, Model

SECONDS_PER_STEP = {Head.CLASSIFY: 0.03, Head.REGRESS: 0.03, Head.TAG: 0.04, Head.SPAN: 0.12, Head.GENERATE: 0.09}
"""One optimizer step on 32 rows: a three-layer model of width 128, one thread of a server processor."""

SECONDS_PER_EVALUATION = {Head.CLASSIFY: 0.2, Head.REGRESS: 0.2, Head.TAG: 0.3, Head.SPAN: 0.5, Head.GENERATE: 0.7}
"""Prediction and scoring of some hundred rows with the same model."""

FROZEN_SHARE = {"nothing": 1.0, "lower": 0.7, "backbone": 0.25}
"""What a step costs where part of the model never changes, against full training."""

BUNDLED_SIZE = 3 * 128**2
"""Layers x width^2 of a bundled model: a step's arithmetic grows with this product."""

BASE_SIZE = 12 * 768**2
"""The same of a base model: the guess for a model whose configuration is not on this machine."""

EFFICIENCY = 0.82
"""Large matrices run nearer to the processor's peak: a step takes (relative size) ** EFFICIENCY times as long."""

LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers")
WIDTHS = ("hidden_size", "n_embd", "dim", "d_model")
SIZES = (LAYERS, WIDTHS)
"""What configurations call them."""

USUAL_ROWS = 1500
"""Training rows of a bundled corpus, and the guess where the budget does not limit them."""


def steps(cell: Cell) -> int:
    """Optimizer steps of the whole cell, search and final seeds, when nothing is pruned or stopped early."""
    budget = cell.budget
    if cell.method.rates is None:
        return 0
    return _epoch(cell) * (budget.trial_epochs * budget.trials + budget.epochs * len(budget.seeds))


def _epoch(cell: Cell) -> int:
    """Optimizer steps of one epoch."""
    rows = cell.budget.train_size or USUAL_ROWS
    if cell.source == "bundled":
        rows = min(rows, USUAL_ROWS)
    return math.ceil(rows / cell.budget.batch_size)


def seconds(cell: Cell, earlier: Mapping[Names, Record] | None = None) -> float:
    """Seconds that the cell takes on one worker: as in an earlier record with the same budget, else a rough guess."""
    record = (earlier or {}).get(cell.names)
    if record is not None and record.cost is not None and dict(record.budget) == to_json(cell.budget):
        return record.cost.seconds
    budget, head = cell.budget, Head.GENERATE if cell.model.writes else cell.task.head
    validations = budget.evaluations * (budget.trials + len(budget.seeds)) if cell.method.rates else 0
    evaluations = validations + 2 * len(budget.seeds)
    step = SECONDS_PER_STEP[head] * budget.batch_size / 32
    training = steps(cell) * step * FROZEN_SHARE[cell.method.frozen]
    here = _slowness(cell.model) * (training + evaluations * SECONDS_PER_EVALUATION[head])
    return here + _epoch(cell) * budget.epochs * step * sum(map(_slowness, _prepared(cell)))


def _prepared(cell: Cell) -> list[Model]:
    """The models that are trained once before the trainings of the budget: a teacher, or the cell's own."""
    if cell.method.prepare is None:
        return []
    return [other.model for other in cell.others.values()] or [cell.model]


def _slowness(model: Model) -> float:
    """The time of a step against one of a bundled model. One that cannot be had is taken for a base model."""
    try:
        size = _size(model)
    except UnavailableError:
        size = BASE_SIZE
    slowness: float = (size / BUNDLED_SIZE) ** EFFICIENCY
    return slowness


@functools.cache
def _size(model: Model) -> float:
    """Layers x width^2 by the model's configuration, where that is on this machine."""
    place = models.directory(model)
    if place is None:
        return BASE_SIZE
    config = models.config(place)
    layers, width = (next((config[key] for key in keys if isinstance(config.get(key), int)), 0) for keys in SIZES)
    return float(layers * width**2) or BASE_SIZE
