"""Where each page and file of the site lies, and how one links to another. Knows names only.

    leaderboard.html  compare.html
    assets/board.js  board.css  compare.js
    tasks/TASK.html
    cells/TASK/MODEL/METHOD.html
    data/cells.js  data/TASK/ROWS/pairs.js  slices.js  rows.js  NUMBER.js

TASK is TASK@SOURCE where the task is there from several sources.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from bench.record import Names
from bench.store import safe_name
from leaderboard.column import Column

BOARD = "leaderboard.html"
COMPARISON = "compare.html"
CELLS = "data/cells.js"
SCRIPT = "assets/board.js"
STYLE = "assets/board.css"
COMPARING = "assets/compare.js"


@dataclass(frozen=True)
class Addresses:
    """The paths of a site's files, from its folder. `columns` are the tasks with their sources."""

    columns: tuple[tuple[str, str], ...]

    def task(self, task: str, source: str) -> str:
        """The page of a task from one source."""
        return f"tasks/{self._stem(task, source)}.html"

    def cell(self, names: Names) -> str:
        """The page of a cell."""
        task, model, method = map(safe_name, names)
        return f"cells/{task}/{model}/{method}.html"

    def group(self, task: str, source: str, rows: int | None) -> str:
        """The folder with what is compared of the cells of a task that learnt from so many rows."""
        return f"data/{self._stem(task, source)}/{'unknown' if rows is None else rows}"

    def _stem(self, task: str, source: str) -> str:
        several = Counter(name for name, _ in self.columns)[task] > 1
        return f"{safe_name(task)}@{safe_name(source)}" if several else safe_name(task)


def of(columns: Sequence[Column]) -> Addresses:
    """The addresses of a board's pages."""
    return Addresses(tuple((column.task, column.source) for column in columns))


def home(page: str) -> str:
    """What leads from a page to the site's folder: empty, or `../` for each folder that it lies in."""
    return "../" * page.count("/")


def compared(names: Names, other: Names | None = None) -> str:
    """The comparison of two cells, or of one with what is chosen then."""
    return f"{COMPARISON}#a={_quoted('/'.join(names))}" + (f"&b={_quoted('/'.join(other))}" if other else "")


def _quoted(text: str) -> str:
    return quote(text, safe="/")
