"""Since when is it so? The last night without an alarm of tonight's, the first with one, and what differs between them.

The base may be weeks old, and much has changed since; where a regression came in, its neighbours tell best. Knows
nights and what they said; judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.errors import StoreError
from leaderboard import changes, said
from leaderboard.said import Said
from leaderboard.sides import Side
from leaderboard.verdict import Alarm, Since, Verdict

_SILENT = (Verdict.TOO_LITTLE, Verdict.COULD_NOT_RUN)


def of(alarms: Sequence[Alarm], base: Side, head: Side, earlier: Sequence[Side]) -> Since | None:
    """None where nothing is worse, and where no night between the base and `head` says more than these two do.

    A night counts as one of the bad ones where it raised any alarm that tonight raises, of the same kind and about the
    same cells, against the same base. One that measured too little, had none of the cells with alarms of their own, or
    was compared with another base, tells nothing.
    """
    mine = _worse(alarms)
    cells = {scope for _, scope in mine} & set(head.records)
    between = [side for side in earlier if base.name < side.name < head.name]
    told = [(side, found) for side in between if (found := _said(side)) is not None and found.base == base.name]
    if not mine or not told:
        return None
    good, bad, count = base, head, 1
    for side, found in reversed(told):
        if _worse(found.alarms) & mine:
            bad, count = side, count + 1
        elif found.verdict not in _SILENT and (not cells or cells & set(side.records)):
            good = side
            break
    return Since(good.name, bad.name, count, changes.environment(good, bad))


def _worse(alarms: Sequence[Alarm]) -> set[tuple[str, str]]:
    return {(alarm.kind, alarm.scope) for alarm in alarms if alarm.worse}


def _said(side: Side) -> Said | None:
    try:
        return said.read(side)
    except StoreError:  # the page of the trend names it
        return None
