"""Files and directories that at every moment, a crash included, hold all of the old or all of the new content.

Knows nothing of what is in them.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

PAUSES = (0.05, 0.2, 0.8)
"""Seconds before a directory that another machine makes at the same moment is looked at again."""

PASSING = frozenset({errno.EEXIST, errno.ENOENT, errno.ESTALE})
"""What a network file system may say of a directory that two machines make at once, until both see the same one."""


def in_folder(folder: Path, make: Callable[[Path], T]) -> T:
    """What `make` gives in this directory, which is made if need be, with those above it.

    Raises OSError where that cannot be done, also not a second later.
    """
    for pause in PAUSES:
        try:
            return _in_folder(folder, make)
        except OSError as error:
            if error.errno not in PASSING:
                raise
        time.sleep(pause)
    return _in_folder(folder, make)


def make_folder(folder: Path) -> None:
    """Make a directory if need be, as `in_folder` does."""
    in_folder(folder, lambda _: None)


def _in_folder(folder: Path, make: Callable[[Path], T]) -> T:
    folder.mkdir(parents=True, exist_ok=True)
    return make(folder)


def write_atomically(path: Path, content: bytes, lasting: bool = True) -> None:
    """Write a file so that at every moment, a crash included, it holds all of the old or all of the new content.

    Where it need not be `lasting` it is not flushed to the disk, which takes some milliseconds: a crash of the machine,
    not of the program, may then lose it.
    """
    handle, name = in_folder(
        path.parent, lambda folder: tempfile.mkstemp(dir=folder, prefix=f".{path.name}.", suffix=".tmp")
    )
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp gives a file that nobody else may read
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # a write that fails does not say of what
        raise


@contextmanager
def directory_in_place(path: Path) -> Iterator[Path]:
    """A new directory beside `path`, which takes its place whole when the block ends well, and else is gone.

    What `path` held is lost. A directory that stays empty only removes it.
    """
    new, old = _beside(path), _beside(path)
    try:
        yield new
        _flush(new)
        new.chmod(0o755)  # mkdtemp gives a directory that nobody else may read
        if path.exists():
            path.rename(old / path.name)
        if any(new.iterdir()):
            new.rename(path)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _beside(path: Path) -> Path:
    made = in_folder(path.parent, lambda place: tempfile.mkdtemp(dir=place, prefix=f".{path.name}.", suffix=".tmp"))
    return Path(made)


def _flush(directory: Path) -> None:
    """See to it that all files of a directory are on the disk."""
    for path in directory.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
