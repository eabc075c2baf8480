"""The page of single levers: what a cell takes with and without each, and what became of its scores.

A pure function of what was measured.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.spent import PARTS

HEADER = """# Single levers

What each lever gives by itself, all others on; written by `python -m benchmarks.ablation`. A cell of `glue-lite` is
made with and without it in turn, each time in a process of its own on one thread, which has imported all before the
clock starts. Ratios are of the time without the lever to that with it, in processor and in wall time, the median of
{rounds} rounds with their range: above 1 it pays. Scores are means over the seeds' test scores. Warm workers are
measured on three cells, one process for all against one for each, imports counted; so are the last rows, which take
away what shortens the search, what makes the same trainings faster, and both. In the last two most of the warm worker's
part is start-up, some five seconds a process, which weighs more beside these small cells than beside the suite's.

Cells are smaller than in the suite: {budget}.

Measured on: {machine}; load {before:.1f} before and {after:.1f} after.

| lever | cell | with | without | ratio | ratio, wall | score with | without | difference |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
"""


@dataclass(frozen=True)
class Side:
    """Seconds of each round, the test scores of each cell by seed, which are the same in every round, and where the
    seconds of the first round went, by part of the work.
    """

    wall: tuple[float, ...]
    processor: tuple[float, ...]
    scores: Mapping[str, Sequence[float]]
    spent: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """A lever on a cell, or on several that were made one after the other."""

    what: str
    cells: Sequence[str]
    on: Side
    off: Side


def render(found: Sequence[Measured], machine: Mapping[str, Any], load: tuple[float, float], budget: str) -> str:
    """The page."""
    told = ", ".join(f"{name} {value}" for name, value in machine.items())
    rounds = max((len(each.on.wall) for each in found), default=0)
    head = HEADER.format(budget=budget, rounds=rounds, machine=told, before=load[0], after=load[1])
    return head + "".join(map(line, found)) + (_spent(found[-1]) if found else "")


def _spent(found: Measured) -> str:
    """Where the time went without the last lever, which is all of them, and with it."""
    sides = {"without": found.off.spent, "with": found.on.spent}
    names = [name for name in PARTS if any(name in spent for spent in sides.values())]
    if not names:
        return ""
    rows = [f"| {name} | " + " | ".join(f"{spent.get(name, 0.0):.1f} s" for spent in sides.values()) + " |"
            for name in names]
    return "\n".join((f"\n## Where the time goes, {found.what}\n", "| part | without | with |", "| --- | ---: | ---: |",
                      *rows, ""))


def line(found: Measured) -> str:
    """A row of the table."""
    on, off = found.on, found.off
    scores = [_mean(side.scores) for side in (on, off)]
    same = {k: list(v) for k, v in on.scores.items()} == {k: list(v) for k, v in off.scores.items()}
    cells = [
        found.what, ", ".join(found.cells), *(f"{statistics.median(side.processor):.1f} s" for side in (on, off)),
        ratio(off.processor, on.processor), ratio(off.wall, on.wall), *(f"{score:.1f}" for score in scores),
        "the same" if same else f"{scores[0] - scores[1]:+.1f}",
    ]
    return f"| {' | '.join(cells)} |\n"


def ratio(slow: Sequence[float], fast: Sequence[float]) -> str:
    """The median of the ratios by round, to two digits behind the point, with their range."""
    found = sorted(a / b for a, b in zip(slow, fast, strict=True))
    spread = f" ({found[0]:.2f} to {found[-1]:.2f})" if len(found) > 1 else ""
    return f"{statistics.median(found):.2f}{spread}"


def _mean(scores: Mapping[str, Sequence[float]]) -> float:
    """Over cells, of the mean over seeds."""
    return statistics.fmean(statistics.fmean(seeds) for seeds in scores.values())
