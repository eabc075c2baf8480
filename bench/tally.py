"""How a run stands: what happens to its cells, counted, told to whoever shows it, and written into the run's log.

Knows cells, records and estimates; not what makes a cell. Holds little of each cell, since a run may have very many.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bench import provenance
from bench.plan import Cell
from bench.record import Names, Outcome, Record, to_json
from bench.screen import plural
from bench.store import Store
from bench.work import Made

GOOD = frozenset({Outcome.OK, Outcome.UNSUPPORTED})
"""Outcomes that are no failure: a pair that cannot work is known and shown as such."""


class Kind(StrEnum):
    """What an event tells."""

    PLANNED = "planned"
    STARTED = "started"
    RETRIED = "retried"
    HELD = "held"
    FINISHED = "finished"
    LATE = "late"


@dataclass(frozen=True)
class Event:
    """What happened, and how the run stands. `key` is the cell's name, `record` its result once it is finished.

    `total` cells are to be run and `fresh` need not be; `done` of them are finished, `failed` with another outcome
    than OK or UNSUPPORTED. `seconds` have passed, about `left` remain (None where nothing is known yet). `elsewhere`
    cells are being made by other runs. `record` is without trials and curves. `note` is a sentence for the user.
    """

    kind: Kind
    key: str | None
    running: tuple[str, ...]
    done: int
    failed: int
    total: int
    fresh: int
    seconds: float
    left: float | None
    record: Record | None = None
    elsewhere: int = 0
    note: str | None = None


Listener = Callable[[Event], None]

LATE, SOON = 10.0, 600.0
"""A cell that takes so many times as long as expected, and at least so many seconds, may hang: the user is told."""

LOOK = 5.0
"""Seconds between two looks for such cells."""


@dataclass
class Tally:
    """See `bench.drive.Watcher`. `guesses` are the estimated seconds of the cells that are to be made.

    `limited` says that a cell which takes too long is ended. `since` is when the running ones began.
    """

    store: Store
    listener: Listener
    guesses: Mapping[Names, float]
    fresh: int
    workers: int = 1
    limited: bool = False
    began: float = field(default_factory=time.monotonic)
    running: dict[Names, str] = field(default_factory=dict)
    since: dict[Names, float] = field(default_factory=dict)
    looked: float = 0.0
    elsewhere: set[Names] = field(default_factory=set)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    failed: list[Record] = field(default_factory=list)
    found: int = 0
    told: bool = False
    real: float = 0.0
    guessed: float = 0.0
    ahead: float = field(init=False)

    def __post_init__(self) -> None:
        self.ahead = sum(self.guesses.values())

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.monotonic() - self.began

    @property
    def done(self) -> int:
        """Cells that are finished."""
        return self.outcomes.total()

    def planned(self) -> None:
        """The run begins."""
        self._tell(Kind.PLANNED)

    def begun(self, cell: Cell) -> None:
        """See Watcher."""
        self.elsewhere.discard(cell.names)
        self.running[cell.names] = cell.key
        self.since[cell.names] = time.monotonic()
        self._tell(Kind.STARTED, cell.key)

    def tried(self, cell: Cell, reason: str) -> None:
        """See Watcher."""
        self._stopped(cell)
        self._tell(Kind.RETRIED, cell.key, note=f"{cell.key}: {reason}; it is tried again")

    def held(self, cell: Cell) -> None:
        """See Watcher."""
        self._stopped(cell)
        self.elsewhere.add(cell.names)
        self._tell(Kind.HELD, cell.key)

    def finished(self, cell: Cell, made: Made) -> None:
        """See Watcher."""
        record = made.record
        self._stopped(cell)
        self.elsewhere.discard(cell.names)
        self.outcomes[record.outcome] += 1
        self.found += not made.here
        if record.outcome not in GOOD:
            self.failed.append(record)
        self.ahead -= self.guesses[cell.names]
        if record.cost is not None and made.here:
            self.real += record.cost.seconds
            self.guessed += self.guesses[cell.names]
        self._tell(Kind.FINISHED, cell.key, record)

    def passed(self) -> None:
        """See Watcher. Says of each cell once that it is late, and what can be done where it hangs."""
        now = time.monotonic()
        if self.limited or now - self.looked < LOOK:
            return
        self.looked = now
        for names, key in list(self.running.items()):
            gone, expected = now - self.since.get(names, now), self.guesses[names] * self._slowness()
            if gone > max(SOON, LATE * expected):
                del self.since[names]
                told = f"{key}: under way for {gone / 60:.0f} minutes, more than {LATE:.0f} times as long as expected"
                advice = "If it hangs, stop the run and give the same command a --timeout: it goes on from where it was"
                self._tell(Kind.LATE, key, note=f"{told}. {advice}")

    def _stopped(self, cell: Cell) -> None:
        self.running.pop(cell.names, None)
        self.since.pop(cell.names, None)

    def _slowness(self) -> float:
        """How many times as long as estimated the finished cells took."""
        return self.real / self.guessed if self.guessed else 1.0

    def left(self) -> float | None:
        """Seconds to go: the estimates of what is not done, corrected by how those of finished cells were off."""
        if not self.guessed:
            return None
        done = self.done == len(self.guesses)  # where what is left of the sum is but rounding
        return 0.0 if done else max(0.0, self.ahead) * self._slowness() / self.workers

    def _tell(
        self, kind: Kind, key: str | None = None, record: Record | None = None, note: str | None = None
    ) -> None:
        note = note or self._waits()
        event = Event(
            kind=kind, key=key, running=tuple(self.running.values()), done=self.done,
            failed=len(self.failed), total=len(self.guesses), fresh=self.fresh, seconds=self.seconds,
            left=self.left(), record=record, elsewhere=len(self.elsewhere), note=note,
        )
        self.store.append_event(_log_line(event))
        self.listener(event)

    def _waits(self) -> str | None:
        """What the user is told, once, when all that is left is being made by others."""
        count = len(self.elsewhere)
        if self.told or not count or self.done + count < len(self.guesses):
            return None
        self.told = True
        return f"{plural(count, 'cell')} left, being made by another run: waiting for it"


def _log_line(event: Event) -> dict[str, Any]:
    line = {"time": provenance.now(), "kind": event.kind, "cell": event.key, "done": event.done, "total": event.total}
    if event.note is not None:
        line["note"] = event.note
    if event.record is not None:
        kept = ("outcome", "reason", "metric", "score", "fingerprint")
        line |= {name: getattr(event.record, name) for name in kept}
    return dict(to_json(line))
