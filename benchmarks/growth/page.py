"""The page of growth: an exponent with its range for each axis, beside that of the work itself.

A pure function of what was found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.growth.axis import SLACK, Found

HEADER = """# Growth

How time grows with what there is more of, written by `python -m benchmarks.growth`. An exponent is the slope of the
line of least squares through the logarithms of size and of processor time, on one thread: 1 where twice as much takes
twice as long. It is that of the fastest of {rounds} rounds at each size, with the range of single rounds; `at the end`
is the same between the two largest sizes, where a part that grows faster shows first. A fixed cost makes it smaller
than that of the work. A row is marked `worse than the work` where even the low end of either of its ranges lies more
than {slack:g} above the work's exponent.

Searches, planning, looking for fresh records and running cells are those of a learner that does nothing: only what the
harness adds is measured. Trainings are of `full` on one thread, in batches of 8 rows of {tokens} tokens. Of length, the
work is linear where layers are wide, and quadratic where attention is most of it.

Measured on: {machine}; load {before:.1f} before and {after:.1f} after.

| what | against | sizes | seconds | exponent | at the end | of the work | |
| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |
"""


def render(found: Sequence[Found], machine: Mapping[str, Any], load: tuple[float, float], tokens: int) -> str:
    """The page."""
    told = ", ".join(f"{name} {value}" for name, value in machine.items())
    rounds = max((len(each.rounds) for each in found), default=0)
    head = HEADER.format(rounds=rounds, slack=SLACK, tokens=tokens, machine=told, before=load[0], after=load[1])
    return head + "".join(map(line, found))


def line(found: Found) -> str:
    """A row of the table."""
    axis, times = found.axis, found.fastest
    work = f"{axis.least:g} to {axis.work:g}" if axis.least < axis.work else f"{axis.work:g}"
    sizes, seconds = f"{axis.sizes[0]:,} to {axis.sizes[-1]:,}", f"{_short(times[0])} to {_short(times[-1])}"
    judged = "worse than the work" if found.worse else ""
    cells = [axis.what, axis.against, sizes, seconds, str(found.whole), str(found.end), work, judged]
    return f"| {' | '.join(cells)} |\n"


def _short(seconds: float) -> str:
    return f"{seconds:.2g}" if seconds < 1 else f"{seconds:.1f}"
