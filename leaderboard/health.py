"""What a score alone would hide: counted, weighed and said in words, each able to mark a cell. Knows records only."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bench.record import Health, Record

SHARE = 0.05
"""From this share of the rows on, what happened to them puts the score in doubt."""
APART = 5.0
"""Points from which on a seed is clearly above the floor."""
SHORT, LONG = 0.8, 1.25
"""Written answers outside these lengths, as ratios to the references', put the score in doubt."""


class Severity(StrEnum):
    """What a finding means for the score."""

    DOUBT = "doubt"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be: `kind` names it, `words` tell it. DOUBT marks the cell in every table."""

    kind: str
    severity: Severity
    words: str


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


def findings(record: Record) -> tuple[Finding, ...]:
    """All findings about a cell, in a fixed order; none for a healthy one."""
    found = [*_counted(record), _collapsed(record), _lost(record), _brevity(record), _seen(record), *_search(record),
             *_memory(record)]
    return tuple(finding for finding in found if finding is not None)


def words(record: Record) -> tuple[str, ...]:
    """All findings about a cell in a few words each, as `said` tells them."""
    return said(findings(record))


def said(found: Iterable[Finding]) -> tuple[str, ...]:
    """Findings in a few words each, those that put the score in doubt opened by "!"."""
    return tuple(f"! {f.words}" if f.severity is Severity.DOUBT else f.words for f in found)


def _counted(record: Record) -> list[Finding | None]:
    counts = worst(record)
    if counts is None:
        return []
    test, train = (record.data.test, record.data.train) if record.data else (0, 0)
    told = (
        ("truncated", counts.truncated, test, "test input cut", "test inputs cut"),
        ("truncated_train", counts.truncated_train, train, "training input cut", "training inputs cut"),
        ("capped", counts.capped, test, "answer at the length cap", "answers at the length cap"),
        ("invalid", counts.invalid, test, "invalid answer", "invalid answers"),
        ("empty", counts.empty, test, "empty answer", "empty answers"),
        ("fewer_examples", counts.fewer_examples, test, "test row shown fewer examples",
         "test rows shown fewer examples"),
    )
    return [_share(kind, count, rows, one if count == 1 else many) for kind, count, rows, one, many in told]


def _share(kind: str, count: int, rows: int, what: str) -> Finding | None:
    """A count of rows: with its share, and in doubt, from SHARE on."""
    if not count:
        return None
    if not rows or count < SHARE * rows:
        return Finding(kind, Severity.NOTE, f"{count:,} {what}")
    return Finding(kind, Severity.DOUBT, f"{count:,} {what} ({math.floor(100 * count / rows)}%)")


def collapsed(record: Record) -> bool:
    """Whether some seed gave the same answer to every test row. `distinct` of 0 means that it was not counted."""
    counts = worst(record)
    return counts is not None and counts.distinct == 1


def _memory(record: Record) -> list[Finding]:
    """What had to be done in parts. The scores are those of the plan but for rounding and what dropout draws."""
    trainings = (*record.trials, *record.finals)
    told = (
        ("micro_batch", [t.micro_batch for t in trainings], "batches split for want of memory, down to {:,} rows"),
        ("prediction_tokens", [t.prediction_tokens for t in trainings],
         "predicted in smaller batches for want of memory, down to {:,} tokens"),
    )
    least = [(kind, min(filter(None, found), default=None), words) for kind, found, words in told]
    return [Finding(kind, Severity.NOTE, words.format(number)) for kind, number, words in least if number is not None]


def _collapsed(record: Record) -> Finding | None:
    found = sum(t.health is not None and t.health.distinct == 1 for t in record.finals)
    if not found:
        return None
    some = "" if found == len(record.finals) else f" with {found} of {len(record.finals)} seeds"
    return Finding("collapsed", Severity.DOUBT, f"one answer for every row{some}")


def _lost(record: Record) -> Finding | None:
    """Seeds that got nowhere though others did: diverged, or at the floor while another is APART points above it."""
    floors = [scores[record.metric] for scores in record.floors.values() if record.metric in scores]
    lost = sum(t.state == "DIVERGED" for t in record.finals)
    if record.score is not None and floors:
        sign = 1 if record.higher_is_better else -1
        floor = max(sign * value for value in floors)
        above = [sign * score - floor for score in record.seed_scores]
        lost += sum(value <= 0 for value in above) if max(above, default=0.0) >= APART else 0
    if not lost:
        return None
    return Finding("lost_seeds", Severity.DOUBT, f"{lost} of {len(record.finals)} seeds got nowhere")


def _brevity(record: Record) -> Finding | None:
    """The length of what was written, as a ratio to the references'; BLEU multiplies by exp(1 - 1 / ratio) below 1."""
    ratio = (record.scores or {}).get("length_ratio")
    if ratio is None or SHORT <= ratio <= LONG:
        return None
    penalty = math.exp(1 - 1 / ratio) if 0 < ratio < 1 else 0.0 if ratio <= 0 else 1.0
    told = f", brevity penalty {penalty:.2f}" if record.metric == "bleu" and ratio < 1 else ""
    return Finding("brevity", Severity.DOUBT, f"answers {ratio:.2f} times as long as the references{told}")


def _seen(record: Record) -> Finding | None:
    """Test rows whose very inputs are among the training rows."""
    if record.data is None or not record.data.overlap:
        return None
    count = record.data.overlap
    return _share("seen", count, record.data.test, f"test {'row' if count == 1 else 'rows'} seen in training")


def _search(record: Record) -> list[Finding | None]:
    """What the search could not find out."""
    lost = sum(t.state == "DIVERGED" for t in record.trials)
    complete = sum(t.state == "COMPLETE" for t in record.trials)
    total = len(record.trials)
    return [
        Finding("lost_trials", Severity.NOTE, f"{lost} of {total} trials diverged") if lost else None,
        Finding("one_trial", Severity.NOTE, f"only 1 of {total} trials completed") if complete == 1 < total else None,
        Finding("edge", Severity.NOTE, "best rate at the edge of those tried") if record.rate_at_edge else None,
    ]


def trials(record: Record) -> str:
    """How many trials the search spent, and how many of them did not complete: "4 (1 pruned)"."""
    counts = {state: sum(t.state == state for t in record.trials) for state in ("PRUNED", "DIVERGED")}
    lost = [f"{n} {state.lower()}" for state, n in counts.items() if n]
    return f"{len(record.trials)} ({', '.join(lost)})" if lost else str(len(record.trials))
