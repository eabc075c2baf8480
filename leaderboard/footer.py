"""Where the results came from, gathered over records. Knows records only, and shows whatever provenance they carry."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.record import Record, to_json
from leaderboard import figures

LISTED = 3
"""Up to so many differing values are all shown; of more, the first and the last."""


@dataclass(frozen=True)
class Fact:
    """One line of provenance."""

    name: str
    value: str


def provenance(records: Sequence[Record]) -> tuple[Fact, ...]:
    """Every entry of the records' provenance; values that differ between records are listed or shown as a range."""
    names = sorted({name for r in records for name in r.provenance})
    facts = (Fact(name.replace("_", " "), _value([r.provenance.get(name) for r in records])) for name in names)
    return tuple(fact for fact in facts if fact.value)


def budget(records: Sequence[Record]) -> tuple[Fact, ...]:
    """Every entry of the records' budgets; sizes of None (all rows) are left out."""
    names = sorted({name for r in records for name in r.budget})
    facts = (Fact(name.replace("_", " "), _several(_text(r.budget.get(name)) for r in records)) for name in names)
    return tuple(fact for fact in facts if fact.value)


def data(records: Sequence[Record]) -> tuple[Fact, ...]:
    """Origin, revision, content hash and row counts of what one task's cells learnt from."""
    known = [r.data for r in records if r.data is not None]
    facts = (
        Fact("origin", _several(d.origin for d in known)),
        Fact("revision", _several(d.revision or "" for d in known)),
        Fact("rows", _several(f"{d.train:,} train, {d.validation:,} validation, {d.test:,} test" for d in known)),
        Fact("SHA-256 of the rows", _several(d.sha256 for d in known)),
    )
    return tuple(fact for fact in facts if fact.value)


def checkpoints(records: Sequence[Record]) -> tuple[Fact, ...]:
    """Every model with the path, revision and weights hash of its checkpoint."""
    found: dict[str, list[str]] = {}
    for record in records:
        if record.checkpoint is not None:
            parts = (record.checkpoint.path, record.checkpoint.revision, record.checkpoint.sha256)
            found.setdefault(record.model, []).append(", ".join(figures.plain(p) for p in parts if p))
    return tuple(Fact(figures.plain(model), _several(texts)) for model, texts in sorted(found.items()))


def _value(values: Iterable[Any]) -> str:
    present = [v for v in values if v is not None]
    if present and all(isinstance(v, Mapping) for v in present):
        names = sorted({name for v in present for name in v})
        return ", ".join(f"{name} {_several(_text(v.get(name)) for v in present)}" for name in names)
    return _several(_text(v) for v in present)


def _several(texts: Iterable[str]) -> str:
    distinct = sorted({text for text in texts if text})
    if len(distinct) <= LISTED:
        return "; ".join(distinct)
    return f"{distinct[0]} … {distinct[-1]} ({len(distinct)} values)"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return figures.plain(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " ".join(_text(v) for v in value)
    return figures.plain(json.dumps(to_json(value), sort_keys=True))
