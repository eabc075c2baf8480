"""Who is working in a run's directory: locks that die with their process, on one machine or on a shared directory.

Knows files and `flock`; not what is done under a lock. Three kinds, in the order in which they are taken:

    .lock           held together by every run, and by every worker while it makes a cell; alone only to tidy up
    claims/NAMES    held by the one that makes this cell
    .NAME.lock      held for a short step that only one may do at a time, such as to publish
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.atomic import in_folder
from bench.errors import StoreError

FOLDER = "claims"
"""Where the claims on cells lie: empty files, which whoever is alone in the directory may take away."""


class Presence:
    """A place in a run's directory among others that work there; holds the lock until it is left."""

    def __init__(self, out: Path) -> None:
        self.out, self.handle = out, _open(out / ".lock")

    def alone(self) -> bool:
        """Whether nobody else works here. If so nobody can begin to, until `share` is called.

        The shared lock is given up first, as Linux does: GlusterFS keeps it, and of two that leave neither was alone.
        """
        _lock(self.handle, self.out, fcntl.LOCK_UN)
        return _lock(self.handle, self.out, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def share(self) -> None:
        """Let others work here, too; waits for one that is alone just now."""
        _lock(self.handle, self.out, fcntl.LOCK_SH)

    def forget_claims(self) -> None:
        """Take away the claims on cells. Only for one who is alone."""
        shutil.rmtree(self.out / FOLDER, ignore_errors=True)

    def leave(self) -> None:
        """Give the place up."""
        os.close(self.handle)


@contextmanager
def present(out: Path) -> Iterator[None]:
    """Work in the directory among others."""
    handle = _open(out / ".lock")
    try:
        _lock(handle, out, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


@contextmanager
def claim(place: Path) -> Iterator[bool]:
    """Hold the claim that lies at `place`, or learn at once (False) that somebody else does."""
    handle = _open(place)
    try:
        yield _lock(handle, place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(handle)


@contextmanager
def turn(out: Path, name: str) -> Iterator[None]:
    """Do a short step that only one may do at a time; waits for its turn."""
    place = out / f".{name}.lock"
    handle = _open(place)
    try:
        _lock(handle, place, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _open(path: Path) -> int:
    try:
        return in_folder(path.parent, lambda _: os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666))
    except OSError as error:
        told = f"{path}: cannot be written ({error.strerror}). Choose a directory that can, by --out."
        raise StoreError(told) from error


def _lock(handle: int, place: Path, how: int) -> bool:
    """Whether the lock was had; False only where `how` does not wait."""
    try:
        fcntl.flock(handle, how)
    except BlockingIOError:
        return False
    except OSError as error:
        raise StoreError(
            f"{place}: this file system has no locks (flock: {error.strerror}), so that two runs could make the same "
            "cell. Choose a directory on another one, by --out."
        ) from error
    return True
