"""What the hub's cache on this machine holds: which commit, a checkpoint whole, and whether its bytes are the hub's.

Knows the documented layout of the cache (`blobs` under the names of their content, `snapshots` that link to them); asks
the hub only for what is missing. Never fetches code.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from bench import models
from bench.errors import UnavailableError
from bench.learn.asking import DamagedError, instead, offline, patiently

Kind = Literal["model", "data set"]

DESCRIPTION = (
    "config.json", "generation_config.json", "tokenizer*.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.*", "merges.txt", "*.model", "*.spm",
)  # fmt: skip
"""What tells how a network and its tokenizer are built. No code, no adapters that name another checkpoint."""

WEIGHTS = ("model*.safetensors", "model.safetensors.index.json")
INDEX_OF_PICKLED = "pytorch_model.bin.index.json"


def folder(kind: Kind, id: str) -> Path:
    """Where the cache keeps a repository."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / "--".join([f"{'model' if kind == 'model' else 'dataset'}s", *id.split("/")])


def commit(kind: Kind, id: str) -> str:
    """The commit of `id` in the cache: its `refs/main`, else its only snapshot.

    Raises UnavailableError where the cache does not tell.
    """
    place = folder(kind, id)
    main = place / "refs" / "main"
    if main.is_file():
        return main.read_text().strip()
    commits = [path.name for path in place.glob("snapshots/*")]
    if len(commits) == 1:
        return commits[0]
    found = f"has several commits of {id!r} and no main one" if commits else f"does not hold {id!r}"
    raise UnavailableError(forbidden(kind, found))


@functools.cache
def checkpoint(id: str, revision: str, pickled: bool = False) -> Path:
    """The directory of a model at a commit: fetched where it is not whole, and checked once in this process.

    With `pickled`, weights as pickles are fetched as well. Raises UnavailableError where it cannot be had, or is not
    what the hub says it is.
    """
    patterns = [*DESCRIPTION, *WEIGHTS, *((*models.PICKLED, INDEX_OF_PICKLED) if pickled else ())]
    place = folder("model", id) / "snapshots" / revision
    if offline():
        if not (place / "config.json").is_file():
            raise UnavailableError(forbidden("model", f"does not hold {id!r} at commit {revision}"))
        _refuse_damaged(place)
        return place

    def fetch() -> Path:
        from huggingface_hub import snapshot_download

        snapshot_download(id, revision=revision, allow_patterns=patterns, ignore_patterns=["*/*"])
        remove_damaged(place)
        return place

    return patiently("model", f"{id} (commit {revision})", fetch) if not _is_whole(id, revision, patterns) else place


def _is_whole(id: str, revision: str, patterns: list[str]) -> bool:
    """Whether the cache is known to hold all of a checkpoint, undamaged, so that the hub need not be asked at all."""
    from huggingface_hub import get_cached_repo_tree, snapshot_download
    from huggingface_hub.errors import CachedRepoTreeNotFoundError, LocalEntryNotFoundError

    try:
        get_cached_repo_tree(id, revision=revision)
        place = snapshot_download(
            id, revision=revision, allow_patterns=patterns, ignore_patterns=["*/*"], local_files_only=True
        )
    except (CachedRepoTreeNotFoundError, LocalEntryNotFoundError):
        return False
    return not list(damaged(Path(place)))


def remove_damaged(place: Path) -> None:
    """Take what is damaged out of the cache, and raise DamagedError if there was anything: it can be fetched again."""
    found = list(damaged(place))
    for path in found:
        blob = path.resolve()
        path.unlink()
        blob.unlink(missing_ok=True)
    if found:
        raise DamagedError(f"{found[0].name} is not what the hub says it is (its checksum is another)")


def _refuse_damaged(place: Path) -> None:
    found = next(damaged(place), None)
    if found is not None:
        raise UnavailableError(
            f"{found.resolve()}: damaged, its checksum is not the one in its name ({found.name}). Delete it, and "
            "fetch it again without HF_HUB_OFFLINE."
        )


def damaged(place: Path) -> Iterator[Path]:
    """The files of a snapshot whose content is not what the name of their blob says.

    Where a file system has no links the cache has no such names, and nothing can be told.
    """
    for path in sorted(place.rglob("*")):
        if path.is_symlink() and not _is_good(path):
            yield path


def _is_good(path: Path) -> bool:
    blob = path.resolve()
    check = CHECKS.get(len(blob.name))
    return blob.is_file() and (check is None or check(blob) == blob.name)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _git_sha1(path: Path) -> str:
    """What git calls a file of this content."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


CHECKS: dict[int, Callable[[Path], str]] = {64: _sha256, 40: _git_sha1}
"""How the name of a blob is made from its content, by the name's length: large files by SHA-256, small ones by git."""


def forbidden(kind: Kind, found: str) -> str:
    """What to say where the cache alone does not do."""
    return (
        f"the local hub cache {found}, and HF_HUB_OFFLINE forbids asking the hub. "
        f"Unset HF_HUB_OFFLINE, or set HF_HOME to a cache that holds it. {instead(kind)}".rstrip()
    )
