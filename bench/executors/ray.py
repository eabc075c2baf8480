"""Cells made by the nodes of a Ray cluster that all see the run's directory. Home of ray, which need not be installed.

Ray keeps its worker processes warm. It tries nothing again by itself: what a lost worker or node means for a cell is
the run's to say.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from bench import cell as cells
from bench import work
from bench.errors import RequestError
from bench.executors import GRACE, Answer, Begun, Died, afar, out_of_time
from bench.work import Job, Made

INSTALL = "pip install 'finetune-bench[ray]'"

REACH = 10.0
"""Seconds to wait for an answer from the head of a cluster."""


class RayCluster:
    """See `bench.executors.Executor`: tasks on a Ray cluster, each with a processor core and so much of a GPU."""

    def __init__(self, address: str | None, gpus: float | None, workers: int | None) -> None:
        """Join the cluster at `address`; without one that of RAY_ADDRESS, or one that lasts as long as this run.

        `gpus` None takes a whole one for each cell where the cluster has any. `workers` is the most cells at a time.
        Raises RequestError where ray is not installed, and where there is no such cluster, or no room in it.
        """
        self._ray = _import_ray()
        _join(self._ray, address)
        resources = self._ray.cluster_resources()
        share = float(resources.get("GPU", 0) >= 1) if gpus is None else gpus
        self.workers = self.slots = min(_room(resources, share), workers or _room(resources, share))
        if not self.workers:
            self._ray.shutdown()
            raise RequestError(f"the Ray cluster has no processor core with {share:g} GPU for a cell.")
        self._do = self._ray.remote(num_cpus=1, num_gpus=share, max_retries=0)(afar.do)
        self._jobs: dict[Any, tuple[Job, float]] = {}
        self._silent: list[Job] = []

    def start(self, job: Job) -> None:
        """See Executor."""
        self._jobs[self._do.remote(afar.Parcel.of(job))] = job, time.monotonic()
        self._silent.append(job)

    def news(self, seconds: float) -> Iterator[tuple[Job, Answer]]:
        """See Executor. No more jobs are in hand than there is room for, so that each begins when it is handed in.

        Raises RequestError where a node does not see what it must.
        """
        while self._silent:
            yield self._silent.pop(), Begun()
        done, _ = self._ray.wait(list(self._jobs), num_returns=len(self._jobs), timeout=0)
        if not done:
            done, _ = self._ray.wait(list(self._jobs), num_returns=1, timeout=seconds)
        for task in done:
            job, began = self._jobs.pop(task)
            yield job, self._harvest(task, job, began)

    def _harvest(self, task: Any, job: Job, began: float) -> Answer:
        errors = self._ray.exceptions
        try:
            made: Made | None = self._ray.get(task)
        except errors.NodeDiedError:
            return Died("the node that made it is gone", blameless=True)
        except errors.RayTaskError as error:
            cause = error.cause if isinstance(error.cause, Exception) else error
            if isinstance(cause, RequestError):
                raise cause from None
            return Died(cells.failure(cause), again=False)
        except errors.RayError as error:
            if job.timeout is not None and time.monotonic() - began > job.timeout + GRACE:
                return out_of_time(job.timeout)
            return Died(f"the worker died ({type(error).__name__})")
        return made

    def close(self, *, at_once: bool) -> None:
        """See Executor."""
        for task in self._jobs if at_once else ():
            with contextlib.suppress(self._ray.exceptions.RayError):
                self._ray.cancel(task, force=True)
        self._ray.shutdown()


def _import_ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise RequestError(f"--executor ray needs ray, which is not installed: {INSTALL}") from error
    return ray


def _join(ray: Any, address: str | None) -> None:
    """Join the cluster. The present handler of SIGTERM is kept, since Ray's own would end the run in mid-sentence."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        _check_reachable(address)
        ray.init(address=address, runtime_env={"env_vars": dict(work.ENVIRONMENT)}, log_to_driver=False,
                 logging_level="ERROR", include_dashboard=False if address is None else None)
    except (OSError, ValueError, RuntimeError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise RequestError(f"no Ray cluster at {address or 'RAY_ADDRESS'} ({first}). Start one: ray start.") from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)


def _check_reachable(address: str | None) -> None:
    """Raises OSError at once where nobody listens; Ray itself would try for minutes."""
    host, _, port = (address or "").rpartition(":")
    if host and port.isdecimal() and "/" not in host:
        socket.create_connection((host, int(port)), REACH).close()


def _room(resources: Mapping[str, float], gpus: float) -> int:
    """How many cells find room in the cluster at a time."""
    room = int(resources.get("CPU", 0))
    return min(room, int(resources.get("GPU", 0) / gpus)) if gpus else room


