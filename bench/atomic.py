"""Files and directories that at every moment, a crash included, hold all of the old or all of the new content.

Knows nothing of what is in them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_atomically(path: Path, content: bytes, lasting: bool = True) -> None:
    """Write a file so that at every moment, a crash included, it holds all of the old or all of the new content.

    Where it need not be `lasting` it is not flushed to the disk, which takes some milliseconds: a crash of the machine,
    not of the program, may then lose it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
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
    path.parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp"))


def _flush(directory: Path) -> None:
    """See to it that all files of a directory are on the disk."""
    for path in directory.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
