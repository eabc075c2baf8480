"""Cells as jobs of a Slurm cluster, through submitit, for those who have no other way. Home of submitit.

Each cell is a job of its own, which begins with a fresh Python. What sbatch is to be told beside, such as a partition,
is read by it from its own environment variables (SBATCH_PARTITION, SBATCH_ACCOUNT, SBATCH_TIMELIMIT).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.errors import RequestError
from bench.executors import GRACE, Answer, Begun, Died, afar, out_of_time
from bench.work import Job, Made

INSTALL = "pip install 'finetune-bench[slurm]'"

FOLDER = "slurm"
"""Where submitit keeps what it sends and gets, inside the run's directory. That of finished jobs is removed."""

MOST = 1000
"""Jobs in Slurm's hands at a time; more than this many it does not take as one array by default."""

DAY = 24 * 60
"""Minutes that a job may take where no --timeout says so."""


class SlurmQueue:
    """See `bench.executors.Executor`: a job with one processor core, and so many GPUs, for each cell."""

    def __init__(
        self, out: Path, gpus: float | None, workers: int | None, timeout: float | None, cluster: str | None = None
    ) -> None:
        """`workers` is the most cells at a time. `cluster` is submitit's word: None is Slurm, `local` this machine.

        Raises RequestError where submitit is not installed, where there is no Slurm, and for a part of a GPU.
        """
        if gpus is not None and gpus != int(gpus):
            raise RequestError(f"--gpus-per-cell {gpus:g}: Slurm gives out whole GPUs. Take a whole number, or Ray.")
        self._executor = _open(out, cluster or "slurm")
        self.workers = self.slots = workers or MOST
        minutes = DAY if timeout is None else math.ceil((timeout + GRACE) / 60) + 1
        self._executor.update_parameters(name="bench", timeout_min=minutes, cpus_per_task=1)
        if gpus:
            self._executor.update_parameters(gpus_per_node=int(gpus))
        self._new: list[Job] = []
        self._jobs: dict[str, tuple[Any, Job]] = {}
        self._silent: set[str] = set()

    def start(self, job: Job) -> None:
        """See Executor; handed in with the next look at the news, many at once."""
        self._new.append(job)

    def news(self, seconds: float) -> Iterator[tuple[Job, Answer]]:
        """See Executor. Raises RequestError where a node does not see what it must."""
        self._submit()
        end = time.monotonic() + seconds
        while not (heard := list(self._hear())) and time.monotonic() < end:
            time.sleep(seconds / 4)
        yield from heard

    def _submit(self) -> None:
        new, self._new = self._new, []
        if not new:
            return
        with self._executor.batch():
            sent = [self._executor.submit(afar.do, afar.Parcel.of(job)) for job in new]
        for handle, job in zip(sent, new, strict=True):
            self._jobs[handle.job_id] = handle, job
            self._silent.add(handle.job_id)

    def _hear(self) -> Iterator[tuple[Job, Answer]]:
        for name, (handle, job) in list(self._jobs.items()):
            done = handle.done()
            if name in self._silent and (done or handle.state == "RUNNING"):
                self._silent.remove(name)
                yield job, Begun()
            if done:
                del self._jobs[name]
                yield job, _harvest(handle, job)

    def close(self, *, at_once: bool) -> None:
        """See Executor."""
        for handle, _ in self._jobs.values() if at_once else ():
            handle.cancel()


def _open(out: Path, cluster: str) -> Any:
    try:
        import submitit
    except ImportError as error:
        raise RequestError(f"--executor slurm needs submitit, which is not installed: {INSTALL}") from error
    try:
        return submitit.AutoExecutor(folder=out.resolve() / FOLDER, cluster=cluster)
    except RuntimeError as error:
        raise RequestError(f"--executor slurm: {error}. Run it where sbatch can be called.") from error


def _harvest(handle: Any, job: Job) -> Answer:
    from submitit.core.utils import FailedJobError

    error = handle.exception()
    if error is None:
        made: Made | None = handle.result()
        for path in handle.paths.folder.glob(f"{handle.job_id}_*"):
            path.unlink(missing_ok=True)
        return made
    text = str(error).strip()
    if isinstance(error, FailedJobError):
        last = text.splitlines()[-1]
        if "RequestError: " in last:
            raise RequestError(last.partition("RequestError: ")[2])
        return Died(last, again=False)
    if "Timeout (" in _read(handle.paths.stderr):  # the words of the last resort, see `afar`
        return out_of_time(job.timeout)
    return Died(f"Slurm job {handle.job_id} ended without a result; see {handle.paths.stderr}")


def _read(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""
