"""What a record, and the published board, look like as Weights & Biases runs: plain values, ready to be sent.

Must not know wandb, processes or modes.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.record import Outcome, Record, Training, to_json

LEVELS = {"fine": None, "better": "INFO", "measured too little to say": "WARN"}
"""How loud a verdict's alert is; all others are errors."""

TOLD = 10
"""Alarms in an alert."""

ROWS = 200
"""Prediction rows shown for a cell: enough to read, and small to upload. All of them are in the run's own files."""

LONGEST_TAG = 64
"""Characters; W&B refuses a run with a longer tag."""

VERSIONS = ("harness", "python", "platform", "processor", "cores", "packages", "commit", "started", "finished")
"""What is passed on of a record's provenance. The command is not: it is free text, and may hold what a user typed."""

PREDICTION = ("row", "seed", "input", "reference", "prediction", "score", "phenomena")
TRAINING = ("stage", "number", "seed", "rate", "state", "value", "best_step", "steps", "train_seconds", "reason")


@dataclass(frozen=True)
class Table:
    """Columns and rows, each row as long as there are columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Alert:
    """What W&B tells the user at once, by mail or chat. `level` is one of its words: INFO, WARN, ERROR."""

    title: str
    text: str
    level: str


@dataclass(frozen=True)
class Page:
    """One W&B run. `id` is the same whenever the same thing is sent, so that it is never there twice, renamed or not.

    `digest` changes when there is something new to send. `curves` are rows of a history over `step`, whose other names
    start with one of `sections`. `files` become an artifact.
    """

    id: str
    digest: str
    name: str
    job: str
    tags: tuple[str, ...]
    config: Mapping[str, Any]
    summary: Mapping[str, Any]
    curves: tuple[Mapping[str, float], ...] = ()
    sections: tuple[str, ...] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    failed: bool = False
    alert: Alert | None = None


def of_cell(run: str, record: Record) -> Page:
    """The page of a record in the run of that name, still without predictions."""
    return Page(
        id=_hash(run, record.source, record.task, record.model, record.method, record.fingerprint),
        digest=_hash(json.dumps(to_json(record), sort_keys=True)),
        name=record.key,
        job=record.task,
        tags=_tags(record.task, record.model, record.method, _rows(record), record.source, str(record.outcome)),
        config=_config(run, record),
        summary=_summary(record),
        curves=_curves(record),
        sections=tuple(_section(stage, training) for stage, training in _stages(record)),
        tables={"trainings": _trainings(record)},
        failed=record.outcome not in (Outcome.OK, Outcome.UNSUPPORTED),
    )


def with_predictions(page: Page, predictions: Sequence[Mapping[str, Any]]) -> Page:
    """The page with a table of the first of these rows of `bench.predictions.prediction_schema`."""
    if not predictions:
        return page
    table = Table(PREDICTION, tuple(_prediction(row) for row in predictions[:ROWS]))
    return replace(page, tables={**page.tables, "predictions": table})


def of_board(run: str, published: Iterable[Path]) -> Page:
    """The page of the published files: the CSV as a table, all of them as an artifact."""
    files = tuple(published)
    page = Page(
        id=_hash(run, "leaderboard"), digest=_hash(*(hashlib.sha256(p.read_bytes()).hexdigest() for p in files)),
        name="leaderboard", job="leaderboard", tags=("leaderboard",), config={"run": run}, summary={}, files=files,
    )
    table = next((path for path in files if path.suffix == ".csv"), None)
    return page if table is None else replace(page, tables={"leaderboard": _csv(table)})


def of_verdict(run: str, said: Mapping[str, Any]) -> Page:
    """The page of a verdict, from the JSON that `leaderboard.report` makes of it: a tag, counts, and an alert."""
    verdict, alarms, cells = str(said["verdict"]), list(said["alarms"]), list(said["cells"])
    cause = said.get("cause") or {}
    summary = {
        "verdict": verdict, "exit_code": said["exit_code"], "base": said["base"], "alarms": len(alarms),
        "compared": sum(bool(cell["judged"]) for cell in cells), "cells": len(cells),
        "unmeasured": len(said["unmeasured"]), "cause": cause.get("what"), "stage": cause.get("stage"),
    }
    level = LEVELS.get(verdict, "ERROR")
    lines = [f"{alarm['kind']}, {alarm['scope']}: {alarm['says']}" for alarm in alarms[:TOLD]]
    text = "\n".join(lines) or f"{summary['compared']} of {len(cells)} cells could be compared"
    return Page(
        id=_hash(run, "verdict"), digest=_hash(json.dumps(said, sort_keys=True)), name="verdict", job="verdict",
        tags=_tags("verdict", verdict, str(cause.get("stage") or "")), config={"run": run, "base": said["base"]},
        summary={name: value for name, value in summary.items() if value is not None}, failed=level == "ERROR",
        alert=Alert(f"{run}: {verdict}", text, level) if level else None,
    )


def _hash(*parts: str) -> str:
    """64 bits, as hexadecimal digits: W&B takes few other characters in an id, and a run has few cells."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _rows(record: Record) -> str:
    """The training-set size where it is one of several."""
    return "" if record.train_size is None else f"{record.train_size} rows"


def _tags(*names: str) -> tuple[str, ...]:
    """Each name once and cut to what W&B takes, at the front: the end of a long path or id tells more."""
    return tuple(dict.fromkeys(name[-LONGEST_TAG:] for name in names if name))


def _config(run: str, record: Record) -> dict[str, Any]:
    names = ("task", "model", "method", "train_size", "source", "family", "head", "metric")
    cell = {name: getattr(record, name) for name in names}
    versions = {name: record.provenance[name] for name in VERSIONS if name in record.provenance}
    config: dict[str, Any] = to_json({
        "run": run, "cell": cell, "budget": record.budget, "rate": record.rate, "choice": record.choice,
        "fingerprint": record.fingerprint,
        "data": record.data, "checkpoint": record.checkpoint, "versions": versions,
    })
    return config


def _summary(record: Record) -> dict[str, Any]:
    """Flat and without the unknown, so that W&B can sort and plot by every entry."""
    names = ("outcome", "reason", "score", "low", "high", "rate", "rate_at_edge")
    floors = {name: scores[record.metric] for name, scores in record.floors.items() if record.metric in scores}
    seeds = {str(t.seed): t.scores[record.metric] for t in record.finals if t.scores is not None}
    groups = {
        "scores": record.scores or {}, "seeds": seeds, "floors": floors,
        "cost": to_json(record.cost) or {}, "parameters": to_json(record.parameters) or {},
    }
    flat = {name: to_json(getattr(record, name)) for name in names}
    flat |= {f"{group}/{name}": value for group, values in groups.items() for name, value in values.items()}
    return {name: value for name, value in flat.items() if value is not None}


def _stages(record: Record) -> list[tuple[str, Training]]:
    return [*(("trial", t) for t in record.trials), *(("seed", t) for t in record.finals)]


def _section(stage: str, training: Training) -> str:
    """How a training is called in charts: the same in every cell, so that W&B lays their curves over each other."""
    return f"{stage}_{training.number if stage == 'trial' else training.seed}"


def _curves(record: Record) -> tuple[Mapping[str, float], ...]:
    """One row a step, with the values that all trainings of the cell had there."""
    rows: dict[int, dict[str, float]] = {}
    for stage, training in _stages(record):
        section = _section(stage, training)
        for point in training.curve:
            row = rows.setdefault(point.step, {"step": point.step, "epoch": point.epoch})
            values = {"loss": point.loss, "validation": point.validation, "rate": training.rate}
            row |= {f"{section}/{name}": value for name, value in values.items() if value is not None}
    return tuple(rows[step] for step in sorted(rows))


def _trainings(record: Record) -> Table:
    rows = tuple((stage, *(getattr(t, name) for name in TRAINING[1:])) for stage, t in _stages(record))
    return Table(TRAINING, rows)


def _prediction(row: Mapping[str, Any]) -> tuple[Any, ...]:
    readable = {name: _readable(row[name]) for name in ("reference", "prediction", "phenomena")}
    return tuple(readable[name] if name in readable else row[name] for name in PREDICTION)


def _readable(text: str | None) -> str | None:
    """A JSON string without its quotes; any other JSON as it is."""
    value = None if text is None else json.loads(text)
    return value if isinstance(value, str) else text


def _csv(path: Path) -> Table:
    """The table in a CSV file. Columns of numbers become numbers, and an empty field is unknown."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    columns = [_column([line[i] for line in lines]) for i in range(len(header))]
    return Table(tuple(header), tuple(zip(*columns, strict=True)))


def _column(fields: Sequence[str]) -> list[float | str | None]:
    try:
        return [float(text) if text else None for text in fields]
    except ValueError:
        return [text or None for text in fields]
