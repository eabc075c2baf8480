"""Which cells of a plan have no fresh record, and the run that makes them.

Several runs may work on one directory, from one machine or from several that share it: each cell is made once, by the
run that claims it first, and every run ends when all cells of its plan are done. Knows cells, records and claims; not
how a cell is made (`bench.work`), by what (`bench.executors`), nor how progress is counted and shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench import claims, drive, estimate, sizes, sources, spread, work
from bench.errors import RequestError, StoreError
from bench.executors.choice import Choice
from bench.plan import Cell, Plan, renamed, united
from bench.record import Names, Outcome, Record, brief
from bench.store import Seen, Store
from bench.tally import GOOD, Listener, Tally
from bench.work import Job

LEARNER = "bench.learn.fit:open_learner"
"""The real learner, by name: only workers import it."""

RETRIES = 1
"""Times that a cell is tried again when its worker dies."""


@dataclass(frozen=True)
class Summary:
    """How a run ended. `outcomes` counts all cells of the plan, those with a fresh record included.

    Of the `ran` cells, which had no fresh record, `elsewhere` were made by other runs meanwhile. `failed` are records
    without trials and curves.
    """

    fresh: int
    ran: int
    outcomes: Mapping[Outcome, int]
    failed: tuple[Record, ...]
    seconds: float
    elsewhere: int = 0

    @property
    def exit_code(self) -> int:
        """0 where all is good, 1 where some cells failed."""
        return 1 if self.failed else 0


def run(
    plan: Plan,
    out: Path,
    *,
    workers: int | None = None,
    executor: Choice | None = None,
    events: Listener = lambda event: None,
    timeout: float | None = None,
    retries: int = RETRIES,
    learner: str = LEARNER,
    command: str | None = None,
    keep: bool = False,
    profile: str | None = None,
    storage: str | None = None,
    seen: Mapping[Names, Seen] | None = None,
) -> Summary:
    """Make every missing or stale record of `plan` in the run directory `out`.

    `workers` None takes one for each processor core, or one where there is a GPU; 0 works in this process, where there
    can be no `timeout` (seconds a cell may take). `executor` says where else, instead of `workers`. A cell whose worker
    dies is tried `retries` times more. `learner` is a "module:attribute" that is a `bench.learner.OpenLearner`. With
    `keep` the models of all final trainings are kept, and finished cells that lack theirs run again. `profile` is that
    of `bench.work.Job`. `storage` is the URL of a database for the trials (`bench.spread`); by default each cell has a
    journal. `seen` are records as `Store.seen` found them, which are not read again where they are still the same. Data
    are checked before anything trains. Raises RequestError, DataError or UnavailableError for what cannot
    be run, StoreError for a directory that cannot be used, KeyboardInterrupt when interrupted: finished records are
    kept and the same call goes on from there.
    """
    chosen = executor or Choice(workers=workers)
    if chosen.workers == 0 and timeout is not None:
        raise RequestError("no cell can be timed out in this very process. Use --workers 1, or leave --timeout out.")
    storage = None if storage is None else spread.checked(storage, written_down=chosen.name == "slurm")
    store = Store(out)
    with _among_others(store, plan):
        found = [_look(store, cell, keep, (seen or {}).get(cell.names)) for cell in plan.cells]
        stale = sorted((f for f in found if not f.fresh), key=lambda f: -f.guess)
        facts = {"command": command} if command else {}
        job = Job(plan.cells[0], out, learner, facts, keep, timeout, profile=profile, storage=storage)
        jobs = [replace(job, cell=f.cell, seen=f.seen) for f in stale]
        if jobs:
            chosen.prepare(jobs)
        _check_data([f.cell for f in stale], plan)
        guesses = {f.cell.names: f.guess for f in stale}
        tally = Tally(store, events, guesses, fresh=len(found) - len(stale), limited=timeout is not None)
        tally.planned()
        if jobs:
            opened = chosen.open(jobs)
            tally.workers = min(opened.workers, len(jobs))
            drive.drive(jobs, opened, tally, retries)
    return _summary([f for f in found if f.fresh], tally)


@contextmanager
def _among_others(store: Store, plan: Plan) -> Iterator[None]:
    """A place in the directory. Who is alone there tidies up what killed runs left, at the beginning and at the end."""
    place = claims.Presence(store.root)
    try:
        with claims.turn(store.root, "start"):
            _begin(store, plan, alone=place.alone())
            place.share()
        yield
    finally:
        try:
            if place.alone():
                store.sweep()
                place.forget_claims()
        finally:
            place.leave()


def _begin(store: Store, plan: Plan, *, alone: bool) -> None:
    """Write down what the run is meant to contain: together with others, what theirs are meant to contain, too."""
    if alone:
        store.sweep()
        store.write_plan(plan.dumps())
        _rename(store, plan)
    else:
        store.write_plan(united(store.read_plan(), plan))


@dataclass(frozen=True)
class _Found:
    """A cell as the run finds it: the digest of its record, about how many seconds it takes, how its record ended.

    `failed` is a record that counts, but as a failure.
    """

    cell: Cell
    seen: str | None
    guess: float
    fresh: bool
    outcome: Outcome | None
    failed: Record | None


def _look(store: Store, cell: Cell, keep: bool, known: Seen | None) -> _Found:
    seen = work.digest(store, cell.names)
    if known is not None and known.digest == seen:
        record: Record | None = known.record
    else:
        record = None if seen is None else _earlier(store, cell.names)
    fresh = store.is_done(record, cell.fingerprint, keep)
    guess = 0.0 if fresh else estimate.seconds(cell, {cell.names: record} if record else None)
    failed = brief(record) if record is not None and fresh and record.outcome not in GOOD else None
    return _Found(cell, seen, guess, fresh, record.outcome if record else None, failed)


def _rename(store: Store, plan: Plan) -> None:
    """Let the cells that are there under their other names go by those of the plan."""
    for cell in plan.cells:
        if cell.other_names is None or store.path("records", cell.names, "json").exists():
            continue
        other = _earlier(store, cell.other_names)
        record = None if other is None else renamed(cell, {other.names: other})
        if record is not None:
            store.rename(record, cell.train_size)


def _check_data(cells: Sequence[Cell], plan: Plan) -> None:
    """Read all data once, so that a mistake in a row, or sizes that are one, show before anything trains."""
    for cell in {(c.task.name, c.source, c.data_dir, c.data_revision): c for c in cells}.values():
        rows = sources.check(cell.task, cell.source, cell.data_dir, cell.data_revision)
        asked = {c.train_size for c in plan.cells if c.task == cell.task and c.train_size is not None}
        sizes.refuse_same_rows(cell.task.name, sorted(asked), rows)


def _earlier(store: Store, names: Names) -> Record | None:
    """The record that is there; one that cannot be read is as good as none, since it will be made again."""
    try:
        return store.read_record(names)
    except StoreError:
        return None


def _summary(fresh: Sequence[_Found], tally: Tally) -> Summary:
    outcomes = tally.outcomes + Counter(f.outcome for f in fresh if f.outcome is not None)
    failed = [*(f.failed for f in fresh if f.failed is not None), *tally.failed]
    return Summary(
        fresh=len(fresh), ran=len(tally.guesses), outcomes=outcomes, failed=tuple(failed), seconds=tally.seconds,
        elsewhere=tally.found,
    )
