"""The Hugging Face hub: which commit a name stands for now, a model's config, the rows of a slice of a data set.

The only module that imports `datasets`. Knows a data set's layout (a `Hub` declaration), not what its rows are for.
Both libraries are imported inside the functions: they are slow, and most runs need neither.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import UnavailableError
from bench.learn import built, cached
from bench.learn.asking import BusyError, DamagedError, offline, patiently
from bench.learn.cached import Kind
from bench.spec import Hub

if TYPE_CHECKING:
    from datasets import Dataset

SECONDS = 20.0
"""How long the hub may take to say which commit a name stands for."""


def resolve_dataset(id: str) -> str:
    """The 40-hex commit that the data set `id` ("organisation/name") has now.

    In offline mode (HF_HUB_OFFLINE=1) it is the commit that the local cache holds.
    Raises UnavailableError where the hub cannot be reached or has no such data set.
    """
    return cached.commit("data set", id) if offline() else _commit("data set", id)


def resolve_model(id: str) -> str:
    """The 40-hex commit that the model `id` ("organisation/name") has now; else as `resolve_dataset`."""
    return cached.commit("model", id) if offline() else _commit("model", id)


def model_config(id: str, revision: str | None = None) -> dict[str, Any]:
    """The `config.json` of a model, from the cache or the hub.

    Raises UnavailableError as above, and where the repository has no such file.
    """
    from huggingface_hub import hf_hub_download

    what = f"{id} (config.json)"
    path = Path(patiently("model", what, lambda: hf_hub_download(id, "config.json", revision=revision)))
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UnavailableError(f"model {what}: no JSON ({error}). Delete {path}, then try again.") from error
    return config


def load_split(hub: Hub, split: str, revision: str) -> list[dict[str, Any]]:
    """The rows of our `split` of a data set at commit `revision`, under the task's column names.

    Class numbers become their names; columns that `hub.columns` does not name are dropped. So are rows with a blank
    text: public sets hold a few, and nothing can be learnt from them.
    Raises UnavailableError where the hub cannot be reached, or lacks the data set, its config, slice or columns.
    """
    convert = CONVERSIONS[hub.convert] if hub.convert else dict
    rows = [convert(row) for row in _named_classes(_download(hub, split, revision))]
    missing = set(hub.columns) - set(rows[0] if rows else hub.columns)
    if missing:
        raise UnavailableError(
            f"data set {hub.id!r} at commit {revision} has no column {sorted(missing)[0]!r}, only {sorted(rows[0])}. "
            "Correct `columns` in the task's Hub source, or pin a commit that has it."
        )
    renamed = [{ours: row[theirs] for theirs, ours in hub.columns.items()} for row in rows]
    return [row for row in renamed if not any(isinstance(v, str) and not v.strip() for v in row.values())]


def count_split(hub: Hub, split: str, revision: str) -> int:
    """How many rows `load_split` gives, without handing out any."""
    return len(load_split(hub, split, revision))


def unnest_translation(row: Mapping[str, Any]) -> dict[str, Any]:
    """The layout of translation sets, {"translation": {"en": ..., "es": ...}}, as one column a language."""
    return dict(row["translation"])


CONVERSIONS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {"unnest_translation": unnest_translation}
"""What `Hub.convert` may name: applied to every row before its columns are renamed."""


def _download(hub: Hub, split: str, revision: str) -> Dataset:
    """One slice as `datasets` has it, from its cache where it is there already and whole."""
    what = f"{hub.id} (config {hub.config or 'default'}, {hub.splits[split]}, commit {revision})"
    if offline() and not built.is_there(hub, revision):
        raise UnavailableError(cached.forbidden("data set", f"does not hold {what}"))
    return patiently("data set", what, lambda: built.open_split(hub, split, revision) or _fetch(hub, split, revision))


def _fetch(hub: Hub, split: str, revision: str) -> Dataset:
    """The slice from the files at the hub, whose checksums are looked at."""
    from datasets import disable_progress_bars, load_dataset
    from datasets.exceptions import DatasetsError

    _commit("data set", hub.id, revision)  # says more of what is wrong with the name than load_dataset does
    disable_progress_bars()
    try:
        found = load_dataset(hub.id, hub.config, split=hub.splits[split], revision=revision)
    except (OSError, ValueError, DatasetsError):
        _check_files(hub, revision)  # a damaged one tells more than what came of it
        raise
    _check_files(hub, revision)
    place = built.of_commit(found, revision)
    if place is None:
        raise BusyError("it failed half-way, and the cache holds another commit only")
    built.mark(place)
    return found


def _check_files(hub: Hub, revision: str) -> None:
    """Throw away damaged files, with the tables that were built from them, and raise DamagedError if there were any."""
    try:
        cached.remove_damaged(cached.folder("data set", hub.id) / "snapshots" / revision)
    except DamagedError:
        built.remove(hub, revision)
        raise


def _named_classes(data: Dataset) -> Iterator[dict[str, Any]]:
    """The rows with the numbers of `ClassLabel` columns, plain or in lists, replaced by the names of the classes."""
    from datasets import ClassLabel

    inner = {column: getattr(feature, "feature", feature) for column, feature in data.features.items()}
    classes = {column: feature for column, feature in inner.items() if isinstance(feature, ClassLabel)}
    for row in data:
        yield {c: classes[c].int2str(v) if c in classes else v for c, v in row.items()}


def _commit(kind: Kind, id: str, revision: str | None = None) -> str:
    from huggingface_hub import HfApi

    api = HfApi()
    info = patiently(
        kind, f"{id} (commit {revision})" if revision else id,
        lambda: (api.model_info if kind == "model" else api.dataset_info)(id, revision=revision, timeout=SECONDS),
    )  # fmt: skip
    if not info.sha:
        raise UnavailableError(f"the hub names no commit for {id!r}. Pin a 40-hex revision, then try again.")
    return info.sha
