"""A pool of warm worker processes, each with one thread, that survives a worker's death or an overlong job.

Knows jobs and how their workers end; not what a job does. Workers are forked from a server that has imported the slow
libraries once; they end with this process, however it ends.
"""

from __future__ import annotations

import concurrent.futures
import gc
import importlib.metadata
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

from bench import cell as cells
from bench import provenance, resident, work
from bench.errors import BenchError
from bench.executors import GRACE, Answer, Begun, Died, out_of_time
from bench.work import Job, Made

PRELOADED = ("bench.work", "optuna.samplers", "optuna.pruners", "optuna.storages.journal", "pyarrow.json",
             "pyarrow.parquet", "scipy.special")
"""What every cell needs and is slow to import."""

PRELOADED_FOR_LEARNING = (
    "torch", "peft", "sacrebleu",
    "transformers.models.auto.modeling_auto", "transformers.models.bert.modeling_bert",
    "transformers.models.gpt2.modeling_gpt2", "transformers.models.t5.modeling_t5",
    "transformers.models.encoder_decoder.modeling_encoder_decoder",
)
"""What nearly every cell of the real learner needs besides. Missing ones are passed over."""


def default_workers() -> int:
    """One where there is a GPU, which they would share, else one for each processor core."""
    return 1 if has_gpu() else provenance.cores()


def has_gpu() -> bool:
    """Whether torch will find an NVIDIA GPU, told without importing torch."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "all") in ("", "-1")
    return not hidden and any(Path("/dev").glob("nvidia[0-9]*")) and "+cpu" not in importlib.metadata.version("torch")


def warm_up(jobs: Sequence[Job]) -> None:
    """Let the fork server import what the jobs need, in the background."""
    multiprocessing.set_forkserver_preload(_preloaded(jobs))
    with _environment(work.ENVIRONMENT):
        forkserver.ensure_running()


class LocalPool:
    """See `bench.executors.Executor`: worker processes of this machine.

    Each is a pool of its own, so that one that is killed at the worst moment, in the midst of a message or holding a
    lock of the pool's, takes nothing along: it is replaced, pool and all.
    """

    def __init__(self, jobs: Sequence[Job], workers: int) -> None:
        """Workers for these jobs, which are told what to import; none is started before its first job."""
        self.slots = self.workers = workers
        self._idle: list[Any] = [None] * workers
        self._busy: dict[Any, tuple[Any, Job]] = {}
        self._silent: set[Any] = set()
        warm_up(jobs)

    def start(self, job: Job) -> None:
        """See Executor."""
        pool = self._idle.pop()
        if pool is not None and not pool.active:  # its worker died while it had nothing to do
            _retire([pool])
            pool = None
        pool = pool or _new_pool()
        future = _schedule(pool, job)
        self._busy[future] = pool, job
        self._silent.add(future)

    def news(self, seconds: float) -> Iterator[tuple[Job, Answer]]:
        """See Executor."""
        done, _ = concurrent.futures.wait(self._busy, seconds, return_when=concurrent.futures.FIRST_COMPLETED)
        for future in [f for f in self._silent if f in done or f.running()]:
            self._silent.remove(future)
            yield self._busy[future][1], Begun()
        for future in done:
            pool, job = self._busy.pop(future)
            answer = _harvest(future, job)
            if isinstance(answer, Died):
                _retire([pool])
                pool = None
            self._idle.append(pool)
            yield job, answer

    def close(self, *, at_once: bool) -> None:
        """See Executor."""
        if not at_once:
            concurrent.futures.wait(self._busy)
        _retire([pool for pool, _ in self._busy.values()] + [pool for pool in self._idle if pool is not None])


def _new_pool() -> Any:
    from pebble import ProcessPool

    return ProcessPool(max_workers=1, context=multiprocessing.get_context("forkserver"), initializer=_become_worker)


def _schedule(pool: Any, job: Job) -> Any:
    """The future of the job, which starts the pool's worker if there is none."""
    try:
        with _environment(work.ENVIRONMENT):
            return pool.schedule(_way(), args=[job], timeout=job.timeout and job.timeout + GRACE)
    except BrokenProcessPool as error:  # the fork server died just now; the next pool starts another
        failed: concurrent.futures.Future[None] = concurrent.futures.Future()
        failed.set_exception(error)
        return failed


def _way() -> Callable[[Job], Made | None]:
    """How workers do a job: each in a fork of its own, but for a GPU, which would have to be set up for every cell."""
    return work.do if has_gpu() or sys.platform != "linux" else work.do_apart


def _retire(pools: Sequence[Any]) -> None:
    """End the workers of these pools: asked to first, after three seconds killed."""
    for pool in pools:
        pool.stop()
    for pool in pools:
        pool.join()


def _harvest(future: Any, job: Job) -> Answer:
    """What the worker made of the job, or else what became of the worker."""
    from pebble import ProcessExpired

    error = future.exception()
    if error is None:
        made: Made | None = future.result()
        return made
    if isinstance(error, TimeoutError) and error.args[:1] == ("Task timeout",):
        return out_of_time(job.timeout)
    if isinstance(error, ProcessExpired):
        return Died(_obituary(error.exitcode))
    if isinstance(error, BrokenProcessPool):
        return Died("the worker ended before it could begin", blameless=True)
    return Died(str(error) if isinstance(error, BenchError) else cells.failure(error), again=False)


def _obituary(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name
        hint = " (often the system's answer to too little memory)" if name == "SIGKILL" else ""
        return f"the worker was ended by {name}{hint}"
    return f"the worker ended with exit code {exitcode}"


def _preloaded(jobs: Sequence[Job]) -> list[str]:
    modules = sorted({job.learner.partition(":")[0] for job in jobs})
    real = any(name.startswith("bench.learn") for name in modules)
    return [*PRELOADED, *(PRELOADED_FOR_LEARNING if real else ()), *modules]


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables, which the fork server and its workers inherit, and put the old ones back."""
    old = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in old.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _become_worker() -> None:
    work.one_thread()
    resident.inherit(os.getppid())  # the fork server
    gc.freeze()  # what was imported stays; to look through it at every collection takes a tenth of a second
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_die_with, args=[parent.sentinel], daemon=True).start()


def _die_with(sentinel: int) -> None:
    """End when the process that wants the result is gone, so that the next run finds the directory to itself."""
    multiprocessing.connection.wait([sentinel])
    os._exit(1)
