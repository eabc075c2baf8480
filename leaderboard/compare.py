"""Compares two runs: per cell on the same test rows, pooled over cells, and says what moved first where something did.

A pure function of the two runs' files and of earlier nights. Each cell of the base must be accounted for: what is
missing, failed or stale is named, and never counts as fine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bench.record import Record
from leaderboard import costs, measured, shifts, since, verdict
from leaderboard.alarms import Findings, Limits, alarming, of_costs, of_losses, of_scores
from leaderboard.shifts import ALL, Shift
from leaderboard.sides import Side, Standing
from leaderboard.trace import Moved, Stage, environment_changes, first_moved
from leaderboard.verdict import Alarm, Cause, CellView, Comparison, Kind

DRIFT = 1e-3
"""Relative changes of a training loss below this are rounding, which other versions or machines bring."""

ROUNDING = "training losses differ by no more than rounding, answers by more"
"""What is said of a cause where only losses that drifted (`DRIFT`) differ before the answers do."""

MEASURED = frozenset({Standing.SCORED, Standing.DIVERGED, Standing.UNSUPPORTED})
"""What a cell must be in both runs for anything to be said of it."""

REASONS = {
    Standing.MISSING: "no record",
    Standing.FAILED: "failed",
    Standing.STALE: "stale, of another plan or from before the run began",
    Standing.LEFT_OUT: "left out",
}


def compare(base: Side, head: Side, earlier: Sequence[Side] = (), limits: Limits | None = None) -> Comparison:
    """Everything that can be said of `head` against `base`; `earlier` nights teach how much runs vary by themselves.

    Raises StoreError where answers cannot be read.
    """
    limits = limits or Limits()
    views = [_view(key, base, head) for key in sorted({*base.keys, *head.keys})]
    scored = [v for v in views if v.base is Standing.SCORED and v.head is Standing.SCORED]
    known = measured.run_variances(earlier, [v.key for v in scored])
    moved = [measured.score_shift(v.key, base, head, known.get(v.key)) for v in scored if not v.same]
    losses = [s for v in scored if (s := measured.loss_shift(base.records[v.key], head.records[v.key])) is not None]
    found = Findings.of(moved, losses)
    changes = costs.changes(_records(base, scored), _records(head, scored), [side.records for side in earlier])
    views = [_with_findings(view, found) for view in views]
    unmeasured = _unmeasured(views, found, base, head)
    alarms = [*_outcome_alarms(views, head), *_parameter_alarms(scored, base, head),
              *_evaluation_alarms(scored, base, head),
              *of_scores(found, limits), *of_losses(found, limits), *of_costs(changes)]
    alarms.sort(key=lambda alarm: alarm.scope in head.keys or alarm.scope in base.keys)
    ran = not head.keys or any(v.head in MEASURED for v in views)
    return Comparison(
        base=base.name, head=head.name,
        verdict=verdict.of(ran=ran, alarms=alarms, unmeasured=unmeasured, compared=sum(v.judged for v in views)),
        alarms=tuple(alarms), cells=tuple(views), pooled=tuple(found.pooled), pooled_loss=tuple(found.pooled_losses),
        costs=tuple(changes), cause=_cause(alarms, views, moved, found, limits),
        environment=_environment(scored, base, head), unmeasured=unmeasured,
        left_out=tuple(v.key for v in views if v.head is Standing.LEFT_OUT), sight=_sight(found, limits),
        run=str(head.store.root) if head.night else None, suite=head.suite,
        since=since.of(alarms, base, head, earlier),
    )


def _view(key: str, base: Side, head: Side) -> CellView:
    old, new = base.records.get(key), head.records.get(key)
    standings = base.standing(key), head.standing(key)
    both = standings == (Standing.SCORED, Standing.SCORED) and old is not None and new is not None
    return CellView(
        key=key, base=standings[0], head=standings[1], base_score=old.score if old else None,
        head_score=new.score if new else None, same=bool(both and old and new and measured.same_answers(old, new)),
        judged=both or (set(standings) <= MEASURED), moved=first_moved(old, new) if both and old and new else None,
    )


def _with_findings(view: CellView, found: Findings) -> CellView:
    own = next((f for f in found.cells if f.scope == view.key), None)
    loss = next((f for f in found.losses if f.scope == view.key), None)
    return replace(view, finding=own, loss=loss)


def _unmeasured(views: Iterable[CellView], found: Findings, base: Side, head: Side) -> dict[str, str]:
    """Why nothing can be said of a cell, by its key; cells that were not meant to run are none of these."""
    reasons = {}
    pool = bool(found.pooled)
    for view in views:
        if view.head is Standing.LEFT_OUT:
            continue
        if view.head not in MEASURED:
            reasons[view.key] = _reason(view.head, head, view.key)
        elif not base.keys:
            reasons[view.key] = "nothing to compare it with: no night was accepted yet"
        elif view.base not in MEASURED:
            reasons[view.key] = f"nothing to compare it with, in the base: {_reason(view.base, base, view.key)}"
        elif view.head is view.base is Standing.SCORED and not (view.same or view.finding or pool):
            reasons[view.key] = "moved, and one seed does not tell how much is chance: add seeds, or more nights"
    return reasons


def _reason(standing: Standing, side: Side, key: str) -> str:
    """Why a run has no result of a cell, with what its record says of a failure."""
    if standing is Standing.DAMAGED:
        return f"its record is damaged: {side.damaged[key]}"
    if standing is Standing.MISSING and side.night is not None and side.night.stopped:
        return f"{REASONS[standing]}, the night's time was up"
    record = side.records.get(key)
    told = record.reason if record is not None and standing is Standing.FAILED else None
    return f"{REASONS[standing]} ({told})" if told else REASONS[standing]


def _outcome_alarms(views: Iterable[CellView], head: Side) -> list[Alarm]:
    """Cells that end otherwise than in the base, with the reason that they give."""
    changed = [v for v in views if {v.base, v.head} <= MEASURED and v.base is not v.head]
    why = {v.key: f": {record.reason}" for v in changed if (record := head.records.get(v.key)) and record.reason}
    return [
        Alarm(Kind.OUTCOME, v.key, v.head is not Standing.SCORED, f"was {v.base} and is {v.head}{why.get(v.key, '')}")
        for v in changed
    ]


def _evaluation_alarms(scored: Iterable[CellView], base: Side, head: Side) -> list[Alarm]:
    """What has no chance in it: the same answers scored otherwise, and the same trainings judged or asked otherwise.

    Either is a change of evaluation for certain, and none is for the better unless it is accepted.
    """
    found = []
    for view in scored:
        old, new = base.records[view.key], head.records[view.key]
        scores = f"{view.base_score or 0:.1f} to {view.head_score or 0:.1f}"
        if measured.rescored(old, new):
            found.append(Alarm(Kind.EVALUATION, view.key, True, f"the same answers are scored otherwise: {scores}"))
        elif view.moved and view.moved.stage is Stage.EVALUATION and measured.same_losses(old, new):
            says = f"the very same trainings answer otherwise: {scores}"
            found.append(Alarm(Kind.EVALUATION, view.key, True, says))
    return found


def _parameter_alarms(scored: Iterable[CellView], base: Side, head: Side) -> list[Alarm]:
    """Parameter counts are exact, so that any change is one; none is ever for the better unless it is accepted."""
    found = []
    for view in scored:
        old, new = base.records[view.key].parameters, head.records[view.key].parameters
        if old is None or new is None:
            continue
        pairs = {name: (getattr(old, name), getattr(new, name)) for name in ("trainable", "method", "head", "total")}
        told = [f"{name} {a:,} to {b:,}" for name, (a, b) in pairs.items() if a != b]
        if told:
            found.append(Alarm(Kind.PARAMETERS, view.key, True, f"parameters changed: {', '.join(told)}"))
    return found


def _cause(
    alarms: Sequence[Alarm], views: Sequence[CellView], moved: Sequence[Shift], found: Findings, limits: Limits
) -> Cause | None:
    """Where most cells behind the alarms moved first, or of all cells without alarms. Costs have no such cause."""
    scopes = {alarm.scope for alarm in alarms if alarm.kind is not Kind.COST}
    parts = {shift.key: {ALL, *shift.scopes} for shift in moved}
    mine = [v for v in views if v.moved and (not scopes or v.key in scopes or parts.get(v.key, set()) & scopes)]
    if not mine:
        return None
    pooled = any(alarming(f, limits.loss_pooled, limits.loss_level) for f in found.pooled_losses)
    loud = {f.scope for f in found.losses if alarming(f, limits.loss_cell, limits.loss_level)}
    told = [attributed(v.moved, pooled or v.key in loud) for v in mine if v.moved]
    counts = Counter(stage for stage, _ in told)
    stage = max(Stage, key=lambda own: counts[own])  # of as many cells, the earlier one
    blamed = [(v, sure) for v, (own, sure) in zip(mine, told, strict=True) if own is stage]
    words = Counter(v.moved.what for v, sure in blamed if sure and v.moved)
    what, alike = words.most_common(1)[0] if words else (ROUNDING, 0)
    return Cause(
        stage, counts[stage], len(mine), what, sure=all(sure for _, sure in blamed), alike=alike,
        cell=next((v.key for v, sure in blamed if sure and v.moved and v.moved.what == what), None),
        others={str(own): counts[own] for own in Stage if counts[own] and own is not stage},
    )


def attributed(moved: Moved, loss_moved: bool) -> tuple[Stage, bool]:
    """The stage to blame, and whether that is certain.

    A training loss that drifted by no more than rounding, where losses as a whole did not move, blames what came after.
    """
    drifted = moved.by is not None and abs(moved.by) < DRIFT and not loss_moved
    return (Stage.EVALUATION, False) if drifted else (moved.stage, True)


def _records(side: Side, views: Iterable[CellView]) -> dict[str, Record]:
    return {view.key: side.records[view.key] for view in views}


def _environment(scored: Iterable[CellView], base: Side, head: Side) -> tuple[str, ...]:
    """What differs between the runs' environments in any cell, each difference once."""
    told = (words for v in scored for words in environment_changes(base.records[v.key], head.records[v.key]))
    return tuple(dict.fromkeys(told))


def _sight(found: Findings, limits: Limits) -> tuple[float | None, float | None]:
    pooled = next((shifts.detectable(f, limits.pooled_level) for f in found.pooled if f.scope == ALL), None)
    level = limits.cell_level / max(1, len(found.cells))
    cells = sorted(shifts.detectable(f, level) for f in found.cells)
    return pooled, cells[len(cells) // 2] if cells else None
