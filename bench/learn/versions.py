"""Training rows in several versions, of which an epoch shows one each. Knows examples, not how versions are made."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.learn.batch import Encoded, Example

Shown = Sequence[Sequence[Example]]
"""The examples of every row: one, or several windows."""


@dataclass(frozen=True)
class Versions:
    """The rows as they are, other versions of them all, and how often one of those is shown instead."""

    plain: Shown
    others: Sequence[Shown]
    share: float

    @staticmethod
    def of(plain: Encoded, others: Sequence[Encoded], share: float) -> Versions:
        """From encoded rows; every version has the same rows in the same order."""
        return Versions(_by_row(plain), [_by_row(other) for other in others], share)

    def epoch(self, rng: random.Random) -> list[Example]:
        """The examples of every row once, in a version drawn anew for each row."""
        return [example for row in range(len(self.plain)) for example in self._drawn(rng)[row]]

    def examples(self) -> Iterator[Example]:
        """Every example of every version."""
        return (example for shown in (self.plain, *self.others) for row in shown for example in row)

    def _drawn(self, rng: random.Random) -> Shown:
        return rng.choice(self.others) if self.others and rng.random() < self.share else self.plain


def _by_row(encoded: Encoded) -> Shown:
    rows: list[list[Example]] = [[] for _ in range(encoded.rows)]
    for example, owner in zip(encoded.examples, encoded.owner, strict=True):
        rows[owner].append(example)
    return rows
