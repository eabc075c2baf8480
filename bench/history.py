"""A history: a directory of dated runs, and the list of those that were accepted as the base.

    HISTORY/
      2031-05-04T02-30-00Z/     a run (see `bench.store`), with night.json and the verdict's files
      accepted.jsonl            who accepted which run as the base, when and why; the last line holds

Its size is bounded: see `thin`. Knows files only; compares nothing.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from bench import provenance
from bench.errors import RequestError, StoreError

KEPT = 90
"""Nights that a history keeps, the latest, besides those that were accepted: enough to learn from, quick to read."""

WHOLE = 7
"""Nights that keep everything, the latest."""

BULK = ("leaderboard", "studies", "models", "wandb")
"""What earlier nights lose: it is large, and no later verdict reads it."""

PREDICTIONS = "predictions"
"""What earlier nights lose unless they were accepted: only a base is compared row by row."""

ACCEPTED = "accepted.jsonl"
DATED = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ")


@dataclass(frozen=True)
class Acceptance:
    """That a run is the base from now on."""

    run: str
    who: str
    why: str
    when: str


def nights(history: Path) -> list[Path]:
    """The dated runs of a history, oldest first; none where there is no such directory."""
    if not history.is_dir():
        return []
    return sorted(path for path in history.iterdir() if path.is_dir() and DATED.fullmatch(path.name))


def dated(began: str) -> str:
    """The name of a night's directory, from the time it began (ISO 8601, UTC)."""
    return began.partition("+")[0].replace(":", "-") + "Z"


def accepted(history: Path) -> list[Acceptance]:
    """Every acceptance, oldest first.

    Raises StoreError naming the line that cannot be read.
    """
    path = history / ACCEPTED
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            found.append(Acceptance(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise StoreError(f"{path}:{number}: not an acceptance ({error}). Correct or remove the line.") from error
    return found


def base(history: Path) -> Path | None:
    """The run that others are compared with, None where none was accepted.

    Raises StoreError where the one that was last accepted is gone.
    """
    last = accepted(history)[-1:]
    if not last:
        return None
    run = history / last[0].run
    if not run.is_dir():
        raise StoreError(f"{run} was accepted as the base and is gone. Bring it back, or accept another run.")
    return run


def accept(history: Path, run: str, who: str, why: str) -> Acceptance:
    """Make a run of the history its base, and keep who did so and why.

    Raises RequestError for a run that is not in the history, and for nobody or no reason.
    """
    if not (history / run).is_dir() or not DATED.fullmatch(run):
        known = ", ".join(path.name for path in nights(history)[-3:]) or "none"
        raise RequestError(f"{history} has no night {run!r}. Its latest: {known}.")
    if not who.strip() or not why.strip():
        raise RequestError("an acceptance needs a person and a reason: --who NAME --why TEXT")
    made = Acceptance(run, who.strip(), why.strip(), provenance.now())
    with (history / ACCEPTED).open("a", encoding="utf-8") as file:
        file.write(json.dumps(dataclasses.asdict(made), ensure_ascii=False) + "\n")
    return made


def thin(history: Path) -> None:
    """Bound the size: nights before the last `KEPT` are removed, those before the last `WHOLE` keep what is small.

    That is their records and verdicts, and of the accepted ones, none of which is removed, the predictions, too.
    Raises StoreError for an unreadable list of those.
    """
    bases = {acceptance.run for acceptance in accepted(history)}
    runs = nights(history)
    for run in runs[:-KEPT]:
        if run.name not in bases:
            shutil.rmtree(run)
    for run in runs[:-WHOLE]:
        for name in BULK if run.name in bases else (*BULK, PREDICTIONS):
            shutil.rmtree(run / name, ignore_errors=True)
