"""How much memory this process needs, as Linux counts it; None on other systems. Knows processes, not what they do."""

from __future__ import annotations

import contextlib
import mmap
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PROCESSES = Path("/proc")
_PRESENT, _OF_FILE = 63, 61
"""Bits of an entry of /proc/PID/pagemap: the page lies in memory; it is one of a file, unchanged."""

_ENTRY = 8
"""Bytes of such an entry."""

_forked_from: list[int] = []
"""The processes of which this one is a fork, and a fork of a fork."""


def inherit(parent: int) -> None:
    """Tell a fork what process it is a fork of.

    Linux counts no page of a file, the code of libraries above all, for a fork that has not touched it itself; but a
    process of its own would have had to.
    """
    _forked_from.append(parent)


def forget_peak() -> None:
    """Let the peak be of what follows, so that a warm worker reports each cell's own."""
    with contextlib.suppress(OSError):  # not Linux, or not permitted: then the peak is of the whole process
        (_PROCESSES / "self" / "clear_refs").write_text("5")


def peak() -> int | None:
    """Bytes at the peak: a fork's with the pages of files that it would have if it were none."""
    status = _PROCESSES / "self" / "status"
    if not status.exists():
        return None
    told = {name: rest.split() for name, _, rest in (line.partition(":") for line in status.read_text().splitlines())}
    return int(told["VmHWM"][0]) * 1024 + _untouched_files()


def _untouched_files() -> int:
    """Bytes of files that lie in the memory of what this process is a fork of, and not in its own; 0 where the system
    does not tell."""
    import numpy as np

    if not _forked_from:
        return 0
    ranges = _mapped_files()
    try:
        own = _pages("self", ranges)
        theirs = [_pages(str(process), ranges) for process in _forked_from]
    except OSError:  # not permitted, or one of them has ended
        return 0
    return int((np.logical_or.reduce(theirs) & ~own).sum()) * mmap.PAGESIZE


def _mapped_files() -> list[tuple[int, int]]:
    """Where this process, and so what it is a fork of, has files: from the first address to the one after the last."""
    found = []
    for line in (_PROCESSES / "self" / "maps").read_text().splitlines():
        addresses, _, _, _, inode, *_ = line.split()
        if inode != "0":
            first, _, end = addresses.partition("-")
            found.append((int(first, 16), int(end, 16)))
    return found


def _pages(process: str, ranges: list[tuple[int, int]]) -> NDArray[np.bool_]:
    """For each page in these ranges whether it lies in the process's memory as a page of a file."""
    import numpy as np

    with (_PROCESSES / process / "pagemap").open("rb", buffering=0) as file:
        def entries(first: int, end: int) -> bytes:
            file.seek(first // mmap.PAGESIZE * _ENTRY)
            size = (end - first) // mmap.PAGESIZE * _ENTRY
            told = file.read(size)
            if len(told) < size:
                raise ProcessLookupError(f"process {process} ended meanwhile")
            return told

        told = np.frombuffer(b"".join(entries(*each) for each in ranges), np.uint64)
    found: NDArray[np.bool_] = (told >> np.uint64(_PRESENT)) & (told >> np.uint64(_OF_FILE)) & np.uint64(1) == 1
    return found
