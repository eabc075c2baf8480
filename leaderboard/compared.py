"""The files that the page of comparisons reads: for each group of cells their differences, slices and answers.

Numbers are worked out here and rounded as everywhere (`leaderboard.versus`); the page looks them up. A page that was
opened from a disk may not read files, but it may run scripts: so each file is a script that hands over one value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from bench.metrics.metric import Array
from bench.record import Names, Record
from leaderboard import answers, evidence, figures, panel, versus
from leaderboard.addresses import Addresses
from leaderboard.evidence import Evidence
from leaderboard.search import TELLING, Search
from leaderboard.study import Group
from leaderboard.versus import Codes, Contrasts, packed, scaled, upper

LEVEL = 0.05


def script(path: str, value: Any) -> str:
    """A file that hands `value` over under its path. JSON is JavaScript; what could end a script element is escaped."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return f"board({json.dumps(path)},{text});\n"


def group(where: Addresses, group: Group, known: Evidence) -> dict[str, Any]:
    """What the page must know to offer the cells of a group: their names, best first, and what was sliced."""
    by_names = {record.names: record for record in group.records}
    names = known.panel.names[: evidence.MOST_PAIRED]
    return {
        "folder": where.group(group.task, group.source, group.rows),
        "task": group.task, "source": group.source, "rows": group.rows, "metric": known.panel.metric.name,
        "higher": known.panel.metric.higher_is_better, "test": known.panel.rows,
        "left": len(group.records) - len(names),
        "tested": known.contrasts is not None and len(names) == len(known.panel.names),
        "slices": [[part.column, part.value, len(part.rows)] for part in known.parts],
        "cells": [_cell(where, by_names[each]) for each in names],
    }


def _cell(where: Addresses, record: Record) -> dict[str, Any]:
    return {
        "key": record.key, "model": figures.plain(record.model), "method": figures.plain(record.names[2]),
        "score": figures.score(record.score), "interval": figures.interval(record.low, record.high),
        "page": where.cell(record.names), "seeds": len(record.seed_scores),
    }


def files(
    where: Addresses, group: Group, known: Evidence, searches: Mapping[Names, Search]
) -> Iterator[tuple[str, str]]:
    """The files of a group by their paths. `searches` are those of its cells, at least."""
    folder = where.group(group.task, group.source, group.rows)
    names = known.panel.names[: evidence.MOST_PAIRED]
    gaps = versus.gaps([searches[each] for each in names])
    values: dict[str, Any] = {
        "pairs": _pairs(versus.table(panel.part(known.panel, names))) | _gaps(gaps), "rows": _rows(known),
    }
    if known.contrasts is not None:
        values["slices"] = _contrasts(known.contrasts)
    values |= {str(i): _answers(known, i) for i in range(len(names))}
    for name, value in values.items():
        path = f"{folder}/{name}.js"
        yield path, script(path, value)


def _pairs(found: versus.Table) -> dict[str, Any]:
    """Tenths of points and of percents, thousandths of p, hundredths of effects; one of every two cells."""
    return {
        **{name: packed(scaled(upper(getattr(found, name)), 1)) for name in ("value", "low", "high")},
        "p": packed(_told(upper(found.p))), "effect": packed(scaled(upper(found.effect), 2)),
        **{name: packed(scaled(upper(100 * getattr(found, name)), 1)) for name in ("won", "lost")},
        "adjusted": packed(_told(upper(found.adjusted))),
    }


def _gaps(found: versus.Gaps) -> dict[str, str]:
    """Tenths of points, and whole percents where the difference is large enough to be shared."""
    share = np.where(np.abs(found.tuned) < TELLING, np.nan, found.share)
    return {
        "tuned": packed(scaled(upper(found.tuned), 1)), "untuned": packed(scaled(upper(found.untuned), 1)),
        "share": packed(scaled(upper(100 * share), 0)),
    }


def _contrasts(found: Contrasts) -> dict[str, Any]:
    return {
        **{name: packed(scaled(upper(getattr(found, name)), 1)) for name in ("value", "low", "high")},
        "adjusted": packed(_told(upper(found.adjusted))),
    }


def _told(p: Array) -> Codes:
    """Thousandths of p and one, negative where it is below the level: rounding must not decide that."""
    codes = scaled(p, 3) + 1
    return np.where(p < LEVEL, -codes, codes).astype(np.int16)


def _rows(known: Evidence) -> list[list[Any]]:
    """Number, input and truth of the test rows that tell cells apart."""
    return [[i, answers.cut(_asked(known, i)), _text(known, i, known.rows[i]["reference"])] for i in known.examples]


def _answers(known: Evidence, cell: int) -> dict[str, Sequence[Any]]:
    """A cell's answers to these rows with their scores, and its scores on the slices, in tenths."""
    given = known.given[cell]
    return {
        "answers": [_text(known, i, given.predictions[i]) for i in known.examples],
        "scores": scaled(given.scores[list(known.examples)], 1).tolist(),
        "slices": scaled(known.scores[:, cell], 1).tolist(),
    }


def _asked(known: Evidence, row: int) -> str:
    return str(known.rows[row]["input"])


def _text(known: Evidence, row: int, answer: str) -> str:
    return answers.cut(answers.shown(answer, _asked(known, row)))
