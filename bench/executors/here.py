"""Cells made in this very process, one after the other: for a debugger, and for where there can be no other process."""

from __future__ import annotations

from collections.abc import Iterator

from bench import work
from bench.executors import Answer, Begun
from bench.work import Job


class Here:
    """See `bench.executors.Executor`."""

    slots = workers = 1

    def __init__(self) -> None:
        self._jobs: list[Job] = []
        work.one_thread()

    def start(self, job: Job) -> None:
        """See Executor."""
        self._jobs.append(job)

    def news(self, seconds: float) -> Iterator[tuple[Job, Answer]]:
        """See Executor; does the job."""
        while self._jobs:
            job = self._jobs.pop(0)
            yield job, Begun()
            yield job, work.do(job)

    def close(self, *, at_once: bool) -> None:
        """See Executor; there is no worker."""
