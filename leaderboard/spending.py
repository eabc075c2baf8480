"""Where the time of a cell went, for a run with `--profile`: its parts, and how much of it was the work itself.

Knows a single record.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.record import Record
from bench.spent import PARTS, WORK


@dataclass(frozen=True)
class Part:
    """Wall seconds on a part of the work, its share of all (0 to 1), and seconds in which the processor was busy."""

    name: str
    seconds: float
    share: float
    processor: float


def parts(record: Record) -> list[Part]:
    """The parts in the order of the work; none where nothing was measured."""
    total = sum(found.seconds for found in record.spent.values())
    known = [name for name in PARTS if name in record.spent] if total else []
    return [
        Part(name, record.spent[name].seconds, record.spent[name].seconds / total, record.spent[name].processor)
        for name in known
    ]


def work(record: Record) -> float | None:
    """The share of forward, backward, optimizer and generation, or None where nothing was measured."""
    found = parts(record)
    return sum(part.share for part in found if part.name in WORK) if found else None


def waiting(record: Record) -> float | None:
    """Seconds in which no processor worked for the cell; None where nothing was measured, or a GPU did the work."""
    found = parts(record)
    if not found or record.provenance.get("device") == "cuda":
        return None
    return max(0.0, sum(part.seconds - part.processor for part in found))
