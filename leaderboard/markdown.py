"""The board as Markdown. Knows the values of `leaderboard.frame`; all foreign text is escaped here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from leaderboard import figures, footer, health, notes
from leaderboard.column import Column, Entry, TaskView
from leaderboard.frame import Board, FloorLine, Line
from leaderboard.gallery import FOLDER, Figure
from leaderboard.rank import Mark


def render(board: Board, title: str, drawn: Sequence[Figure] = ()) -> str:
    """The whole board: main table, reasons, figures, how to read it, a table a task, provenance. Ends with a newline.

    The figures themselves are the files of `gallery.write`.
    """
    parts = [f"# {text(title)}", notes.outcomes(board.records), main_table(board)]
    parts += [_list(board.notes), *_failures(board), *_figures(drawn)]
    parts += ["## How to read this", _list(notes.HOW_TO_READ)]
    for view in board.tasks:
        parts += [f"## {_heading(view.column)}", task_table(view), *_task_facts(view)]
    parts += ["## Provenance", *_facts("Checkpoints", footer.checkpoints(board.records))]
    parts += _facts("Runs", footer.provenance(board.records))
    return "\n\n".join(part for part in parts if part) + "\n"


def main_table(board: Board) -> str:
    """Models and methods down, tasks across, the floor last; a table by itself, so that it can stand in other pages."""
    average = ["average"] if board.averaged else []
    tasks = [f"{text(c.task)}<br>{text(c.metric)}<br>{text(c.origin)}" for c in board.columns]
    size = ["rows"] if board.sized else []
    heading = ["model", "method", *size, *tasks, *average, "trainable", "parameters", "time", "memory"]
    rows = [_line(line, board) for line in board.lines]
    rows += [_floors(line, board) for line in board.floors]
    return _table(heading, rows, left=2)


def task_table(view: TaskView) -> str:
    """All cells of one task with every measure, the search and the cost; the floors last."""
    size = ["rows"] if len(view.column.levels) > 1 else []
    heading = ["model", "method", *size, text(view.column.metric), "95% interval", *map(text, view.measures[1:]),
               "seeds", "rate", "trials", "time", "examples/s", "health"]
    rows = [_cell(entry, view) for entry in view.entries]
    for level in view.column.levels:
        told = _rows(level.rows, bool(size))
        rows += [["floor", text(name), *told, figures.score(value)] for name, value in level.floors]
    return _table(heading, [row + [""] * (len(heading) - len(row)) for row in rows], left=2)


def text(foreign: str) -> str:
    """Foreign text so that Markdown and the HTML inside it show it as it is."""
    safe = figures.plain(foreign).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*|\[\]])", r"\\\1", safe)


def _heading(column: Column) -> str:
    return f"{text(column.task)} ({text(column.origin)})"


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]], left: int) -> str:
    rule = ["---"] * left + ["---:"] * (len(heading) - left)
    return "\n".join(f"| {' | '.join(row)} |" for row in (heading, rule, *rows))


def _rows(rows: int | None, told: bool) -> list[str]:
    """The column of training rows, where there is one."""
    return [figures.rows(rows)] if told else []


def _line(line: Line, board: Board) -> list[str]:
    costs = line.costs
    known = costs.seconds is not None and not costs.complete
    average = ["" if line.average is None else figures.score(line.average)] if board.averaged else []
    return [text(line.model), text(line.method), *_rows(line.rows, board.sized), *(_score(e) for e in line.entries),
            *average,
            figures.count(costs.trainable), figures.count(costs.total),
            f"{'≥ ' if known else ''}{figures.seconds(costs.seconds)}", figures.size(costs.peak_memory)]


def _score(entry: Entry | None) -> str:
    if entry is None:
        return "not run"
    if not entry.scored:
        return str(entry.record.outcome)
    score = figures.score(entry.record.score)
    shown = f"**{score}**" if entry.mark is Mark.BEST else score
    marks = ("≈" if entry.mark is Mark.TIED else "") + ("↓" if entry.beaten else "")
    return " ".join(part for part in (shown, figures.spread(entry.spread), marks) if part)


def _floors(line: FloorLine, board: Board) -> list[str]:
    floors = [f"{figures.score(f[1])}<br>{text(f[0])}" if f else figures.UNKNOWN for f in line.floors]
    return ["floor", "", *_rows(line.rows, board.sized), *floors, *([""] if board.averaged else []), "", "", "", ""]


def _cell(entry: Entry, view: TaskView) -> list[str]:
    record = entry.record
    cost = record.cost
    speed = cost.examples_per_second if cost else None
    return [
        text(record.model), text(record.method), *_rows(entry.level.rows, len(view.column.levels) > 1), _score(entry),
        figures.interval(record.low, record.high),
        *(figures.measure((record.scores or {}).get(name), name) for name in view.measures[1:]),
        " ".join(figures.score(s) for s in record.seed_scores),
        figures.rate(record.rate) + (" (edge)" if record.rate_at_edge else ""),
        health.trials(record),
        figures.seconds(cost.seconds if cost else None),
        figures.UNKNOWN if speed is None else f"{speed:,.0f}",
        ", ".join(health.words(record)),
    ]


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {text(item)}" for item in items)


def _figures(drawn: Sequence[Figure]) -> list[str]:
    """As PNG, whose ground is white: pages that show Markdown may be dark."""
    links = [f"![{text(f.title)}]({FOLDER}/{f.name}.png)" for f in drawn]
    return ["## Figures", *links] if links else []


def _failures(board: Board) -> list[str]:
    if not board.failures:
        return []
    said = (f"{e.record.outcome} {e.record.key}: {e.record.reason or 'no reason was recorded'}" for e in board.failures)
    return ["## Cells without a score", _list(said)]


def _task_facts(view: TaskView) -> list[str]:
    records = [entry.record for entry in view.entries]
    told = (("Budget", footer.budget(records)), ("Data", footer.data(records)))
    return [_list(f"{name}: {'; '.join(f'{f.name} {f.value}' for f in facts)}." for name, facts in told if facts)]


def _facts(heading: str, facts: Sequence[footer.Fact]) -> list[str]:
    return [f"### {heading}", _list(f"{fact.name}: {fact.value}" for fact in facts)] if facts else []
