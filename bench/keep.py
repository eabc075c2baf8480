"""A kept model on disk: a directory with what its method stores, and what is needed to build the network around it.

Knows names, declarations and files; no tensors (`bench.learn.keep` writes them, `bench.learn.reload` reads them).

    kept.json  tensors.safetensors
    checkpoint/                                  in an export, where the checkpoint is not one of the hub
    config.json  model.safetensors  tokenizer.json  head.safetensors ...   in a merged export, instead of both
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import catalog, models
from bench.errors import RequestError, StoreError
from bench.record import from_json, to_json
from bench.spec import Method, Model, Task

LAYOUT = 1
"""Version of what is below; a directory of another one cannot be read."""

ABOUT, TENSORS, HEAD, CHECKPOINT = "kept.json", "tensors.safetensors", "head.safetensors", "checkpoint"
"""Names inside the directory."""


@dataclass(frozen=True)
class Kept:
    """What has to be known of a final training to have its network again. `task` is without its sources.

    `revision` (hub) or `sha256` (`bench.models.content_hash`) identify the checkpoint. `choice` are options that were
    searched; `facts` what the head found in the training rows (`HeadLogic.facts`), `examples` the rows that a prompt
    shows. `probe` are a few numbers that the network gives for a fixed input, so that one that was rebuilt otherwise is
    noticed. `merged` says that the directory is a plain checkpoint with the method folded in.
    """

    task: Task
    model: Model
    revision: str | None
    sha256: str | None
    method: str
    method_version: int
    options: Mapping[str, Any]
    labels: tuple[str, ...]
    seed: int
    precision: str
    probe: tuple[float, ...]
    rate: float | None = None
    choice: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    examples: tuple[Mapping[str, Any], ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    merged: bool = False
    layout: int = LAYOUT


def write(place: Path, kept: Kept) -> None:
    """Put `kept` into the directory, which must exist."""
    plain = dataclasses.replace(kept, task=dataclasses.replace(kept.task, sources={}))
    text = json.dumps(to_json(plain), indent=1, allow_nan=False, ensure_ascii=False)
    (place / ABOUT).write_text(f"{text}\n", encoding="utf-8")


def read(place: Path) -> Kept:
    """What `write` put into the directory.

    Raises StoreError where there is nothing, or nothing that can be read.
    """
    path = place / ABOUT
    if not path.is_file():
        raise StoreError(
            f"there is no kept model in {place}: it has no {ABOUT}. Give the directory that `python -m bench export` "
            "wrote."
        )
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.get("layout") != LAYOUT:
            raise StoreError(f"{path}: has layout {data.get('layout')}, this version reads {LAYOUT}. Make it again.")
        return from_json(Kept, data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{path}: not the description of a kept model ({error}). Export it again.") from error


def method_of(kept: Kept) -> Method:
    """The method in its present form.

    Raises StoreError where that is not the one that the model was trained by.
    """
    found = catalog.method(kept.method)[0]
    if found.version != kept.method_version:
        raise StoreError(
            f"the model was trained by version {kept.method_version} of {kept.method!r}, and this is version "
            f"{found.version}. Run the cell again, or use the version of this project that trained it."
        )
    return found


def checkpoint_of(place: Path, kept: Kept) -> Model:
    """The model with the place of its checkpoint: in the directory itself, else where the catalog has it.

    Raises StoreError where it is not the checkpoint that was trained from, UnavailableError where there is none.
    """
    if kept.merged:
        return dataclasses.replace(kept.model, path=str(place), package=None)
    model = kept.model
    if (place / CHECKPOINT).is_dir():
        model = dataclasses.replace(model, path=str(place / CHECKPOINT), package=None)
    found = models.content_hash(model) if kept.revision is None else None
    if found != kept.sha256:
        raise StoreError(
            f"the checkpoint of {model.name!r} in {models.directory(model)} is not the one that the model in {place} "
            "was trained from. Put that one back, or run the cell again."
        )
    return model


def check_new(place: Path) -> None:
    """Raise RequestError where `place` is taken."""
    if place.is_file() or (place.is_dir() and any(place.iterdir())):
        raise RequestError(f"{place} is there already and not empty. Choose another directory, or remove it.")
