"""A pool of warm worker processes, each with one thread, that survives a worker's death or an overlong job.

Knows jobs and how their workers end; not what a job does. Workers are forked from a server that has imported the slow
libraries once; they end with this process, however it ends.
"""

from __future__ import annotations

import concurrent.futures
import importlib.metadata
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

from bench import cell as cells
from bench import provenance, work
from bench.plan import Cell
from bench.record import Outcome, Record

PRELOADED = ("bench.work", "optuna.samplers", "optuna.pruners", "optuna.storages.journal", "pyarrow.parquet",
             "scipy.special")
"""What every cell needs and is slow to import."""

PRELOADED_FOR_LEARNING = (
    "torch", "peft", "sacrebleu", "rouge_score.rouge_scorer",
    "transformers.models.auto.modeling_auto", "transformers.models.bert.modeling_bert",
    "transformers.models.gpt2.modeling_gpt2", "transformers.models.t5.modeling_t5",
    "transformers.models.encoder_decoder.modeling_encoder_decoder",
)
"""What nearly every cell of the real learner needs besides. Missing ones are passed over."""

POLL = 0.1
"""Seconds between two looks at which jobs have begun."""

Started = Callable[[Cell], None]
Finished = Callable[[Cell, Record], None]


def default_workers() -> int:
    """One where there is a GPU, which they would share, else one for each processor core."""
    return 1 if has_gpu() else provenance.cores()


def has_gpu() -> bool:
    """Whether torch will find an NVIDIA GPU, told without importing torch."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "all") in ("", "-1")
    return not hidden and Path("/dev/nvidia0").exists() and "+cpu" not in importlib.metadata.version("torch")


def warm_up(jobs: Sequence[work.Job]) -> None:
    """Let the fork server import what the jobs need, in the background; `run` does so too if nobody did."""
    multiprocessing.set_forkserver_preload(_preloaded(jobs))
    with _environment(work.ENVIRONMENT):
        forkserver.ensure_running()


def run(jobs: Sequence[work.Job], workers: int, timeout: float | None, started: Started, finished: Finished) -> None:
    """Do all jobs, first come first served; `timeout` is in seconds of one job, without the wait for a worker.

    A job whose worker dies, or that takes too long, gets a record that says so. On KeyboardInterrupt, or any other
    error of a callback, the workers are stopped at once.
    """
    from pebble import ProcessPool

    warm_up(jobs)
    context = multiprocessing.get_context("forkserver")
    with _environment(work.ENVIRONMENT):
        pool = ProcessPool(max_workers=workers, context=context, initializer=_become_worker)
        try:
            futures = {pool.schedule(work.do, args=[job], timeout=timeout): job for job in jobs}
            _follow(futures, timeout, started, finished)
        except BaseException:
            pool.stop()
            raise
        finally:
            pool.close()
            pool.join()


def _follow(futures: Mapping[Any, work.Job], timeout: float | None, started: Started, finished: Finished) -> None:
    """Announce every job's beginning and end until all are done."""
    begun: set[Any] = set()
    pending = set(futures)
    while pending:
        done, pending = concurrent.futures.wait(pending, POLL, return_when=concurrent.futures.FIRST_COMPLETED)
        for future in futures:
            if future not in begun and (future in done or future.running()):
                begun.add(future)
                started(futures[future].cell)
        for future in done:
            finished(futures[future].cell, _harvest(future, futures[future], timeout))


def _harvest(future: Any, job: work.Job, timeout: float | None) -> Record:
    """The record that the worker wrote, or else one that says what became of the worker."""
    from pebble import ProcessExpired

    error = future.exception()
    if error is None:
        record: Record = future.result()
        return record
    if isinstance(error, TimeoutError):
        return work.fail(job, Outcome.TIMED_OUT, f"no result after {timeout:g} s")
    if isinstance(error, ProcessExpired):
        return work.fail(job, Outcome.FAILED, _obituary(error.exitcode))
    return work.fail(job, Outcome.FAILED, cells.failure(error))


def _obituary(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name
        hint = " (often the system's answer to too little memory)" if name == "SIGKILL" else ""
        return f"the worker was ended by {name}{hint}"
    return f"the worker ended with exit code {exitcode}"


def _preloaded(jobs: Sequence[work.Job]) -> list[str]:
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
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_die_with, args=[parent.sentinel], daemon=True).start()


def _die_with(sentinel: int) -> None:
    """End when the process that wants the result is gone, so that the next run finds the directory to itself."""
    multiprocessing.connection.wait([sentinel])
    os._exit(1)
