"""The board as plain text for a terminal. Knows the values of `leaderboard.frame`, no other format."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leaderboard import figures, notes
from leaderboard.column import Entry, Kind
from leaderboard.frame import Board, FloorLine, Line
from leaderboard.rank import Mark

if TYPE_CHECKING:
    from leaderboard.overall import Overall

STYLES = {"bold": "\x1b[1m", "dim": "\x1b[2m", "bad": "\x1b[33m", "": ""}
RESET = "\x1b[0m"
GAP = "  "
PROSE = 110
"""Width of sentences where no width is given."""
MARKS = {Mark.BEST: "*", Mark.TIED: "≈", Mark.NONE: ""}
LEGEND = (
    "± sd of seeds   * best   ≈ may be the best   ↓ no better than the floor   ≤ not shown better than floor or "
    "baseline   ! read with doubt (`show RUN CELL` says why)"
)
LINES = 10
"""Lines over all tasks that are shown, the best ones."""
REASON = 240
"""Characters of a reason that are shown; the cell itself shows all of it."""


@dataclass(frozen=True)
class Text:
    """Text in parts, each with a style of STYLES."""

    parts: tuple[tuple[str, str], ...] = ()
    right: bool = False
    overflows: bool = False
    """Whether the text may run over the columns to its right, which are empty on its line."""

    def padded(self, width: int, color: bool) -> str:
        """The text filled with spaces to `width` characters, styled if `color`."""
        space = " " * (width - len(self))
        shown = "".join(f"{STYLES[s]}{t}{RESET}" if color and s and t else t for t, s in self.parts)
        return space + shown if self.right else shown + space

    def __len__(self) -> int:
        return sum(len(text) for text, _ in self.parts)


Strip = tuple[Text, ...]
"""One column of the table, from its headings to its last line."""


def render(
    board: Board, width: int | None = None, color: bool = False, several: Sequence[Overall] = ()
) -> str:
    """The main table with its legend, notes and the reasons of cells without a score, without a final newline.

    `several` are the figures over all tasks of the study that the board is from.

    `width` is in characters; None takes what the table needs. Where it does not fit, cost columns go first, then the
    tasks are told in several tables below each other.
    """
    if not board.records:
        return "No records yet."
    prose = width or PROSE
    said = [LEGEND, *map(figures.plain, (*_floor_names(board), *board.notes))]
    wrapped = [line for note in said for line in textwrap.wrap(note, prose, subsequent_indent="  ")]
    parts = [*_title(board, prose), "", *_tables(board, width, color), "", *wrapped]
    for each in several:
        parts += ["", *_overall(each, width)]
    if board.failures:
        parts += ["", "Cells without a score", *(line for e in board.failures for line in _failure(e, prose, color))]
    return "\n".join(line.rstrip() for line in parts)


def _title(board: Board, width: int) -> list[str]:
    origins = _origins(board)
    parts = [notes.outcomes(board.records), *([f"source: {figures.plain(origins[0])}"] if len(origins) == 1 else [])]
    line = "   ".join(parts)
    return [line] if len(line) <= width else [wrapped for part in parts for wrapped in textwrap.wrap(part, width)]


def _origins(board: Board) -> list[str]:
    return sorted({column.origin for column in board.columns})


def _floor_names(board: Board) -> list[str]:
    kinds = dict.fromkeys(line.kind for line in board.floors)
    return [f"{kind.capitalize()}s: {', '.join(names)}" for kind in kinds if (names := _named(board, kind))]


def _named(board: Board, kind: Kind) -> list[str]:
    """The tasks with the names of their best answers of a kind."""
    lines = [line.floors for line in board.floors if line.kind == kind]
    found = ([f[0] for f in floors if f] for floors in zip(*lines, strict=True))
    best = ((c.task, dict.fromkeys(names)) for c, names in zip(board.columns, found, strict=True))
    return [f"{task} {' or '.join(names)}" for task, names in best if names]


def _tables(board: Board, width: int | None, color: bool) -> list[str]:
    names = [_names(board), *([_sizes(board)] if board.sized else [])]
    tasks = [_scores(board, i) for i in range(len(board.columns))]
    extra = [_mean_place(board)] if board.overall else []
    costs = _costs(board)
    for kept in range(len(costs), -1, -1):
        strips = [*names, *tasks, *extra, *costs[:kept]]
        if width is None or _width(strips) <= width:
            return _lines(strips, color)
    return [line for chunk in _chunks(names, [*tasks, *extra], width or 0) for line in ("", *_lines(chunk, color))][1:]


def _width(strips: Sequence[Strip]) -> int:
    return sum(map(_widest, strips)) + len(GAP) * (len(strips) - 1)


def _widest(strip: Strip) -> int:
    return max(len(text) for text in strip if not text.overflows)


def _chunks(names: Sequence[Strip], strips: Sequence[Strip], width: int) -> list[list[Strip]]:
    chunks = [[*names]]
    for strip in strips:
        if len(chunks[-1]) > len(names) and _width([*chunks[-1], strip]) > width:
            chunks.append([*names])
        chunks[-1].append(strip)
    return chunks


def _lines(strips: Sequence[Strip], color: bool) -> list[str]:
    widths = [_widest(strip) for strip in strips]
    rows = zip(*strips, strict=True)
    return [GAP.join(t.padded(w, color) for t, w in zip(row, widths, strict=True)) for row in rows]


def _strip(
    board: Board, heading: Sequence[str], cell: Callable[[Line], Text], floor: Callable[[FloorLine], Text] | None = None
) -> Strip:
    """A column: three lines of heading, then every line, each model opened by an empty cell, then the floors."""
    right = bool(board.lines) and cell(board.lines[0]).right
    texts = [Text(((text, style),), right) for text, style in zip(heading, ("bold", "dim", "dim"), strict=True)]
    if len(_origins(board)) == 1:
        texts.pop()
    model = None
    for line in board.lines:
        if line.model != model:
            texts.append(Text())
            model = line.model
        texts.append(cell(line))
    return (*texts, Text(), *(floor(line) if floor else Text() for line in board.floors))


def _names(board: Board) -> Strip:
    def method(line: Line) -> Text:
        return _plain(f"  {figures.plain(line.method)}")

    strip = list(_strip(board, ("", "", ""), method, lambda floor: _plain(floor.kind)))
    openings = [i for i, text in enumerate(strip[: -1 - len(board.floors)]) if not text.parts]
    models = {line.model: line.family for line in board.lines}
    for place, (model, family) in zip(openings, models.items(), strict=True):
        strip[place] = Text(((figures.plain(model), "bold"), (f" ({family})", "dim")), overflows=True)
    return tuple(strip)


def _sizes(board: Board) -> Strip:
    """The training rows of each line."""
    return _strip(board, ("rows", "", ""), lambda line: _plain(figures.rows(line.rows), True),
                  lambda floor: Text(((figures.rows(floor.rows), "dim"),), True))


def _plain(text: str, right: bool = False) -> Text:
    return Text(((text, ""),), right)


def _scores(board: Board, place: int) -> Strip:
    column = board.columns[place]
    entries = [line.entries[place] for line in board.lines]
    scored = [e for e in entries if e is not None and e.scored]
    digits = max((len(figures.score(e.record.score)) for e in scored), default=0)
    spreads = max((len(figures.spread(e.spread)) for e in scored), default=0)
    heading = (figures.plain(column.task), column.metric, column.origin)

    def floor(line: FloorLine) -> Text:
        found = line.floors[place]
        return Text(((f"{figures.score(found[1] if found else None):>{digits}}", "dim"),))

    return _strip(board, heading, lambda line: _score(line.entries[place], digits, spreads), floor)


def _score(entry: Entry | None, digits: int, spreads: int) -> Text:
    if entry is None:
        return Text((("not run", "dim"),))
    if not entry.scored:
        return Text(((notes.ending(entry.record), "bad"),))
    return Text((
        (f"{figures.score(entry.record.score):>{digits}}", "bold" if entry.mark is Mark.BEST else ""),
        (f" {figures.spread(entry.spread):<{spreads}}", "dim"),
        (f" {MARKS[entry.mark]}{notes.warnings(entry)}", ""),
    ))


def _mean_place(board: Board) -> Strip:
    def cell(line: Line) -> Text:
        return _plain("" if line.overall is None else figures.score(line.overall.value), True)

    return _strip(board, ("overall", "", ""), cell)


def _costs(board: Board) -> list[Strip]:
    """The cost columns, the one to do without first coming last."""
    return [
        _strip(board, ("time", "", ""), lambda line: _plain(_time(line), True)),
        _strip(board, ("trainable", "", ""), lambda line: _plain(figures.count(line.costs.trainable), True)),
        _strip(board, ("memory", "", ""), lambda line: _plain(figures.size(line.costs.peak_memory), True)),
        _strip(board, ("params", "", ""), lambda line: _plain(figures.count(line.costs.total), True)),
    ]


def _time(line: Line) -> str:
    known = line.costs.seconds is not None and not line.costs.complete
    return f"{'≥ ' if known else ''}{figures.seconds(line.costs.seconds)}"


def _overall(several: Overall, width: int | None) -> list[str]:
    """The best lines over all tasks, one a line: mean place between floor and best, mean rank, comparisons won."""
    whole = [a for a in several.best_first if a.score and a.rank and a.wins]
    size = "" if several.size is None else f", {several.size:,} training rows asked for"
    rows = [("", "floor 0, best 100", "mean rank", "wins, %")]
    for line in whole[:LINES]:
        told = (figures.bounded(f.value, f.low, f.high) for f in (line.score, line.rank, line.wins) if f)
        rows.append((figures.plain(f"{line.model} {line.method}"), *told))  # type: ignore[arg-type]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [GAP.join(f"{part:<{w}}" for part, w in zip(row, widths, strict=True)) for row in rows]
    rest = [f"and {len(whole) - LINES} more"] if len(whole) > LINES else []
    shown = [line if width is None else figures.shorten(line.rstrip(), width) for line in (*lines, *rest)]
    return [f"All {len(several.tasks)} tasks{size}, with 95% intervals", *shown] if whole else []


def _failure(entry: Entry, width: int, color: bool) -> list[str]:
    record = entry.record
    outcome = f"{STYLES['bad']}{record.outcome}{RESET}" if color else str(record.outcome)
    reason = figures.shorten(figures.plain(record.reason or "no reason was recorded"), REASON)
    wrapped = textwrap.wrap(reason, width - 4, break_long_words=True)
    return [f"  {figures.plain(record.key)}  {outcome}", *(f"    {line}" for line in wrapped)]
