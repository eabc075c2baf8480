"""Writes the trend of a history as one self-contained HTML page, which lies in the history and links to its nights.

The page has no script and makes no request. Text from data and models is escaped.
"""

from __future__ import annotations

from pathlib import Path

import jinja2
from markupsafe import Markup

from bench.store import write_atomically
from leaderboard import changes, figures, trend
from leaderboard.trend import Trend

TEMPLATES = Path(__file__).parent / "templates"

NAME = "trend.html"

RECENT = 10
"""Nights that are shown at once; earlier ones are folded away."""

MOST = 3
"""Alarms that are shown for a night."""


def write(history: Path, found: Trend) -> Path:
    """Write the page into the directory of a history; return its path."""
    path = history / NAME
    write_atomically(path, page(found).encode())
    return path


def page(found: Trend) -> str:
    """The HTML page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )
    environment.filters.update({"score": figures.score, "plain": figures.plain, "night": trend.when})
    style = "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in ("board.css", "trend.css"))
    return environment.get_template("trend.html").render(
        trend=found, style=Markup(style), recent=RECENT, most=MOST, fewest=changes.FEWEST,
    )
