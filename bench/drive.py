"""How a run's jobs are brought to their end: fed to an executor, tried again where a worker died, waited for elsewhere.

Knows jobs and answers; not what an executor is made of, nor how progress is counted and shown.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable
from typing import Protocol

from bench import work
from bench.executors import Answer, Begun, Died, Executor
from bench.plan import Cell
from bench.record import Names
from bench.work import Job, Made

POLL = 0.1
"""Seconds between two looks at an executor that has nothing to say."""

LOOK = 0.5
"""Seconds between two looks at the cells that somebody else is making."""

LOST = 10
"""Times that a cell's machine may be lost under it before the cell is given up; such tries are not its own."""


class Watcher(Protocol):
    """Is told what becomes of every cell."""

    def begun(self, cell: Cell) -> None:
        """The cell is being made."""

    def finished(self, cell: Cell, made: Made) -> None:
        """There is a record of the cell."""

    def tried(self, cell: Cell, reason: str) -> None:
        """A worker died of the cell, or with it; the cell will be tried again."""

    def held(self, cell: Cell) -> None:
        """Somebody else is making the cell."""

    def passed(self) -> None:
        """A moment has passed, in which perhaps nothing else became of any cell."""


def drive(jobs: Iterable[Job], executor: Executor, watcher: Watcher, retries: int) -> None:
    """Do all jobs, first come first served. A cell whose worker dies is tried `retries` times more, then recorded."""
    drive = _Drive(deque(jobs), executor, watcher, retries)
    try:
        drive.go()
    except BaseException:
        executor.close(at_once=True)
        raise
    executor.close(at_once=False)


class _Drive:
    """Where the jobs of a run are: waiting, in hand, or held elsewhere."""

    def __init__(self, waiting: deque[Job], executor: Executor, watcher: Watcher, retries: int) -> None:
        self.waiting, self.executor, self.watcher, self.retries = waiting, executor, watcher, retries
        self.in_hand = 0
        self.held: dict[Names, Job] = {}
        self.deaths: Counter[Names] = Counter()
        self.losses: Counter[Names] = Counter()
        self.looked = 0.0

    def go(self) -> None:
        while self.waiting or self.in_hand or self.held:
            while self.waiting and self.in_hand < self.executor.slots:
                self.in_hand += 1
                self.executor.start(self.waiting.popleft())
            if self.in_hand:
                for job, answer in self.executor.news(POLL):
                    self.hear(job, answer)
            self.watcher.passed()
            self.look_elsewhere()

    def hear(self, job: Job, answer: Answer) -> None:
        if isinstance(answer, Begun):
            self.watcher.begun(job.cell)
            return
        self.in_hand -= 1
        if isinstance(answer, Died):
            self.bury(job, answer)
        else:
            self.settle(job, answer)

    def bury(self, job: Job, died: Died) -> None:
        """Try the cell of a dead worker again, or record why not."""
        names = job.cell.names
        (self.losses if died.blameless else self.deaths)[names] += 1
        if died.again and self.deaths[names] <= self.retries and self.losses[names] <= LOST:
            self.watcher.tried(job.cell, died.reason)
            self.waiting.appendleft(job)
            return
        tries = self.deaths[names] + self.losses[names]
        often = f" (tried {tries} times)" if tries > 1 else ""
        self.settle(job, work.fail(job, died.outcome, f"{died.reason}{often}"))

    def settle(self, job: Job, made: Made | None) -> None:
        if made is None:
            self.held[job.cell.names] = job
            self.watcher.held(job.cell)
        else:
            self.watcher.finished(job.cell, made)

    def look_elsewhere(self) -> None:
        """Take the cells back that nobody is making any more, whether they are finished or their maker died."""
        if not self.held or (self.in_hand and time.monotonic() - self.looked < LOOK):
            return
        free = [job for job in self.held.values() if not work.is_claimed(job)]
        for job in free:
            self.waiting.append(self.held.pop(job.cell.names))
        if not self.waiting and not self.in_hand:
            time.sleep(LOOK)
        self.looked = time.monotonic()
