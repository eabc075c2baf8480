"""What a job needs on another machine: the same code, the same directories, and an end that nobody there enforces.

Knows neither Ray nor Slurm.
"""

from __future__ import annotations

import dataclasses
import faulthandler
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import VERSION, work
from bench.errors import RequestError
from bench.executors import GRACE
from bench.plan import HARNESS
from bench.work import Job, Made

CODE = f"{VERSION}, harness {HARNESS}"


@dataclass(frozen=True)
class Parcel:
    """A job on its way: `here` is the directory that relative paths start from, `code` the version that sent it."""

    job: Job
    here: Path
    code: str = CODE

    @staticmethod
    def of(job: Job) -> Parcel:
        """The job with a path of the run's directory that means the same everywhere."""
        return Parcel(dataclasses.replace(job, out=job.out.resolve()), Path.cwd())


def do(parcel: Parcel) -> Made | None:
    """See `bench.work.do`. Raises RequestError where this machine cannot do what the one of the run could."""
    if parcel.code != CODE:
        raise RequestError(f"{platform.node()} has version {CODE}, the run {parcel.code}. Install the same on all.")
    if not (parcel.job.out / "plan.json").is_file() or not parcel.here.is_dir():
        raise RequestError(
            f"{platform.node()} does not see {parcel.job.out} and {parcel.here}, which all nodes must share. Choose an "
            "--out, and a directory to start from, on a shared file system."
        )
    os.chdir(parcel.here)
    work.one_thread()
    with _last_resort(parcel.job.timeout):
        return work.do(parcel.job)


@contextmanager
def _last_resort(timeout: float | None) -> Iterator[None]:
    """End this process, even one that hangs in a library, where it has not ended by itself long after its time."""
    if timeout is None:
        yield
        return
    faulthandler.dump_traceback_later(timeout + GRACE, exit=True, file=sys.__stderr__ or sys.stderr)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
