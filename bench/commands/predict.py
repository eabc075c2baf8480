"""`predict`: an exported model answers the rows of a file. Knows files of rows; the model is for `bench.learn`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import files, keep, quiet, rows
from bench.atomic import write_atomically
from bench.errors import RequestError
from bench.record import Health
from bench.screen import Screen, plural
from bench.spec import Row


def main(arguments: argparse.Namespace, screen: Screen) -> int:
    """Answer, one JSON object a line: the row, with its `prediction`.

    Raises StoreError where there is no model that can be read, DataError for rows that lack an input.
    """
    kept = keep.read(arguments.directory)
    _check_out(arguments.out)
    task = kept.task
    located = rows.readable(task, files.read_any(arguments.file, task.schema))
    quiet.hush()
    from bench.learn.reload import load

    asked = [row for _, row in located]
    answered = load(arguments.directory).predict([{column: row[column] for column in task.inputs} for row in asked])
    lines = _lines(asked, answered.predictions)
    if arguments.out is None:
        screen.say(lines.rstrip("\n"))
    else:
        write_atomically(arguments.out, lines.encode())
    _warn(answered.health, screen)
    return 0


def _check_out(out: Path | None) -> None:
    if out is not None and out.suffix != ".jsonl":
        raise RequestError(f"--out {out}: predictions are written as JSON lines. Name the file {out.stem}.jsonl.")


def _lines(asked: Sequence[Row], predictions: Sequence[Any]) -> str:
    pairs = zip(asked, predictions, strict=True)
    return "".join(json.dumps({**row, "prediction": answer}, ensure_ascii=False) + "\n" for row, answer in pairs)


def _warn(health: Health, screen: Screen) -> None:
    if health.truncated:
        screen.warn(f"{plural(health.truncated, 'row')} too long to be read whole")
    if health.invalid:
        screen.warn(f"{plural(health.invalid, 'answer')} not understood, in whole or in part")
    if health.capped:
        screen.warn(f"{plural(health.capped, 'answer')} stopped at the longest length that the model may write")
