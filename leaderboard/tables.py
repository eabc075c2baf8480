"""The board as tables for other programs: a line for each cell as CSV, Parquet and JSON, the main table as LaTeX.

Knows the values of `leaderboard.frame`. Numbers of cells are written unrounded; the LaTeX table shows them as the
Markdown one does, through `leaderboard.figures`.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from leaderboard import figures, notes
from leaderboard.column import Entry
from leaderboard.frame import Board, FloorLine, Line
from leaderboard.rank import Mark
from leaderboard.stats import Figure

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
    "doubtful": "yes or no", "health": "text", "measures": "text", "overall": "number", "overall_low": "number",
    "overall_high": "number",
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
    scores that `beaten` and `unproven` compare with. `measures` are all of the task's, as JSON. `overall` is the mean
    place over all tasks of the line that the cell is in: the same for all cells of a line.
    """
    entries = {(e.record.key, e.record.source): e for view in board.tasks for e in view.entries}
    overall = {(e.record.key, e.record.source): line.overall for line in board.lines for e in line.entries if e}
    found = ((entries[cell], overall[cell]) for cell in ((r.key, r.source) for r in board.records))
    return [_row(entry, figure) for entry, figure in found]


def _row(entry: Entry, overall: Figure | None) -> dict[str, Any]:
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
        "measures": None if record.scores is None else json.dumps(dict(sorted(record.scores.items()))),
        "overall": overall.value if overall else None,
        "overall_low": overall.low if overall else None,
        "overall_high": overall.high if overall else None,
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
    """Two tables for a paper that uses booktabs: scores with their marks and the floors below, and their 95% intervals.

    Each is complete from \\begin{table} to \\end{table}; foreign text is escaped. Characters beyond ASCII need a
    compiler that reads UTF-8, as all of today do.
    """
    if not board.columns:
        return f"% {figures.plain(title)}: no records\n"
    origins = _latex_origins(board)
    scored = [_latex_line(line, board, _latex_score) for line in board.lines]
    if board.overall:
        scored = [[*fields, _latex_overall(line.overall)] for fields, line in zip(scored, board.lines, strict=True)]
    floors = [_latex_floor(line, board) for line in board.floors]
    scores = _latex_table(f"{latex(title)}. {CAPTION} {origins}", _latex_heads(board, board.overall), [scored, floors])
    intervals = [_latex_line(line, board, _latex_interval) for line in board.lines]
    caption = f"{latex(title)}, 95\\% intervals of the scores, over seeds and test rows. {origins}"
    found = _latex_table(caption, _latex_heads(board, False), [intervals])
    return f"% needs \\usepackage{{booktabs}}\n{scores}\n{found}"


def _latex_table(caption: str, heads: Sequence[Sequence[str]], parts: Sequence[Sequence[Sequence[str]]]) -> str:
    """Names to the left; every number in two columns that meet after it, so that digits stand below each other."""
    names = sum(not head.startswith(r"\multicolumn") for head in heads[0])
    numbers = len(heads[0]) - names
    blocks = [[r"\midrule", *map(_joined, part)] for part in parts]
    return "\n".join([
        r"\begin{table}", r"\centering", f"\\caption{{{caption}}}",
        f"\\begin{{tabular}}{{{'l' * min(names, 2)}{'r' * (names - 2)}{NUMBER * numbers}}}",
        r"\toprule", *map(_joined, heads), *(line for block in blocks for line in block),
        r"\bottomrule", r"\end{tabular}", r"\end{table}",
    ]) + "\n"


NUMBER = r"r@{\,}l"
"""The columns of a number: up to its last digit, and what stands behind."""


def _latex_heads(board: Board, overall: bool) -> list[list[str]]:
    size = ["rows"] if board.sized else []
    heads = [*(latex(c.task) for c in board.columns), *(["overall"] if overall else [])]
    metrics = [*(latex(c.metric) for c in board.columns), *([""] if overall else [])]
    return [["model", "method", *size, *map(_both, heads)], ["", "", *("" for _ in size), *map(_both, metrics)]]


def _both(text: str) -> str:
    """Text over both columns of a number."""
    return rf"\multicolumn{{2}}{{c}}{{{text}}}"


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
    """Foreign text so that LaTeX prints it as it is; a bracket or star at a row's start would belong to the last."""
    plain = figures.plain(foreign)
    safe = re.sub(r"[\\~^<>|&%$#_{}]", lambda found: SPECIAL[found[0]], plain)
    return f"{{}}{safe}" if plain.startswith(("[", "*")) else safe


def _joined(fields: Sequence[str]) -> str:
    return f"{' & '.join(fields)} \\\\"


def _latex_line(line: Line, board: Board, score: Callable[[Entry], str]) -> list[str]:
    size = [figures.rows(line.rows)] if board.sized else []
    scores = [_both("not run") if e is None else score(e) for e in line.entries]
    return [latex(line.model), latex(line.method), *size, *scores]


def _latex_score(entry: Entry) -> str:
    if not entry.scored:
        return _both(latex(notes.ending(entry.record)))
    score = figures.score(entry.record.score)
    shown = rf"\textbf{{{score}}}" if entry.mark is Mark.BEST else score
    spread = figures.spread(entry.spread).replace("±", r"$\pm$")
    marks = ((r"$\approx$", entry.mark is Mark.TIED), (r"$\downarrow$", entry.beaten),
             (r"$\leq$", entry.unproven and not entry.beaten), ("!", entry.doubtful))
    behind = " ".join(part for part in (spread, "".join(mark for mark, holds in marks if holds)) if part)
    return f"{shown} & {behind}".rstrip()


def _latex_overall(figure: Figure | None) -> str:
    if figure is None:
        return _both("")
    return f"{figures.score(figure.value)} & {figures.interval(figure.low, figure.high)}"


def _latex_interval(entry: Entry) -> str:
    record = entry.record
    return _both(figures.interval(record.low, record.high) or "--") if entry.scored else _latex_score(entry)


def _latex_floor(line: FloorLine, board: Board) -> list[str]:
    size = [figures.rows(line.rows)] if board.sized else []
    return [line.kind, "", *size, *(_both("--") if f is None else f"{figures.score(f[1])} &" for f in line.floors),
            *([_both("")] if board.overall else [])]
