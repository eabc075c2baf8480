"""What was asked, what is true and what a cell answered, as text that people read. Knows test rows, no layout."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.metrics.metric import Array, Metric
from bench.record import Names
from bench.store import Store
from leaderboard import figures

ASKED = ("input", "reference", "phenomena", "unseen")
GIVEN = ("prediction", "score")
LENGTH = 400
"""Characters of a text that are shown."""
NOTHING = "(nothing)"


@dataclass(frozen=True, eq=False)
class Given:
    """What a cell's first seed answered: JSON texts, and the (n,) scores of the rows."""

    predictions: Sequence[str]
    scores: Array

    def wrong(self, metric: Metric) -> list[int]:
        """The rows without the best score there can be, the worst first."""
        sign = 1 if metric.higher_is_better else -1
        best = metric.limits[1 if metric.higher_is_better else 0]
        worst = np.argsort(sign * self.scores, kind="stable")
        return [int(i) for i in worst if not math.isclose(self.scores[i], best)]


def given(store: Store, names: Names) -> Given | None:
    """A cell's answers, None where they are not kept. Raises StoreError where they cannot be read."""
    found = store.read_first_seed(names, GIVEN)
    return Given(found["prediction"], np.asarray(found["score"], dtype=np.float64)) if found else None


def asked(store: Store, names: Names) -> list[dict[str, Any]]:
    """The test rows that a cell answered. Raises StoreError where they cannot be read."""
    found = store.read_first_seed(names, ASKED)
    return [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]


@functools.lru_cache(maxsize=1 << 16)
def shown(answer: str, asked: str) -> str:
    """An answer or a reference, as JSON, for people: the label, the text, or each entity with its type.

    `asked` is the input, whose words the tags are of.
    """
    value = json.loads(answer)
    if isinstance(value, Mapping):
        return " / ".join(map(str, value.get("text", ()))) or NOTHING
    if isinstance(value, list):
        return _entities(value, asked.split()) if _are_tags(value) else " / ".join(map(str, value))
    return NOTHING if value is None or value == "" else str(value)


@functools.lru_cache(maxsize=1 << 16)
def cut(text: str, length: int = LENGTH) -> str:
    """A text on one line, cut where it is longer than what is shown."""
    # Most text has no character that must not be shown, which is quicker to know than to take them out.
    plain = " ".join(text.split()) if text.isprintable() else figures.plain(text)
    return figures.shorten(plain, length)


def _are_tags(value: Sequence[Any]) -> bool:
    return bool(value) and all(isinstance(tag, str) and (tag == "O" or tag[:2] in ("B-", "I-")) for tag in value)


def _entities(tags: Sequence[str], words: Sequence[str]) -> str:
    """Each run of B- and I- tags of one type as its words and the type. Words beyond the tags are left out.

    An `I-x` that continues nothing belongs to no entity (`bench.metrics.entity_f1`), and must not look like one that
    was found: it is shown as the tag that it is.
    """
    runs: list[tuple[str, list[str]]] = []
    before = "O"
    for tag, word in zip(tags, words, strict=False):
        kind = tag.partition("-")[2]
        if tag.startswith("B-"):
            runs.append((kind, [word]))
        elif tag != "O" and before.partition("-")[2] != kind:
            runs.append((f"{tag} without B-{kind}", [word]))
        elif tag != "O":
            runs[-1][1].append(word)
        before = tag
    return " · ".join(f"{' '.join(found)} ({kind})" for kind, found in runs) or "no entity"
