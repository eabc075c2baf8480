"""Which cells of a plan have no fresh record, and the run that makes them: in this process, or in a pool of workers.

Knows cells, records and events; not how a cell is made (`bench.work`) nor how progress is shown.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from bench import estimate, pool, provenance, sizes, sources, work
from bench.errors import RequestError, StoreError
from bench.plan import Cell, Plan, renamed
from bench.record import Names, Outcome, Record, to_json
from bench.store import Store

LEARNER = "bench.learn.fit:open_learner"
"""The real learner, by name: only workers import it."""

GOOD = frozenset({Outcome.OK, Outcome.UNSUPPORTED})
"""Outcomes that are no failure: a pair that cannot work is known and shown as such."""


class Kind(StrEnum):
    """What an event tells."""

    PLANNED = "planned"
    STARTED = "started"
    FINISHED = "finished"


@dataclass(frozen=True)
class Event:
    """What happened, and how the run stands. `key` is the cell's name, `record` its result once it is finished.

    `total` cells are to be run and `fresh` need not be; `done` of them are finished, `failed` with another outcome
    than OK or UNSUPPORTED. `seconds` have passed, about `left` remain (None where nothing is known yet).
    """

    kind: Kind
    key: str | None
    running: tuple[str, ...]
    done: int
    failed: int
    total: int
    fresh: int
    seconds: float
    left: float | None
    record: Record | None = None


@dataclass(frozen=True)
class Summary:
    """How a run ended. `outcomes` counts all cells of the plan, those with a fresh record included."""

    fresh: int
    ran: int
    outcomes: Mapping[Outcome, int]
    failed: tuple[Record, ...]
    seconds: float

    @property
    def exit_code(self) -> int:
        """0 where all is good, 1 where some cells failed."""
        return 1 if self.failed else 0


Listener = Callable[[Event], None]


def run(
    plan: Plan,
    out: Path,
    *,
    workers: int | None = None,
    events: Listener = lambda event: None,
    timeout: float | None = None,
    learner: str = LEARNER,
    command: str | None = None,
    keep: bool = False,
) -> Summary:
    """Make every missing or stale record of `plan` in the run directory `out`.

    `workers` None takes one for each processor core, or one where there is a GPU; 0 works in this process, where there
    can be no `timeout` (seconds a cell may take). `learner` is a "module:attribute" that is a
    `bench.learner.OpenLearner`. With `keep` the models of all final trainings are kept, and finished cells that lack
    theirs run again. Data are checked before anything trains. Raises RequestError, DataError or
    UnavailableError for what cannot be run, StoreError where another run is using `out`, KeyboardInterrupt when
    interrupted: finished records are kept and the same call goes on from there.
    """
    if workers is not None and workers < 0:
        raise RequestError(f"workers must be at least 0, got {workers}.")
    if workers == 0 and timeout is not None:
        raise RequestError("no cell can be timed out in this very process. Use --workers 1, or leave --timeout out.")
    store = Store(out)
    with _locked(out):
        store.sweep()
        store.write_plan(plan.dumps())
        _rename(store, plan)
        earlier = {cell.names: _earlier(store, cell) for cell in plan.cells}
        stale = [cell for cell in plan.cells if not store.is_done(earlier[cell.names], cell.fingerprint, keep)]
        known = {names: record for names, record in earlier.items() if record is not None}
        stale.sort(key=lambda cell: -estimate.seconds(cell, known))
        jobs = [work.Job(cell, out, learner, {"command": command} if command else {}, keep) for cell in stale]
        if jobs and workers != 0:
            pool.warm_up(jobs)
        _check_data(stale, plan)
        progress = _Progress(store, events, known, list(stale), fresh=len(plan.cells) - len(stale))
        progress.tell(Kind.PLANNED)
        _run_jobs(jobs, workers, timeout, progress)
    return _summary(plan, {**known, **progress.records}, len(stale), progress.seconds)


@dataclass
class _Progress:
    """How the run stands; turns what happens into events and into lines of the run's log."""

    store: Store
    listener: Listener
    earlier: Mapping[Names, Record]
    waiting: list[Cell]
    fresh: int
    running: list[Cell] = field(default_factory=list)
    records: dict[Names, Record] = field(default_factory=dict)
    spent: list[tuple[float, float]] = field(default_factory=list)
    workers: int = 1
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def started(self, cell: Cell) -> None:
        self.waiting.remove(cell)
        self.running.append(cell)
        self.tell(Kind.STARTED, cell)

    def finished(self, cell: Cell, record: Record) -> None:
        self.running.remove(cell)
        self.records[cell.names] = record
        if record.cost is not None:
            self.spent.append((record.cost.seconds, estimate.seconds(cell, self.earlier)))
        self.tell(Kind.FINISHED, cell, record)

    def left(self) -> float | None:
        """Seconds to go: the estimates of what is not done, corrected by how those of finished cells were off."""
        if not self.spent:
            return None
        off = sum(real for real, _ in self.spent) / sum(guess for _, guess in self.spent)
        ahead = sum(estimate.seconds(cell, self.earlier) for cell in (*self.waiting, *self.running))
        return ahead * off / self.workers

    def tell(self, kind: Kind, cell: Cell | None = None, record: Record | None = None) -> None:
        event = Event(
            kind=kind, key=cell.key if cell else None, running=tuple(c.key for c in self.running),
            done=len(self.records), failed=sum(r.outcome not in GOOD for r in self.records.values()),
            total=len(self.records) + len(self.running) + len(self.waiting), fresh=self.fresh,
            seconds=self.seconds, left=self.left(), record=record,
        )
        self.store.append_event(_log_line(event))
        self.listener(event)


def _log_line(event: Event) -> dict[str, Any]:
    line = {"time": provenance.now(), "kind": event.kind, "cell": event.key, "done": event.done, "total": event.total}
    if event.record is not None:
        kept = ("outcome", "reason", "metric", "score", "fingerprint")
        line |= {name: getattr(event.record, name) for name in kept}
    return dict(to_json(line))


def _run_jobs(jobs: Sequence[work.Job], workers: int | None, timeout: float | None, progress: _Progress) -> None:
    if not jobs:
        return
    if workers == 0:
        _run_here(jobs, progress)
        return
    progress.workers = min(pool.default_workers() if workers is None else workers, len(jobs))
    pool.run(jobs, progress.workers, timeout, progress.started, progress.finished)


def _run_here(jobs: Sequence[work.Job], progress: _Progress) -> None:
    work.one_thread()
    for job in jobs:
        progress.started(job.cell)
        progress.finished(job.cell, work.do(job))


def _rename(store: Store, plan: Plan) -> None:
    """Let the cells that are there under their other names go by those of the plan."""
    records = {record.names: record for record in store.records()}
    for cell in plan.cells:
        record = renamed(cell, records)
        if record is not None:
            store.rename(record, cell.train_size)


def _check_data(cells: Sequence[Cell], plan: Plan) -> None:
    """Read all data once, so that a mistake in a row, or sizes that are one, show before anything trains."""
    for cell in {(c.task.name, c.source, c.data_dir, c.data_revision): c for c in cells}.values():
        rows = sources.check(cell.task, cell.source, cell.data_dir, cell.data_revision)
        asked = {c.train_size for c in plan.cells if c.task == cell.task and c.train_size is not None}
        sizes.refuse_same_rows(cell.task.name, sorted(asked), rows)


def _earlier(store: Store, cell: Cell) -> Record | None:
    """The record that is there; one that cannot be read is as good as none, since it will be made again."""
    try:
        return store.read_record(cell.names)
    except StoreError:
        return None


def _summary(plan: Plan, records: Mapping[Names, Record], ran: int, seconds: float) -> Summary:
    mine = [records[cell.names] for cell in plan.cells]
    return Summary(
        fresh=len(plan.cells) - ran, ran=ran, outcomes=Counter(r.outcome for r in mine),
        failed=tuple(r for r in mine if r.outcome not in GOOD), seconds=seconds,
    )


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Only one run at a time may write to a directory; the lock dies with its process."""
    from filelock import FileLock, Timeout

    out.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise StoreError(f"another run is using {out}. Wait for it, stop it, or choose another --out.") from error
    try:
        yield
    finally:
        lock.release()
