"""What the peer's script is told of a cell: one JSON file, and the rows of its task beside it.

Written by the benchmark from our own plan, so that both sides have the very same rows, rates, sizes, epochs and seeds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Handed:
    """A cell in plain values. `checkpoint` is a directory; `rates` are lowest, highest and default learning rate.

    `trial_epochs` are the epochs of a trial, `epochs` those of a final training; `cap` limits a written answer, and
    `threads` torch's threads (None: as many as it takes by itself).
    """

    head: str
    family: str
    metric: str
    inputs: tuple[str, ...]
    reference: str
    labels: tuple[str, ...]
    checkpoint: str
    pretrained: bool
    method: str
    rates: tuple[float, float, float]
    trials: int
    seeds: tuple[int, ...]
    trial_epochs: int
    epochs: int
    batch_size: int
    evaluations: int
    input_tokens: int
    output_tokens: int
    stride: int
    cue: str
    rows: str
    bfloat16: bool = False
    threads: int | None = None

    def split(self, name: str) -> list[dict[str, Any]]:
        """The rows of a split."""
        lines = (Path(self.rows) / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


def write(path: Path, handed: Handed) -> None:
    """Put it where the script will read it."""
    path.write_text(json.dumps(asdict(handed)), encoding="utf-8")


def read(path: Path) -> Handed:
    """What `write` wrote."""
    fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    plain: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    return Handed(**plain)


def write_rows(place: Path, split: str, rows: Sequence[Any]) -> None:
    """The rows of a split as JSON lines."""
    place.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(dict(row), ensure_ascii=False) + "\n" for row in rows)
    (place / f"{split}.jsonl").write_text(text, encoding="utf-8")
