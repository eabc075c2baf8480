"""Scores on parts of the test rows: by phenomenon, length, label, or whether the row asks for something never seen.

Knows test rows as `bench.predictions.prediction_schema` has them, and answers; no layout.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

FEWEST = 20
"""Slices of fewer rows are left out: their scores say next to nothing."""
MOST_LABELS = 20
"""Of more labels only the commonest have a slice."""


@dataclass(frozen=True)
class Slice:
    """Some of the test rows (their places in order): those whose `column` has `value`."""

    column: str
    value: str
    rows: tuple[int, ...]


def slices(rows: Sequence[Mapping[str, Any]], fewest: int = FEWEST) -> tuple[Slice, ...]:
    """The slices of one seed's prediction rows, in order of column and value; none smaller than `fewest` rows.

    `phenomenon`: each tag of the corpora. `length`: thirds by words of the input. `label`: the reference where it is
    one label, each type of entity where it is tags. `entity`: seen in training, or not. A row may be in many slices.
    """
    found: dict[tuple[str, str], list[int]] = {}
    lengths = _thirds([len(str(row["input"]).split()) for row in rows])
    labels = [_labels(json.loads(row["reference"])) for row in rows]
    common = _commonest(labels)
    for i, row in enumerate(rows):
        keys = [("phenomenon", tag) for tag in json.loads(row["phenomena"] or "[]")]
        keys += [("length", lengths[i])] if lengths else []
        keys += [("label", label) for label in labels[i] if label in common]
        keys += [("entity", "unseen" if row["unseen"] else "seen")] if row.get("unseen") is not None else []
        for key in keys:
            found.setdefault(key, []).append(i)
    kept = {key: places for key, places in found.items() if len(places) >= fewest}
    return tuple(Slice(*key, tuple(places)) for key, places in sorted(kept.items()))


def _thirds(lengths: Sequence[int]) -> list[str]:
    """For each row a third by length, named by its range; nothing where rows do not differ enough for thirds."""
    low, high = np.quantile(lengths, [1 / 3, 2 / 3]) if lengths else (0, 0)
    if low >= high or high >= max(lengths):
        return []
    names = (f"1 short (to {int(low)} words)", f"2 middle (to {int(high)} words)", f"3 long (over {int(high)} words)")
    return [names[int(length > low) + int(length > high)] for length in lengths]


def _labels(reference: Any) -> set[str]:
    """A label stands for itself; tags for the types of their entities. Texts and answers have none."""
    if isinstance(reference, list):
        return {tag.partition("-")[2] for tag in reference if isinstance(tag, str) and tag != "O"} or {"no entity"}
    return {reference} if isinstance(reference, str) else set()


def _commonest(labels: Sequence[set[str]]) -> set[str]:
    counts: dict[str, int] = {}
    for row in labels:
        for label in row:
            counts[label] = counts.get(label, 0) + 1
    return set(sorted(counts, key=lambda label: (-counts[label], label))[:MOST_LABELS])
