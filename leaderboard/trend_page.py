"""Writes the trend of a history as one self-contained HTML page, which lies in the history and links to its nights.

The page has no script and makes no request. Text from data and models is escaped.
"""

from __future__ import annotations

from pathlib import Path

from bench.atomic import write_atomically
from leaderboard import changes, html, trend
from leaderboard.shifts import ALL
from leaderboard.trend import Trend

NAME = "trend.html"

RECENT = 10
"""Nights, and changes of one night, that are shown at once; more are folded away."""

MOST = 3
"""Alarms that are shown for a night."""


def write(history: Path, found: Trend) -> Path:
    """Write the page into the directory of a history; return its path."""
    path = history / NAME
    write_atomically(path, page(found).encode())
    return path


def page(found: Trend) -> str:
    """The HTML page."""
    style = "".join((html.TEMPLATES / name).read_text(encoding="utf-8") for name in ("board.css", "trend.css"))
    return html.page(
        "trend.html", trend=found, style=html.trusted(style), recent=RECENT, most=MOST, fewest=changes.FEWEST,
        when=trend.when, everything=ALL,
    )
