"""Writes the board of a run as Markdown, CSV and one self-contained HTML page.

The files depend on nothing but the records and the run's name, and are rebuilt whole. The page makes no request: style
and script are in it, and its content security policy refuses everything else. Text from data and models is escaped.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from bench.record import Record
from bench.store import Store
from leaderboard import draw, figures, footer, frame, gallery, health, markdown, notes, strip, study
from leaderboard.column import Entry, TaskView
from leaderboard.frame import Board
from leaderboard.gallery import Figure

TEMPLATES = Path(__file__).parent / "templates"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A text that starts so would be run as a formula by a spreadsheet."""


def publish(run_dir: Path, out: Path | None = None) -> list[Path]:
    """Write leaderboard.md, .csv and .html of the run into `out` (its folder leaderboard/ if None); return their paths.

    Where some task has cells with several numbers of training rows, the learning curves are written to figures/, too.
    Records that cannot be read are left out (`Store.listing` names them). Raises StoreError where there is no run.
    """
    store = Store(run_dir)
    records = store.records()
    board = study.of(store, records).board
    title = run_dir.resolve().name
    folder = out or run_dir / "leaderboard"
    folder.mkdir(parents=True, exist_ok=True)
    drawn = gallery.learning_curves(board)
    pages = {"md": markdown.render(board, title, drawn), "csv": as_csv(records), "html": page(board, title, drawn)}
    written = [_write(folder / f"leaderboard.{suffix}", content) for suffix, content in pages.items()]
    return [*written, *gallery.write(drawn, folder / gallery.FOLDER)]


def as_csv(records: Sequence[Record]) -> str:
    """One line a cell, named as in `frame.as_rows`; numbers unrounded, seeds a JSON list, unknown left empty."""
    rows = frame.as_rows(records)
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(frame.FIELDS)
    writer.writerows([_field(row[name]) for name in frame.FIELDS] for row in rows)
    return target.getvalue()


def page(board: Board, title: str, drawn: Sequence[Figure] = ()) -> str:
    """The HTML page, with the figures of `gallery.learning_curves` in it."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )
    environment.filters.update(_filters())
    script = (TEMPLATES / "board.js").read_text(encoding="utf-8")
    return environment.get_template("board.html").render(
        board=board, title=title, outcomes=notes.outcomes(board.records), how_to_read=notes.HOW_TO_READ,
        origins=sorted({column.origin for column in board.columns}), largest=_largest(board),
        facts=footer.provenance(board.records), checkpoints=footer.checkpoints(board.records),
        budget=lambda view: footer.budget(_records(view)), data=lambda view: footer.data(_records(view)),
        figures=[(figure, _place(board, figure), Markup(draw.inline(figure.svg))) for figure in drawn],
        strip=strip.strip, axis=strip.axis, why=_numbered(board.failures), words=health.words, trials=health.trials,
        style=Markup((TEMPLATES / "board.css").read_text(encoding="utf-8")),
        script=Markup(script), script_hash=_hash(script),
    )


def _filters() -> Mapping[str, Callable[..., Any]]:
    return {
        "score": figures.score, "measure": figures.measure, "spread": figures.spread, "interval": figures.interval,
        "rate": figures.rate, "rows": figures.rows, "count_": figures.count, "size": figures.size,
        "duration": figures.seconds, "plain": figures.plain,
    }


def _place(board: Board, figure: Figure) -> int:
    """The number of the column that a figure belongs to."""
    columns = [(column.task, column.source) for column in board.columns]
    return columns.index((figure.panel.task, figure.panel.source))


def _records(view: TaskView) -> list[Record]:
    return [entry.record for entry in view.entries]


def _largest(board: Board) -> Mapping[str, float]:
    """The largest costs of a line, against which the bars are drawn; 1 where nothing is known."""
    costs = [line.costs for line in board.lines]
    return {
        "seconds": max((c.seconds for c in costs if c.seconds), default=1.0),
        "peak_memory": max((c.peak_memory for c in costs if c.peak_memory), default=1),
    }


def _numbered(entries: Sequence[Entry]) -> Callable[[Entry], int]:
    """A number for each entry, by which the table and the list of reasons refer to each other."""
    numbers = {(e.record.key, e.record.source): i for i, e in enumerate(entries)}
    return lambda entry: numbers[entry.record.key, entry.record.source]


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _field(value: Any) -> Any:
    if isinstance(value, list):
        return json.dumps(value)
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


def _write(path: Path, content: str) -> Path:
    """Under a temporary name first, so that a reader never sees half a page."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(content, encoding="utf-8", newline="\n")
    temporary.replace(path)
    return path
