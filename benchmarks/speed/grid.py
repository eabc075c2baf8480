"""Cells made by the peer's script, one process each, and by a run of ours, in turn."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from bench import catalog, plan, provenance, sources
from bench.commands.request import with_budget
from bench.material import Material
from bench.models import config, directory
from bench.plan import Cell, Plan
from bench.spec import REFERENCE_WIDTH
from bench.store import Store, safe_name
from benchmarks.peer import handed as told
from benchmarks.peer.handed import Handed
from benchmarks.speed import apart, process
from benchmarks.speed.apart import Apart
from benchmarks.speed.process import Took

SUITE = "glue-lite"
SAMPLE = (
    "sentiment/bert-mini/full", "ner/gpt2-mini/lora", "qa/t5-mini/freeze", "translation/t5-mini/full",
    "translation/gpt2-mini/lora", "summarization/bert-mini/full", "sentiment/t5-mini/head_only",
    "ner/bert-mini/scratch",
)
"""Every task, family and method of the suite at least once."""


@dataclass(frozen=True)
class Side:
    """A cell on one side: test scores by seed, peak memory in bytes, seconds of wall time of the cell.

    `spent` are seconds by part of the work, where they were measured.
    """

    scores: tuple[float, ...]
    peak_memory: int | None
    seconds: float
    spent: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Best:
    """The cells of a task with the highest scores on either side, and how far these are apart."""

    peer: str
    ours: str
    apart: Apart


@dataclass(frozen=True)
class Round:
    """Both sides once: what all cells took together, each cell, how far apart its scores are, and the best by task.

    `peer_at_once` is what they took the peer with a cell on each core, one thread each.
    """

    peer: Took
    ours: Took
    peer_cells: dict[str, Side]
    our_cells: dict[str, Side]
    apart: dict[str, Apart]
    best: dict[str, Best]
    peer_at_once: Took | None = None


def cells(names: Sequence[str] | None, *, pruning: bool, budget: Mapping[str, Any] | None = None) -> Plan:
    """The plan of the named cells of the suite (None: all); without pruning there is one evaluation a training.

    `budget` changes fields of the suite's.
    """
    suite = with_budget(catalog.suite(SUITE), {**({} if pruning else {"evaluations": 1}), **(budget or {})})
    whole = plan.make(suite)
    chosen = tuple(cell for cell in whole.cells if names is None or cell.key in names)
    missing = set(names or ()) - {cell.key for cell in chosen}
    if missing:
        raise SystemExit(f"no cells of {SUITE}: {', '.join(sorted(missing))}")
    return dataclasses.replace(whole, cells=chosen)


def hand_out(cell: Cell, place: Path, threads: int | None = None, *, bfloat16: bool = False) -> Path:
    """The file that tells the peer of the cell; the rows of its task are written once."""
    splits = sources.load(cell.task, cell.source, data_dir=cell.data_dir, budget=cell.budget)
    material, rows = Material(cell.task, splits), place / "rows" / cell.task.name
    if not rows.exists():
        for split, found in zip(told.SPLITS, (splits.train, splits.validation, splits.test()), strict=True):
            told.write_rows(rows, split, found)
    path = place / f"{'-'.join(map(safe_name, cell.names))}.json"
    handed = _handed(cell, material.labels, rows, threads)
    told.write(path, dataclasses.replace(handed, bfloat16=bfloat16))
    return path


def precisions(asked: Plan, place: Path) -> dict[str, bool]:
    """By the key of each cell, whether the peer trains it in bfloat16: tried once for each task and model, on
    `full` where the plan has it."""
    last_full = sorted(asked.cells, key=lambda cell: cell.method.name == "full")
    tried = {(cell.task.name, cell.model.name): hand_out(cell, place) for cell in last_full}
    target = place / "precisions.json"
    process.run(["benchmarks.peer.precision", str(target), *map(str, tried.values())])
    found: dict[str, bool] = json.loads(target.read_text())
    return {cell.key: found[str(tried[cell.task.name, cell.model.name])] for cell in asked.cells}


def _handed(cell: Cell, labels: tuple[str, ...], rows: Path, threads: int | None) -> Handed:
    checkpoint, task, budget = directory(cell.model), cell.task, cell.budget
    assert checkpoint is not None, "a local model"
    assert cell.method.rates is not None, "a method that trains"
    settings = config(checkpoint)
    width = next(settings[name] for name in ("hidden_size", "d_model", "n_embd") if name in settings)
    rates = cell.method.rates.scaled(cell.model.rate_factor * REFERENCE_WIDTH / width)
    return Handed(
        head=str(task.head), family=str(cell.model.family), metric=task.metric, inputs=task.inputs,
        reference=task.reference, labels=labels, checkpoint=str(checkpoint.resolve()),
        pretrained=cell.method.pretrained, method=cell.method.name, rates=(rates.low, rates.high, rates.default),
        trials=budget.trials, seeds=budget.seeds, trial_epochs=budget.trial_epochs, epochs=budget.epochs,
        batch_size=budget.batch_size, evaluations=budget.evaluations, input_tokens=task.input_tokens,
        output_tokens=task.output_tokens, stride=task.stride, cue=task.cue, rows=str(rows.resolve()), threads=threads,
    )


def one_round(asked: Plan, place: Path, number: int, bfloat16: Mapping[str, bool], *, at_once: bool) -> Round:
    """The peer on every cell, and ours on all of them as one run, published as every run is.

    Who begins changes from round to round. `at_once` asks for the peer once more, with a cell on each core.
    """
    if number % 2:
        ours, our = _ours(asked, place, number)
        peer, peers, answers = _peer(asked, place, bfloat16)
    else:
        peer, peers, answers = _peer(asked, place, bfloat16)
        ours, our = _ours(asked, place, number)
    store = Store(_out(place, number))
    differences = {
        record.key: apart.of_cell(store, record, answers[record.key], peers[record.key].scores)
        for record in store.records()
    }
    best = _best(store, peers, our, answers)
    return Round(peer, ours, peers, our, differences, best, _peer_at_once(asked, place, bfloat16) if at_once else None)


def _peer(asked: Plan, place: Path, bfloat16: Mapping[str, bool]) -> tuple[Took, dict[str, Side], dict[str, Any]]:
    """What all cells took, each cell, and its answers to the test rows by seed."""
    cells: dict[str, Side] = {}
    answers: dict[str, Any] = {}
    whole = Took(0.0, 0.0)
    for cell in asked.cells:
        source, target = hand_out(cell, place, bfloat16=bfloat16[cell.key]), place / "result.json"
        took = process.run(["benchmarks.peer", str(source), str(target)])
        whole = Took(whole.wall + took.wall, whole.processor + took.processor)
        found = json.loads(target.read_text())
        cells[cell.key] = Side(tuple(found["scores"]), found["peak_memory"], took.wall)
        answers[cell.key] = found["answers"]
    return whole, cells, answers


def _best(
    store: Store, peers: Mapping[str, Side], our: Mapping[str, Side], answers: Mapping[str, Any]
) -> dict[str, Best]:
    """By task."""
    records = {record.key: record for record in store.records()}
    found = {}
    for task in dict.fromkeys(record.task for record in records.values()):
        keys = [key for key, record in records.items() if record.task == task]
        theirs, mine = (max(keys, key=lambda key: fmean(side[key].scores)) for side in (peers, our))
        found[task] = Best(theirs, mine, apart.of_cell(store, records[mine], answers[theirs], peers[theirs].scores))
    return found


def _peer_at_once(asked: Plan, place: Path, bfloat16: Mapping[str, bool]) -> Took:
    """What all cells take with as many at once as there are cores, on one thread each."""
    commands = [
        ["benchmarks.peer", str(hand_out(cell, place, 1, bfloat16=bfloat16[cell.key])), str(place / f"{number}.json")]
        for number, cell in enumerate(asked.cells)
    ]
    return process.run_all(commands, provenance.cores())


def _ours(asked: Plan, place: Path, number: int) -> tuple[Took, dict[str, Side]]:
    out, planned = _out(place, number), place / "plan.json"
    planned.write_text(asked.dumps())
    took = process.run(["benchmarks.speed.ours", str(planned), "--out", str(out), "--profile"])
    return took, our_cells(out)


def _out(place: Path, number: int) -> Path:
    return place / f"ours-{number}"


def our_cells(out: Path) -> dict[str, Side]:
    """The records of a run.

    Raises RuntimeError for a cell that failed.
    """
    found: dict[str, Side] = {}
    for record in Store(out).records():
        if record.cost is None or record.score is None:
            raise RuntimeError(f"{record.key}: {record.outcome} {record.reason}")
        spent = {name: part.seconds for name, part in record.spent.items()}
        found[record.key] = Side(record.seed_scores, record.cost.peak_memory, record.cost.seconds, spent)
    return found


