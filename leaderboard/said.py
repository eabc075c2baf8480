"""What a night said of itself: its verdict, read back from the file that `leaderboard.report` wrote.

A history outlives the code that writes it, so that a verdict may be damaged, or in words of another version. Judges
nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.errors import StoreError
from bench.record import from_json
from leaderboard import report
from leaderboard.sides import Side
from leaderboard.verdict import Alarm, Verdict


@dataclass(frozen=True)
class Said:
    """A verdict with what was behind it; `judged` of `cells` could be compared. `base` is what it was compared with."""

    verdict: Verdict
    base: str
    judged: int
    cells: int
    cause: str | None
    alarms: tuple[Alarm, ...]
    unmeasured: Mapping[str, str]


def read(side: Side) -> Said | None:
    """The night's verdict as it was written, None where there is none. Raises StoreError for one that is unreadable."""
    path = side.store.root / report.JSON
    if not path.exists():
        return None
    try:
        return _said(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        told = f"{path}: no verdict that can be read ({error}). Remove the file; the night then has none."
        raise StoreError(told) from error


def _said(told: Mapping[str, Any]) -> Said:
    cells, cause = told["cells"], told["cause"]
    return Said(
        verdict=Verdict(told["verdict"]), base=str(told["base"]),
        judged=sum(bool(cell["judged"]) for cell in cells), cells=len(cells),
        cause=f"{cause['stage']}: {cause['what']}" if cause else None,
        alarms=tuple(from_json(Alarm, alarm) for alarm in told["alarms"]),
        unmeasured={str(key): str(reason) for key, reason in told["unmeasured"].items()},
    )
