"""What a score alone would hide, said in words. Knows records only, no layout."""

from __future__ import annotations

from bench.record import Health, Record


def worst(record: Record) -> Health | None:
    """The worst counts among the cell's seeds, None where nothing was counted."""
    seen = [t.health for t in record.finals if t.health is not None]
    if not seen:
        return None
    return Health(
        truncated=max(h.truncated for h in seen),
        truncated_train=max(h.truncated_train for h in seen),
        capped=max(h.capped for h in seen),
        invalid=max(h.invalid for h in seen),
        empty=max(h.empty for h in seen),
        distinct=min(h.distinct for h in seen),
        fewer_examples=max(h.fewer_examples for h in seen),
    )


def words(record: Record) -> tuple[str, ...]:
    """The counts that are not as one would wish, each in a few words; none for a healthy cell."""
    counts = worst(record)
    if counts is None:
        return ()
    said = (
        (counts.truncated, "test input cut", "test inputs cut"),
        (counts.truncated_train, "training input cut", "training inputs cut"),
        (counts.capped, "answer at the length cap", "answers at the length cap"),
        (counts.invalid, "invalid answer", "invalid answers"),
        (counts.empty, "empty answer", "empty answers"),
        (counts.fewer_examples, "test row shown fewer examples", "test rows shown fewer examples"),
    )
    found = tuple(f"{n:,} {one if n == 1 else many}" for n, one, many in said if n)
    return (*found, "one answer for every row") if collapsed(record) else found


def collapsed(record: Record) -> bool:
    """Whether some seed gave the same answer to every test row. `distinct` of 0 means that it was not counted."""
    counts = worst(record)
    return counts is not None and counts.distinct == 1


def trials(record: Record) -> str:
    """How many trials the search spent, and how many of them did not complete: "4 (1 pruned)"."""
    counts = {state: sum(t.state == state for t in record.trials) for state in ("PRUNED", "DIVERGED")}
    lost = [f"{n} {state.lower()}" for state, n in counts.items() if n]
    return f"{len(record.trials)} ({', '.join(lost)})" if lost else str(len(record.trials))
