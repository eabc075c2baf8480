"""What the pages show of the answers of cells that are compared: examples, slices, and comparisons of any two.

Reads the answers that a run keeps beside its records. Knows no layout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.errors import StoreError
from bench.metrics.metric import Array, Metric, divide
from bench.predictions import Answers
from bench.record import Names
from bench.store import Store
from leaderboard import answers, slices, versus
from leaderboard.answers import Given
from leaderboard.panel import Panel, of_answers
from leaderboard.slices import Slice
from leaderboard.versus import Contrasts

MOST_TESTED = 60
"""Cells of a group up to which every pair is compared on every slice, too: the work grows with pairs times slices."""
MOST_PAIRED = 300
"""Cells of a group up to which every pair is compared; of more, the best so many."""
MOST_ROWS = 200
"""Test rows that the comparison shows of a group: those on which its cells differ most."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """The answers of the cells of a panel, whose order is that of `panel.names`.

    `rows` are the test rows, `given` each cell's first answers. `scores` (s, c) are the cells' mean scores on the
    slices. `contrasts` is None where there are more cells than are compared on slices, or no slices. `examples` are the
    rows that tell cells apart, the first ones most.
    """

    panel: Panel
    rows: Sequence[Mapping[str, Any]]
    given: tuple[Given, ...]
    parts: tuple[Slice, ...]
    scores: Array
    contrasts: Contrasts | None
    examples: tuple[int, ...]

    @property
    def heat(self) -> Array:
        """Where each score lies between the worst (0) and the best (1) of its slice; 0 where all are equal."""
        signed = self.panel.sign * self.scores
        low = signed.min(axis=1, keepdims=True)
        return divide(signed - low, signed.max(axis=1, keepdims=True) - low)


def of(store: Store, panel: Panel) -> Evidence:
    """What the store keeps of these cells' answers. Raises StoreError where it cannot be read."""
    rows = answers.asked(store, panel.names[0])
    cells = {names: store.read_answers(names) for names in panel.names}
    given = tuple(_given(store, names) for names in panel.names)
    parts = slices.slices(rows)
    return Evidence(
        panel, rows, given, parts, _scores(panel.metric, list(cells.values()), parts),
        _contrasts(panel.metric, cells, parts), _telling(panel),
    )


def _given(store: Store, names: Names) -> Given:
    found = answers.given(store, names)
    if found is None:
        raise StoreError(f"{'/'.join(names)}: its answers were removed meanwhile. Publish again.")
    return found


def _scores(metric: Metric, cells: Sequence[Sequence[Answers]], parts: Sequence[Slice]) -> Array:
    """Mean scores over seeds, (slices, cells)."""
    if not parts:
        return np.empty((0, len(cells)))
    chosen = np.zeros((len(parts), len(cells[0][0].scores)))
    for i, part in enumerate(parts):
        chosen[i, list(part.rows)] = 1.0
    by_cell = [
        np.mean([metric.aggregate(chosen @ seed.statistics)[metric.name] for seed in seeds], axis=0) for seeds in cells
    ]
    # Rounded, since the last bits of a matrix product depend on the number of threads, and a page must not.
    return np.round(np.stack(by_cell, axis=1), 9)


def _contrasts(metric: Metric, cells: Mapping[Names, Sequence[Answers]], parts: Sequence[Slice]) -> Contrasts | None:
    if not parts or not 1 < len(cells) <= MOST_TESTED:
        return None
    return versus.contrasts([of_answers(metric, cells, part.rows) for part in parts])


def _telling(panel: Panel) -> tuple[int, ...]:
    """The rows on which the cells' scores vary most, the first in order where they vary alike; none where none do."""
    variation = np.round(panel.examples.std(axis=0), 9)
    order = np.argsort(-variation, kind="stable")[:MOST_ROWS]
    return tuple(int(i) for i in order if variation[i] > 0)
