"""Where cells are made: the seam between a run and what brings its jobs to a processor.

`bench.pool` is the one that needs nothing but this machine. Knows jobs and what becomes of them; not how a run goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from bench.record import Outcome
from bench.work import Job, Made

GRACE = 10.0
"""Seconds that a cell gets, when its time is up, to write down what it has. After that its process is ended."""


@dataclass(frozen=True)
class Died:
    """A job that ended without a word, and why. `again` says that another try may end better.

    `blameless` says that the machine was lost, not the cell's own process: such a try does not count.
    """

    reason: str
    outcome: Outcome = Outcome.FAILED
    again: bool = True
    blameless: bool = False


@dataclass(frozen=True)
class Begun:
    """The job is being done now, not only waiting."""


Answer = Begun | Made | Died | None
"""What is heard of a job. None: its cell is being made by somebody else."""


class Executor(Protocol):
    """Brings jobs to workers. A context: at its end no worker is left, nor after an error of the block.

    `slots` jobs are worth having in hand at a time, of which `workers` are done at a time.
    """

    slots: int
    workers: int

    def start(self, job: Job) -> None:
        """Take the job in hand."""

    def news(self, seconds: float) -> Iterator[tuple[Job, Answer]]:
        """What has become of jobs in hand since the last call; waits up to so many seconds for the first."""

    def close(self, *, at_once: bool) -> None:
        """Let the workers go; `at_once` without letting them finish."""


def out_of_time(seconds: float | None) -> Died:
    """What is said of a cell that did not even end when it was asked to."""
    return Died(f"no result after {seconds or 0:g} s, nor {GRACE:g} s after it was asked to end", Outcome.TIMED_OUT,
                again=False)
