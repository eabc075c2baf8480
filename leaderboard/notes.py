"""What must be said beside a table so that it is not misread, in the same words on every page.

Knows records and marks, no layout.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from bench.record import Outcome, Record, to_json
from leaderboard import health, sizes
from leaderboard.column import Entry
from leaderboard.rank import RULE

HOW_TO_READ = (
    "A score is the mean over fresh seeds on the test rows; the number after ± is the sample standard deviation over "
    "those seeds. The learning rate was chosen on validation rows only, with the same number of trials for every "
    "cell of a task.",
    "The best score of a task is bold. A score marked ≈ may be the best as well: no other cell is shown to be better. "
    "Cells are compared two by two on the same test rows, with the chance of seeds and of rows; the comparisons of one "
    "cell with all others of its task, with equally many training rows, are one family, corrected by Holm's method at "
    "5%. How much seeds vary is told by all cells of the task together, since a few seeds of one tell it badly. "
    "Not shown to differ does not mean equal. Where answers are not at hand, ≈ says that 95% intervals overlap, "
    "which is coarser; a note tells where that is.",
    "A rank comes with the ranks that the cell may truly have, by the same comparisons, in brackets.",
    "The floor is the best of the trivial answers, such as always giving the most frequent label; ↓ marks a score that "
    "is no better than it. The baseline is the best of the cheap answers that learn: a logistic regression on TF-IDF "
    "weights, or each token's most frequent tag; ≤ marks a score whose 95% interval reaches the floor or the "
    "baseline, so that nothing shows the model to be worth its cost. The tint on the HTML page shows how far a score "
    "has come from the floor to the best of its task.",
    "! marks a score that must be read with doubt: one answer for every row, seeds that got nowhere, answers that are "
    "much too short or too long, or 5% and more of the rows cut, capped, invalid, empty, or seen in training. The "
    "tables of the tasks say which, and name what is less grave without a mark.",
    "Overall is the mean place between the floor (0) and the best score (100) of each task, with a 95% interval over "
    "seeds and test rows, not over other tasks that there might have been. Wins are comparisons won against the other "
    "lines. Metrics of unlike kinds are not averaged. " + RULE,
    'A cell without a score shows how it ended; the reasons are listed below the table. "not run" means that there is '
    "no record.",
    "Costs are of a whole line: the largest number of trainable and of all parameters and the highest peak of memory "
    "among its cells, and the wall time of all its cells together, search included; ≥ where some cell's time is not "
    "known.",
)


def of(records: Sequence[Record]) -> tuple[str, ...]:
    """The notes that these records need."""
    said = (
        _synthetic(records), _sized(records), *_seen(records), *_mixed(records), _edges(records), _collapsed(records),
    )
    return tuple(note for note in said if note)


def warnings(entry: Entry) -> str:
    """The signs of what speaks against a score: ↓ or ≤ for what it does not beat, ! for doubt."""
    beaten = "↓" if entry.beaten else "≤" if entry.unproven else ""
    return beaten + ("!" if entry.doubtful else "")


def _synthetic(records: Sequence[Record]) -> str:
    tasks = sorted({r.task for r in records if r.data is not None and r.data.synthetic})
    if not tasks:
        return ""
    return f"Synthetic data, written by seeded generators, not found in the world: {', '.join(tasks)}."


def _sized(records: Sequence[Record]) -> str:
    if not sizes.several(records):
        return ""
    return (
        "Cells learnt from different numbers of training rows, smaller sets being parts of larger ones. The marks, the "
        "floor and the tint compare a score only with those of the same task and the same number of rows."
    )


def _seen(records: Sequence[Record]) -> list[str]:
    """Where test rows could be known by heart: at most, which is with the largest training set."""
    known = [(r.task, r.source, r.data) for r in records if r.data is not None and r.data.overlap]
    found = {(task, source): data for task, source, data in sorted(known, key=lambda each: each[2].train)}
    return [
        f"{data.overlap:,} of the {data.test:,} test rows of {task} ({source}) have the very inputs of a train row: "
        "what they add to a score may be memory."
        for (task, source), data in sorted(found.items())
    ]


def _mixed(records: Sequence[Record]) -> list[str]:
    by_rows: dict[int | None, list[Record]] = {}
    for record, count in zip(records, sizes.train_rows(records), strict=True):
        by_rows.setdefault(count, []).append(record)
    rows = dict.fromkeys(
        name for group in by_rows.values() for name in _differing(group, lambda r: r.data.sha256 if r.data else None)
    )
    budgets = _differing(records, _budget)
    said = [f"The cells of {name} did not all learn from and answer the same rows: compare with care." for name in rows]
    said += [f"The cells of {name} did not all have the same budget: compare with care." for name in budgets]
    return said


def _budget(record: Record) -> str:
    """The budget without the training-set size, by which cells may differ: they are told apart by it."""
    return json.dumps({k: v for k, v in to_json(record.budget).items() if k != "train_size"}, sort_keys=True)


def _differing(records: Sequence[Record], value: Callable[[Record], str | None]) -> list[str]:
    found: dict[str, set[str]] = {}
    for record in records:
        seen = value(record)
        if seen is not None and record.score is not None:
            found.setdefault(f"{record.task} ({record.source})", set()).add(seen)
    return [name for name, values in found.items() if len(values) > 1]


def _edges(records: Sequence[Record]) -> str:
    keys = [r.key for r in records if r.rate_at_edge]
    if not keys:
        return ""
    return f"The best learning rate was the lowest or highest tried, so a wider search may do better: {_listed(keys)}."


def _collapsed(records: Sequence[Record]) -> str:
    keys = [r.key for r in records if health.collapsed(r)]
    return f"Gave one answer for every test row with at least one seed: {_listed(keys)}." if keys else ""


def unfinished(keys: Sequence[str], planned: int) -> str:
    """Which of the planned cells have no record."""
    return f"{len(keys)} of the {planned} planned cells have no record: {_listed(keys)}." if keys else ""


def _listed(keys: Sequence[str], most: int = 6) -> str:
    rest = len(keys) - most
    return ", ".join(keys[:most]) + (f" and {rest} more" if rest > 0 else "")


def ending(record: Record) -> str:
    """How a cell without a score ended, as short as a table wants it: "DIVERGED", or "DIVERGED (1 of 3 seeds)"."""
    count, scored = len(record.finals), len(record.seed_scores)
    some = record.outcome is Outcome.DIVERGED and scored
    return f"{record.outcome} ({count - scored} of {count} seeds)" if some else str(record.outcome)


def outcomes(records: Sequence[Record]) -> str:
    """How the cells ended, counted: "75 cells: 70 OK, 5 UNSUPPORTED"."""
    counts: Mapping[str, int] = {o: sum(r.outcome == o for r in records) for o in sorted({r.outcome for r in records})}
    ended = ", ".join(f"{n} {name}" for name, n in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
    return f"{len(records)} {'cell' if len(records) == 1 else 'cells'}: {ended}" if records else "no cells"
