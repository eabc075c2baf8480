"""What a worker does: one job is one cell, from its data to its record on disk.

Runs in a worker process, or in the caller's own. Several cells of a task share its data, which stay open.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from bench import cell as cells
from bench import claims, forked, halfway, provenance, resident, sources, spent
from bench import store as stores
from bench.errors import StoreError
from bench.learner import OpenLearner
from bench.material import Material
from bench.plan import Cell
from bench.record import Names, Outcome, Record, brief
from bench.store import RETRIED, Store, read_record, safe_name

THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
"""One thread a worker: on small models two workers of one thread beat one of two, and sums keep their order."""

ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**28)}
"""Let glibc keep the memory of one step for the next, rather than give it back and have every page of it made anew."""

KERNELS = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128", "LRU_CACHE_CAPACITY": "1"}
"""How many prepared matrix kernels, one a shape, oneDNN keeps, and torch above it. With their 1,024 a cell grows by a
gigabyte over the lengths it meets; 128 are as fast, 16 are not. What torch keeps of its own is the same once more."""

ENVIRONMENT = {**THREADS, **ALLOCATOR, **KERNELS, "TOKENIZERS_PARALLELISM": "false"}
"""What a worker must find in its environment before it starts, or imports a numeric library."""

OPEN_TASKS = 8
"""Tasks whose data a worker keeps open."""


@dataclass(frozen=True)
class Job:
    """A cell to be made in the run directory `out`, by the learner that `learner` ("module:attribute") names.

    `keep` says that the models of its final trainings are to be kept. `timeout` is in seconds. `seen` is the `digest`
    of the record that was there when the run began: any other one was made meanwhile. `profile` asks where the time
    goes: None for nothing, "times" for seconds by part in the record, "trace" also for a trace beside the study.
    `storage` is the URL of a database for the trials, which may hold a password; None for a journal.
    """

    cell: Cell
    out: Path
    learner: str
    facts: Mapping[str, Any]
    keep: bool = False
    timeout: float | None = None
    seen: str | None = None
    profile: str | None = None
    storage: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Made:
    """A cell that is done: its record without trials and curves, and whether it was made by this very job."""

    record: Record
    here: bool = True


def do(job: Job) -> Made | None:
    """Make the cell, unless somebody else has meanwhile; None where somebody else is making it."""
    with claims.present(job.out), claims.claim(_claim(job)) as mine:
        if not mine:
            return None
        found = _made_meanwhile(job)
        return Made(brief(found), here=False) if found else Made(brief(_make(job)))


def do_apart(job: Job) -> Made | None:
    """`do` in a fork of this process, so that the memory it takes is the cell's own, whatever was made here before.

    What cells share stays here: the training and validation rows of a task, what its floors score, and what is known of
    the machine. Test rows are opened by each cell itself, after its search.
    """
    provenance.environment()
    material = _loaded(job)
    made = forked.call(functools.partial(_do_in_fork, job, os.getpid()))
    if material is not None and made is not None and made.record.floors:
        material.know_floors(made.record.floors)
    return made


def _do_in_fork(job: Job, worker: int) -> Made | None:
    resident.inherit(worker)
    return do(job)


def fail(job: Job, outcome: Outcome, reason: str) -> Made | None:
    """Write the record of a cell whose worker cannot do so any more, unless somebody else has done better.

    None where somebody else is making it.
    """
    with claims.present(job.out), claims.claim(_claim(job)) as mine:
        if not mine:
            return None
        found = _made_meanwhile(job)
        return Made(brief(found), here=False) if found else Made(_write_failure(job, outcome, reason))


def is_claimed(job: Job) -> bool:
    """Whether somebody is making the cell at this moment."""
    with claims.claim(_claim(job)) as mine:
        return not mine


def digest(store: Store, names: Names) -> str | None:
    """The digest of a cell's record as it lies there, None where there is none."""
    try:
        return stores.digest(store.path("records", names, "json").read_bytes())
    except OSError:
        return None


def _claim(job: Job) -> Path:
    return job.out.joinpath(claims.FOLDER, *map(safe_name, job.cell.names))


def _made_meanwhile(job: Job) -> Record | None:
    """The cell's record if it need not be made any more: fresh, or a failure that is younger than the run."""
    store, names = Store(job.out), job.cell.names
    if digest(store, names) == job.seen:
        return None
    try:
        record = read_record(store.path("records", names, "json"))
    except StoreError:
        return None
    tried = record.fingerprint == job.cell.fingerprint and record.outcome in RETRIED
    return record if tried or store.is_done(record, job.cell.fingerprint, job.keep) else None


def _make(job: Job) -> Record:
    """Make the cell and write its models, predictions and record, the record last: it stands for all."""
    store = Store(job.out)
    names = job.cell.names
    finished = _with_models(job, store)
    if finished.predictions:
        store.write_predictions(names, finished.predictions)
    else:
        store.remove_predictions(names)
    store.write_record(finished.record)
    if finished.record.outcome not in RETRIED:
        halfway.forget(store.study(names))
    return finished.record


def _with_models(job: Job, store: Store) -> cells.Finished:
    """The finished cell; its models, where they are to be kept and there are all, in place of any earlier ones."""
    names = job.cell.names
    if not job.keep:
        store.remove_models(names)
        return _run(job, store, None)
    with store.new_models(names) as place:
        finished = _run(job, store, place)
        if finished.record.outcome is not Outcome.OK:
            for model in place.iterdir():
                shutil.rmtree(model)
        return finished


def _run(job: Job, store: Store, models: Path | None) -> cells.Finished:
    if job.profile is None:
        return _unmeasured(job, store, models)
    study = store.study(job.cell.names)
    clock = spent.Clock(trace=study.with_suffix(".trace.json") if job.profile == "trace" else None)
    with spent.measured(clock):
        finished = _unmeasured(job, store, models)
    return dataclasses.replace(finished, record=dataclasses.replace(finished.record, spent=clock.stop()))


def _unmeasured(job: Job, store: Store, models: Path | None) -> cells.Finished:
    return cells.run(
        job.cell,
        lambda assignment: _open_learner(job.learner)(assignment),
        open_material=lambda: _material(_Data(job.cell)),
        study=store.study(job.cell.names),
        facts=job.facts,
        models=models,
        timeout=job.timeout,
        storage=job.storage,
    )


def _write_failure(job: Job, outcome: Outcome, reason: str) -> Record:
    history = {**provenance.environment(), **job.facts, "finished": provenance.now()}
    record = cells.draft(job.cell, outcome, reason, history)
    store = Store(job.out)
    store.remove_predictions(job.cell.names)
    store.remove_models(job.cell.names)
    store.write_record(record)
    return record


def one_thread() -> None:
    """Set this process up as a worker is: libraries that are loaded already are told, later ones will read it."""
    os.environ.update(ENVIRONMENT)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


@functools.cache
def _open_learner(name: str) -> OpenLearner:
    module, _, attribute = name.partition(":")
    return cast(OpenLearner, getattr(importlib.import_module(module), attribute))


@dataclass(frozen=True)
class _Data:
    """A cell, equal to every other cell with the same data."""

    cell: Cell = field(compare=False)
    identity: tuple[object, ...] = field(init=False)

    def __post_init__(self) -> None:
        cell = self.cell
        identity = (cell.task.name, cell.task.version, cell.source, cell.data_dir, cell.data_sha256)
        object.__setattr__(self, "identity", identity)


def _loaded(job: Job) -> Material | None:
    """The data of the job's cell; None where they cannot be had, which the cell will find and write down itself."""
    try:
        return _material(_Data(job.cell))
    except Exception:  # noqa: BLE001 - see above
        return None


@functools.lru_cache(maxsize=OPEN_TASKS)
def _material(data: _Data) -> Material:
    cell = data.cell
    splits = sources.load(
        cell.task, cell.source, data_dir=cell.data_dir, budget=cell.budget, revision=cell.data_revision
    )
    return Material(cell.task, splits)
