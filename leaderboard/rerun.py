"""How to run a cell again: a suite of that one cell, and the command. Knows a record, not how a run works."""

from __future__ import annotations

import json
import shlex
from typing import Any

from bench.record import Record

FILE = "cell.toml"
"""What the suite is to be called."""


def suite(record: Record) -> str:
    """The cell as a suite in TOML, with all of the budget that its record tells: it plans the very same cell."""
    described = [
        ("tasks", [record.task]), ("models", [record.model]), ("methods", [record.method]), ("source", record.source),
    ]
    budget = [(name, value) for name, value in record.budget.items() if value is not None]
    return "\n".join(["[suite]", *map(_line, described), "", "[budget]", *map(_line, budget)]) + "\n"


def command(record: Record) -> str:
    """What runs that suite, saved as FILE."""
    words = ["python", "-m", "bench", "run", "--suite", FILE]
    if record.source == "files":
        words += ["--data-dir", record.data.origin if record.data else "DIR"]
    return shlex.join(words)


def _line(entry: tuple[str, Any]) -> str:
    name, value = entry
    return f"{name} = {_value(value)}"


def _value(value: Any) -> str:
    """JSON's texts, numbers and lists are TOML's as well, but for the character that TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
