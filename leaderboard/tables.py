"""The board as tables for other programs: a line for each cell as CSV, Parquet and JSON, the main table as LaTeX.

Knows the values of `leaderboard.frame`. Numbers of cells are written unrounded; the LaTeX table shows them as the
Markdown one does, through `leaderboard.figures`.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from leaderboard import figures
from leaderboard.column import Entry
from leaderboard.frame import Board, FloorLine, Line
from leaderboard.rank import Mark

if TYPE_CHECKING:
    import pyarrow

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A text that starts so would be run as a formula by a spreadsheet."""

TYPES = {
    "task": "text", "model": "text", "method": "text", "source": "text", "outcome": "text", "reason": "text",
    "metric": "text", "score": "number", "low": "number", "high": "number", "seeds": "numbers", "rate": "number",
    "seconds": "number", "peak_memory": "whole", "trainable_params": "whole", "total_params": "whole",
    "family": "text", "head": "text", "spread": "number", "rate_at_edge": "yes or no", "trials": "whole",
    "synthetic": "yes or no", "train_rows": "whole", "rank": "number", "rank_low": "whole", "rank_high": "whole",
    "mark": "text", "beaten": "yes or no", "floor": "number", "baseline": "number", "unproven": "yes or no",
    "doubtful": "yes or no", "health": "text",
}
"""The columns of a line for each cell, in order, with what they hold."""

SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}
"""What LaTeX would not print as it is."""


def rows(board: Board) -> list[dict[str, Any]]:
    """One flat dictionary a cell, in the board's order of records; None where unknown. `seeds` are the seeds' scores.

    `rank` has the ranks that the cell may truly have in `rank_low` and `rank_high`; `floor` and `baseline` are the
    scores that `beaten` and `unproven` compare with.
    """
    entries = {(e.record.key, e.record.source): e for view in board.tasks for e in view.entries}
    return [_row(entries[record.key, record.source]) for record in board.records]


def _row(entry: Entry) -> dict[str, Any]:
    record, level, place = entry.record, entry.level, entry.place
    cost, parameters = record.cost, record.parameters
    others = {
        "outcome": str(record.outcome),
        "seeds": list(record.seed_scores),
        "seconds": cost.seconds if cost else None,
        "peak_memory": cost.peak_memory if cost else None,
        "trainable_params": parameters.trainable if parameters else None,
        "total_params": parameters.total if parameters else None,
        "spread": entry.spread,
        "trials": len(record.trials),
        "synthetic": record.data.synthetic if record.data else None,
        "train_rows": level.rows,
        "rank": place.rank if place else None,
        "rank_low": place.low if place else None,
        "rank_high": place.high if place else None,
        "mark": str(entry.mark),
        "beaten": entry.beaten,
        "floor": level.floor[1] if level.floor else None,
        "baseline": level.baseline[1] if level.baseline else None,
        "unproven": entry.unproven,
        "doubtful": entry.doubtful,
        "health": "; ".join(entry.words),
    }
    return {name: others[name] if name in others else getattr(record, name) for name in TYPES}


def as_csv(board: Board) -> str:
    """A line for each cell, as in `rows`; seeds are a JSON list, unknown is left empty."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(TYPES)
    writer.writerows([_field(row[name]) for name in TYPES] for row in rows(board))
    return target.getvalue()


def _field(value: Any) -> Any:
    if isinstance(value, list):
        return json.dumps(value)
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


def as_parquet(board: Board) -> bytes:
    """A line for each cell, as in `rows`, in a Parquet file; the same bytes for the same board."""
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.Table.from_pylist(rows(board), schema=_schema())
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())


def _schema() -> pyarrow.Schema:
    import pyarrow

    types = {
        "text": pyarrow.string(), "number": pyarrow.float64(), "whole": pyarrow.int64(), "yes or no": pyarrow.bool_(),
        "numbers": pyarrow.list_(pyarrow.float64()),
    }
    return pyarrow.schema([(name, types[kind]) for name, kind in TYPES.items()])


def as_latex(board: Board, title: str) -> str:
    """The main table for a paper that uses booktabs: the best bold, marks as on the board, the floors below.

    Complete from \\begin{table} to \\end{table}; foreign text is escaped. Characters beyond ASCII need a compiler that
    reads UTF-8, as all of today do.
    """
    if not board.columns:
        return f"% {figures.plain(title)}: no records\n"
    size, overall = ["rows"] if board.sized else [], ["overall"] if board.overall else []
    shown = ["ll", *("r" for _ in size), *("l" for _ in board.columns), *("r" for _ in overall)]
    heads = ["model", "method", *size, *(latex(c.task) for c in board.columns), *overall]
    metrics = ["", "", *("" for _ in size), *(latex(c.metric) for c in board.columns), *("" for _ in overall)]
    lines = [_latex_line(line, board) for line in board.lines]
    floors = [_latex_floor(line, board) for line in board.floors]
    caption = f"{latex(title)}. {CAPTION} {_latex_origins(board)}"
    return "\n".join([
        r"% needs \usepackage{booktabs}", r"\begin{table}", r"\centering", f"\\caption{{{caption}}}",
        f"\\begin{{tabular}}{{{''.join(shown)}}}", r"\toprule", *map(_joined, (heads, metrics)), r"\midrule",
        *map(_joined, lines), r"\midrule", *map(_joined, floors), r"\bottomrule", r"\end{tabular}", r"\end{table}",
    ]) + "\n"


CAPTION = (
    "Mean over seeds $\\pm$ their standard deviation. Bold: best of its task; $\\approx$: not shown to be worse than "
    "the best; $\\downarrow$: no better than the floor; $\\leq$: not shown to be better than the floor or the cheap "
    "baseline; !: in doubt, see the board."
)


def _latex_origins(board: Board) -> str:
    """Where the data come from, and whether they are synthetic: a table in a paper has no page around it to say so."""
    tasks: dict[str, list[str]] = {}
    for column in board.columns:
        tasks.setdefault(column.origin, []).append(column.task)
    if len(tasks) == 1:
        return f"Data: {latex(board.columns[0].origin)}."
    told = (f"{latex(origin)} ({latex(', '.join(names))})" for origin, names in tasks.items())
    return f"Data: {'; '.join(told)}."


def latex(foreign: str) -> str:
    """Foreign text so that LaTeX prints it as it is."""
    return re.sub(r"[\\~^<>|&%$#_{}]", lambda found: SPECIAL[found[0]], figures.plain(foreign))


def _joined(fields: Sequence[str]) -> str:
    return f"{' & '.join(fields)} \\\\"


def _latex_line(line: Line, board: Board) -> list[str]:
    size = [figures.rows(line.rows)] if board.sized else []
    figure = line.overall
    overall = "" if figure is None else figures.bounded(figure.value, figure.low, figure.high)
    scores = [*(_latex_score(e) for e in line.entries), *([overall] if board.overall else [])]
    return [latex(line.model), latex(line.method), *size, *scores]


def _latex_score(entry: Entry | None) -> str:
    if entry is None:
        return "not run"
    if not entry.scored:
        return latex(str(entry.record.outcome))
    score = figures.score(entry.record.score)
    shown = rf"\textbf{{{score}}}" if entry.mark is Mark.BEST else score
    spread = figures.spread(entry.spread).replace("±", r"$\pm$")
    marks = ((r"$\approx$", entry.mark is Mark.TIED), (r"$\downarrow$", entry.beaten),
             (r"$\leq$", entry.unproven and not entry.beaten), ("!", entry.doubtful))
    return " ".join(part for part in (shown, spread, "".join(mark for mark, holds in marks if holds)) if part)


def _latex_floor(line: FloorLine, board: Board) -> list[str]:
    size = [figures.rows(line.rows)] if board.sized else []
    return [line.kind, "", *size, *("--" if f is None else figures.score(f[1]) for f in line.floors),
            *([""] if board.overall else [])]
