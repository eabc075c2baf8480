"""Whether the checkpoints of a run can be loaded, asked before anything trains. (`bench.run` checks the data.)

Knows where checkpoints lie; loads no tensors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from bench import models
from bench.errors import UnavailableError
from bench.plan import Cell

WEIGHTS = ("*.safetensors",)
TOKENIZER = ("tokenizer.json", "vocab.*", "*.model")
"""Files that hold a vocabulary. Without any, transformers silently makes a tokenizer that knows no word."""


def check_checkpoints(cells: Iterable[Cell]) -> None:
    """Raise UnavailableError for the first checkpoint that is needed and cannot be had.

    A local one must hold a vocabulary, and weights as safetensors unless all methods start from random ones; of one on
    the hub the config is fetched, which shows that the hub, or the local cache, has this commit.
    """
    for cell in {(c.model, c.model_revision, c.method.pretrained): c for c in cells}.values():
        _check(cell)


def _check(cell: Cell) -> None:
    place = models.directory(cell.model)
    if place is None:
        from bench.learn import hub

        hub.model_config(cell.model.path, cell.model_revision)
    else:
        _require(cell, place, "tokenizer", TOKENIZER)
        if cell.method.pretrained:
            _require(cell, place, "weights", WEIGHTS)


def _require(cell: Cell, place: Path, what: str, patterns: Sequence[str]) -> None:
    if not any(found for pattern in patterns for found in place.glob(pattern)):
        raise UnavailableError(
            f"model {cell.model.name!r}: there is no file with its {what} ({', '.join(patterns)}) in {place}. "
            "Put it there: `save_pretrained` of transformers writes it."
        )
