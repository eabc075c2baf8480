"""Answers of made-up cells to the same test rows, for the tests of statistics. Knows no learner and no file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bench.metrics.metric import Array, Metric, means
from bench.predictions import Answers
from bench.record import Names
from leaderboard.panel import Panel, of_answers

MEAN = Metric("mean", ("mean",), "label", lambda predictions, references: np.zeros((0, 2)), means(("mean",)), dict)
LOSS = Metric(
    "loss", ("loss",), "label", lambda predictions, references: np.zeros((0, 2)), means(("loss",)), dict,
    higher_is_better=False,
)


def named(model: str, method: str = "full", task: str = "task") -> Names:
    """A cell's names."""
    return task, model, method


def mean_statistics(values: Array) -> Array:
    """What `MEAN` needs of rows with these scores."""
    return np.column_stack([np.ones(len(values)), values])


def answers(*seeds: Array, metric: Metric = MEAN, asked: str = "rows") -> list[Answers]:
    """The answers of seeds with these scores of rows."""
    return [Answers(number, asked, mean_statistics(s), np.asarray(s, dtype=float)) for number, s in enumerate(seeds, 1)]


def panel(cells: Mapping[str, Sequence[Array]], metric: Metric = MEAN, task: str = "task") -> Panel:
    """A panel of cells by model name, from scores of rows for each seed."""
    return of_answers(metric, {named(model, task=task): answers(*seeds) for model, seeds in cells.items()})


def grid(
    rng: np.random.Generator, cells: int, seeds: int, rows: int, *, seed_spread: float, tops: Sequence[float] = ()
) -> dict[str, list[Array]]:
    """Scores of rows near 50 (standard deviation about 14) of cells "a", "b", ..., whose true means are 50 + `tops`.

    Rows are hard or easy for all; seeds differ by `seed_spread` points.
    """
    common = rng.normal(0, 10, rows)
    tops = tops or [0.0] * cells

    def seed(top: float) -> Array:
        drawn: Array = 50 + top + rng.normal(0, seed_spread) + common + rng.normal(0, 10, rows)
        return drawn

    return {chr(97 + c): [seed(tops[c]) for _ in range(seeds)] for c in range(cells)}
