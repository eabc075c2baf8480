"""The Hugging Face hub: which commit a name stands for now, a model's config, the rows of a slice of a data set.

The only module that imports `datasets`. Knows a data set's layout (a `Hub` declaration), not what its rows are for.
Both libraries are imported inside the functions: they are slow, and most runs need neither.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import UnavailableError
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
    return _cached_commit("dataset", id) if _offline() else _commit("dataset", id)


def resolve_model(id: str) -> str:
    """The 40-hex commit that the model `id` ("organisation/name") has now; else as `resolve_dataset`."""
    return _cached_commit("model", id) if _offline() else _commit("model", id)


def model_config(id: str, revision: str | None = None) -> dict[str, Any]:
    """The `config.json` of a model, from the cache or the hub.

    Raises UnavailableError as above, and where the repository has no such file.
    """
    from huggingface_hub import hf_hub_download

    with _reported("model", f"{id} (config.json)"):
        text = Path(hf_hub_download(id, "config.json", revision=revision)).read_text(encoding="utf-8")
        config: dict[str, Any] = json.loads(text)
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
    """One slice as `datasets` has it, from its cache where it is there already."""
    from datasets import disable_progress_bars, load_dataset

    if not _offline():
        _commit("dataset", hub.id, revision)  # a lost connection shows here at once, in load_dataset after long retries
    disable_progress_bars()
    with _reported("data set", f"{hub.id} (config {hub.config or 'default'}, {hub.splits[split]}, commit {revision})"):
        return load_dataset(hub.id, hub.config, split=hub.splits[split], revision=revision)


def _named_classes(data: Dataset) -> Iterator[dict[str, Any]]:
    """The rows with the numbers of `ClassLabel` columns, plain or in lists, replaced by the names of the classes."""
    from datasets import ClassLabel

    inner = {column: getattr(feature, "feature", feature) for column, feature in data.features.items()}
    classes = {column: feature for column, feature in inner.items() if isinstance(feature, ClassLabel)}
    for row in data:
        yield {c: classes[c].int2str(v) if c in classes else v for c, v in row.items()}


def _commit(kind: str, id: str, revision: str | None = None) -> str:
    from huggingface_hub import HfApi

    api = HfApi()
    with _reported("data set" if kind == "dataset" else kind, f"{id} (commit {revision})" if revision else id):
        info = (api.dataset_info if kind == "dataset" else api.model_info)(id, revision=revision, timeout=SECONDS)
    if not info.sha:
        raise UnavailableError(f"the hub names no commit for {id!r}. Pin a 40-hex revision, then try again.")
    return info.sha


def _cached_commit(kind: str, id: str) -> str:
    """The commit of `id` in the local cache: its `refs/main`, else its only snapshot (the documented layout)."""
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE) / "--".join([f"{kind}s", *id.split("/")])
    main = folder / "refs" / "main"
    if main.is_file():
        return main.read_text().strip()
    commits = [path.name for path in folder.glob("snapshots/*")]
    if len(commits) == 1:
        return commits[0]
    found = f"has several commits of {id!r} and no main one" if commits else f"does not hold {id!r}"
    raise UnavailableError(
        f"the local hub cache {found}, and HF_HUB_OFFLINE forbids asking the hub. "
        f"Unset HF_HUB_OFFLINE, or set HF_HOME to a cache that holds it. {_instead(kind)}".rstrip()
    )


def _offline() -> bool:
    from huggingface_hub import constants

    return constants.is_offline_mode()


def _instead(kind: str) -> str:
    if kind not in ("dataset", "data set"):
        return ""
    return "Or run with `--source files`, or `--source bundled` for tasks that have it."


@contextmanager
def _reported(kind: str, what: str) -> Iterator[None]:
    """Turns what the two libraries raise for a thing that cannot be had into UnavailableError."""
    from datasets.exceptions import DatasetsError
    from httpx2 import HTTPError
    from huggingface_hub.errors import (
        HfUriError,
        HFValidationError,
        RemoteEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    absent = (RepositoryNotFoundError, RevisionNotFoundError, RemoteEntryNotFoundError, HFValidationError, HfUriError)
    try:
        yield
    except absent as error:
        raise UnavailableError(
            f"the hub has no {kind} {what}, or it is private. Check the name (organisation/name); for a private one "
            f"log in with `hf auth login`. {_instead(kind)}".rstrip()
        ) from error
    except (OSError, HTTPError, DatasetsError, ValueError) as error:
        raise UnavailableError(
            f"cannot get {kind} {what} from the hub: {str(error) or type(error).__name__}. Check the connection "
            "(HF_ENDPOINT names a mirror), or set HF_HOME to a cache that holds it and HF_HUB_OFFLINE=1; then try "
            f"again. {_instead(kind)}".rstrip()
        ) from error
