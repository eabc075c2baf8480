"""The tables that `datasets` builds in its cache from the files of a data set: those of one commit, and whether whole.

`datasets` itself takes the newest tables of a data set, of whatever commit, when the hub fails or may not be asked, and
never looks at their bytes again. Here a table is only used at the commit that was asked for, and only with the checksum
that it had when it was first read, which is kept beside it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import UnavailableError
from bench.learn.asking import DamagedError, offline
from bench.spec import Hub

if TYPE_CHECKING:
    from datasets import Dataset

MARK = ".sha256"
"""What the name of a table ends with whose checksum a file holds."""


def open_split(hub: Hub, split: str, revision: str) -> Dataset | None:
    """Our `split` from the tables of this very commit; None where there are none (any more).

    Damaged ones are thrown away where they can be built again, and else raise UnavailableError.
    """
    from pyarrow import ArrowInvalid

    places = _places(hub, revision)
    if len(places) != 1:
        return None
    place = places[0]
    try:
        check(place)
        found = _open(hub, place, hub.splits[split])
    except (DamagedError, ArrowInvalid) as error:
        if offline():
            raise UnavailableError(
                f"{place}: damaged ({error}). Delete it, and fetch data set {hub.id} again without HF_HUB_OFFLINE."
            ) from error
        remove(hub, revision)
        return None
    mark(place)
    return found


def is_there(hub: Hub, revision: str) -> bool:
    """Whether there are tables of this very commit."""
    return bool(_places(hub, revision))


def remove(hub: Hub, revision: str) -> None:
    """Throw away the tables of this commit."""
    for place in _places(hub, revision):
        shutil.rmtree(place, ignore_errors=True)


def check(place: Path) -> None:
    """Raise DamagedError for the first table that no longer has the checksum that is kept of it."""
    for path in sorted(place.glob("*.arrow")):
        kept = path.with_name(path.name + MARK)
        if kept.is_file() and kept.read_text().strip() != _digest(path):
            raise DamagedError(f"{path.name} is not as it was built (its checksum is another)")


def mark(place: Path) -> None:
    """Keep the checksum of every table that has none yet."""
    for path in sorted(place.glob("*.arrow")):
        kept = path.with_name(path.name + MARK)
        if not kept.is_file():
            with contextlib.suppress(OSError):  # a cache that cannot be written, or is full, can still be read
                kept.write_text(_digest(path) + "\n")


def of_commit(found: Dataset, revision: str) -> Path | None:
    """Where the tables of a data set lie, if they are of this commit, else None."""
    places = {Path(file["filename"]).parent for file in found.cache_files}
    return next((place for place in places if place.name == revision), None)


def _places(hub: Hub, revision: str) -> list[Path]:
    """Where tables of this commit may lie: one place for each config, if the source names none."""
    from datasets import config
    from datasets.naming import camelcase_to_snakecase

    owner, _, name = hub.id.rpartition("/")
    folder = Path(config.HF_DATASETS_CACHE) / f"{owner}___{camelcase_to_snakecase(name)}"
    return sorted(folder.glob(f"{hub.config or '*'}/*/{revision}"))


def _open(hub: Hub, place: Path, rows: str) -> Dataset:
    from datasets.packaged_modules.cache.cache import Cache

    config, version, revision = place.parts[-3:]
    builder = Cache(
        repo_id=hub.id, dataset_name=hub.id.rpartition("/")[2], config_name=config, version=version, hash=revision
    )
    return builder.as_dataset(split=rows)


def _digest(path: Path) -> str:
    facts = path.stat()
    return _sha256(path, facts.st_mtime_ns, facts.st_size)


@functools.lru_cache(maxsize=256)
def _sha256(path: Path, modified: int, size: int) -> str:
    """Made once for each state of a file: three splits of a data set are read one after the other."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
