"""Seeded drawing shared by the corpora: generators, word splits, and splits without overlap.

Knows nothing of any particular world. Standard library only, so that the bytes depend on the seed alone.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
Row = dict[str, Any]
Corpus = dict[str, list[Row]]

SPLITS = ("train", "validation", "test")
"""The splits of every corpus, in the order in which they are drawn."""


def generator(*names: object) -> random.Random:
    """A random generator that depends on `names` alone, never on hash randomisation or on other generators."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))


def hold_out(words: Sequence[T], rng: random.Random, *, validation: float, test: float) -> dict[str, list[T]]:
    """Partition `words` into those of the training split and those first met in validation or in test.

    `validation` and `test` are shares of `words`. Keys are the split names; the three lists are disjoint.
    """
    shuffled = list(words)
    rng.shuffle(shuffled)
    in_validation, in_test = round(len(words) * validation), round(len(words) * test)
    cut = len(words) - in_validation - in_test
    return {
        "train": shuffled[:cut],
        "validation": shuffled[cut : cut + in_validation],
        "test": shuffled[cut + in_validation :],
    }


def draw_splits(draw: Callable[[str], Row], sizes: Mapping[str, int], identity: Callable[[Row], Hashable]) -> Corpus:
    """Draw rows split by split until each has its size; no two rows of the corpus share an `identity`."""
    seen: set[Hashable] = set()
    return {split: list(_distinct(draw, split, sizes[split], identity, seen)) for split in SPLITS}


def _distinct(
    draw: Callable[[str], Row], split: str, size: int, identity: Callable[[Row], Hashable], seen: set[Hashable]
) -> Iterator[Row]:
    found = 0
    for _ in range(100 * size):
        row = draw(split)
        if identity(row) in seen:
            continue
        seen.add(identity(row))
        found += 1
        yield row
        if found == size:
            return
    raise RuntimeError(f"the world is too small: {found} of {size} distinct rows for the {split} split")


def content_hash(corpus: Mapping[str, Sequence[Row]]) -> str:
    """SHA-256 (hex) of the rows of every split in order, as canonical JSON."""
    text = json.dumps(corpus, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
