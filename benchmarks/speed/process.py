"""A command with the wall time, the processor time and the peak memory that it and all its descendants took."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of Linux: processes whose parents are gone become ours, so that their time is counted."""


@dataclass(frozen=True)
class Took:
    """Seconds of wall time, and of processor time over all processes."""

    wall: float
    processor: float


def adopt_orphans() -> None:
    """Let this process inherit what its children leave behind."""
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


def run(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Took:
    """Run a Python module to its end.

    Raises RuntimeError with the end of its errors where it fails.
    """
    return run_all([arguments], 1, environment)


def run_all(commands: Sequence[Sequence[str]], at_once: int, environment: Mapping[str, str] | None = None) -> Took:
    """Run these Python modules with their arguments to their ends, so many at a time, and tell what all took together.

    Raises RuntimeError with the end of its errors where one fails.
    """
    own, before, started = _children(), _processor(), time.perf_counter()
    with ThreadPoolExecutor(at_once) as threads:
        ended = list(threads.map(lambda arguments: _ended(arguments, environment or {}), commands))
    wall = time.perf_counter() - started
    while left_behind := _children() - own:
        with contextlib.suppress(ChildProcessError):  # that Python itself has waited for it meanwhile
            os.waitpid(min(left_behind), 0)
    for arguments, done in zip(commands, ended, strict=True):
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return Took(wall, _processor() - before)


def _ended(arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments], env={**os.environ, **environment}, capture_output=True, text=True
    )


def _children() -> set[int]:
    """The processes that this one has begun or inherited, and not waited for."""
    lists = Path("/proc/self/task").glob("*/children")
    return {int(child) for each in lists for child in each.read_text().split()}


def _processor() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
