"""The board as Markdown. Knows the values of `leaderboard.frame`; all foreign text is escaped here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bench import sizes
from leaderboard import budgets, figures, footer, health, notes, real, stats
from leaderboard.budgets import Budget
from leaderboard.column import Column, Entry, TaskView, kind
from leaderboard.frame import Board, FloorLine, Line
from leaderboard.gallery import FOLDER, Figure
from leaderboard.rank import Mark, Place

if TYPE_CHECKING:
    from leaderboard.overall import Overall
    from leaderboard.study import Study


def render(board: Board, title: str, drawn: Sequence[Figure] = (), found: Study | None = None) -> str:
    """The whole board: main table, all tasks together, reasons, figures, how to read it, each task, search, origin.

    What is told over several tasks and of the search takes the study that the board is from. The figures themselves are
    the files of `gallery.write`. Ends with a newline.
    """
    parts = [f"# {text(title)}", notes.outcomes(board.records), main_table(board), _list(board.notes)]
    parts += ["## Which differences are real", _list(real.sentences(found))] if found else []
    parts += [each for several in (found.overall if found else ()) for each in _overall(several)]
    parts += [*_failures(board), *_figures(drawn), "## How to read this", _list(notes.HOW_TO_READ)]
    for view in board.tasks:
        parts += [f"## {_heading(view.column)}", task_table(view), *_task_facts(view)]
    parts += ["## Search", _list(budgets.NOTES), search_table(budgets.of(board.records))]
    parts += ["## Provenance", *_facts("Checkpoints", footer.checkpoints(board.records))]
    parts += _facts("Runs", footer.provenance(board.records))
    return "\n\n".join(part for part in parts if part) + "\n"


def overall_table(several: Overall) -> str:
    """Lines over several tasks, the best mean place first; those that lack a task last, without figures."""
    lines = several.best_first
    more = {"counted as floor": [a.as_floor for a in lines], "lacks": [a.missing for a in lines]}
    more = {name: tasks for name, tasks in more.items() if any(tasks)}
    rows = [
        [text(a.model), text(a.method), *(_bounded(f) for f in (a.score, a.rank, a.wins)),
         *(text(", ".join(tasks[i])) for tasks in more.values())]
        for i, a in enumerate(lines)
    ]
    return _table(["model", "method", "overall", "mean rank", "wins, %", *more], rows, left=2)


def search_table(found: Sequence[Budget]) -> str:
    """What every method spent on its search on a task, what that added, and how far it is behind the best method."""
    heading = ["task", "method", "cells", "trials", "steps a trial", "time", "default", "tuned", "gain", "at an edge",
               "behind, tuned", "behind, default", "due to search"]
    rows = [
        [f"{text(b.task)} ({text(b.source)})", text(sizes.named(b.method, b.size)), str(b.cells),
         budgets.span(b.trials), budgets.span(b.steps), figures.seconds(b.seconds),
         *map(figures.score, (b.default, b.tuned, b.gain)), str(b.edges), *_behind(b)]
        for b in found
    ]
    return _table(heading, rows, left=2)


def _behind(budget: Budget) -> list[str]:
    gap = budget.behind
    if gap is None:
        return ["", "", ""]
    return [figures.score(gap.tuned), figures.score(gap.untuned), figures.percent(gap.share)]


def main_table(board: Board) -> str:
    """Models and methods down, tasks across, floors and baselines last; by itself, for other pages."""
    overall = ["overall<br>floor to best"] if board.overall else []
    tasks = [f"{text(c.task)}<br>{text(c.metric)}<br>{text(c.origin)}" for c in board.columns]
    size = ["rows"] if board.sized else []
    heading = ["model", "method", *size, *tasks, *overall, "trainable", "parameters", "time", "memory"]
    rows = [_line(line, board) for line in board.lines]
    rows += [_floors(line, board) for line in board.floors]
    return _table(heading, rows, left=2)


def task_table(view: TaskView) -> str:
    """All cells of one task with every measure, the search and the cost; the floors last."""
    size = ["rows"] if len(view.column.levels) > 1 else []
    heading = ["model", "method", *size, text(view.column.metric), "95% interval", "rank",
               *map(text, view.measures[1:]), "seeds", "rate", "trials", "time", "examples/s", "health"]
    rows = [_cell(entry, view) for entry in view.entries]
    for level in view.column.levels:
        told = _rows(level.rows, bool(size))
        rows += [[kind(name), text(name), *told, figures.score(value)] for name, value in level.floors]
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
    overall = [_bounded(line.overall)] if board.overall else []
    return [text(line.model), text(line.method), *_rows(line.rows, board.sized), *(_score(e) for e in line.entries),
            *overall,
            figures.count(costs.trainable), figures.count(costs.total),
            f"{'≥ ' if known else ''}{figures.seconds(costs.seconds)}", figures.size(costs.peak_memory)]


def _score(entry: Entry | None) -> str:
    if entry is None:
        return "not run"
    if not entry.scored:
        return notes.ending(entry.record)
    score = figures.score(entry.record.score)
    shown = f"**{score}**" if entry.mark is Mark.BEST else score
    marks = f"{'≈' if entry.mark is Mark.TIED else ''}{notes.warnings(entry)}"
    return " ".join(part for part in (shown, figures.spread(entry.spread), marks) if part)


def _floors(line: FloorLine, board: Board) -> list[str]:
    floors = [f"{figures.score(f[1])}<br>{text(f[0])}" if f else figures.UNKNOWN for f in line.floors]
    return [line.kind, "", *_rows(line.rows, board.sized), *floors, *([""] if board.overall else []), "", "", "", ""]


def _bounded(figure: stats.Figure | None) -> str:
    return "" if figure is None else figures.bounded(figure.value, figure.low, figure.high)


def _overall(several: Overall) -> list[str]:
    size = "" if several.size is None else f", {several.size:,} training rows asked for"
    out = [f"{task} ({source}) is not among the tasks: {why}." for (task, source), why in several.left_out.items()]
    return [f"## All {len(several.tasks)} tasks{size}", overall_table(several), _list(out)]


def _cell(entry: Entry, view: TaskView) -> list[str]:
    record = entry.record
    cost = record.cost
    speed = cost.examples_per_second if cost else None
    return [
        text(record.model), text(record.method), *_rows(entry.level.rows, len(view.column.levels) > 1), _score(entry),
        figures.interval(record.low, record.high), _place(entry.place),
        *(figures.measure((record.scores or {}).get(name), name) for name in view.measures[1:]),
        " ".join(figures.score(s) for s in record.seed_scores),
        figures.rate(record.rate) + (" (edge)" if record.rate_at_edge else ""),
        health.trials(record),
        figures.seconds(cost.seconds if cost else None),
        figures.UNKNOWN if speed is None else f"{speed:,.0f}",
        ", ".join(entry.words),
    ]


def _place(place: Place | None) -> str:
    return figures.UNKNOWN if place is None else figures.place(place.rank, place.low, place.high)


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {text(item)}" for item in items)


def _figures(drawn: Sequence[Figure]) -> list[str]:
    """The files, whose ground is white: pages that show Markdown may be dark."""
    links = [f"![{text(f.title)}]({FOLDER}/{f.name}.svg)" for f in drawn]
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
