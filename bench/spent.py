"""Where the seconds of a cell go, by the part of the work: measured where somebody asks for it, else at no cost.

The code that does a part says so (`with part("forward"):`); time spent in a part inside another counts for the inner
one only, so that the parts add up. Knows clocks and names, nothing of what is done.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from bench.record import Spent

PARTS = (
    "forward", "backward", "optimizer", "generation", "data", "set-up", "steps", "evaluation", "search", "writing",
    "rest",
)
"""Running a network forward, the gradient, the update; writing texts token by token; making batches; opening data and
model, encoding; the loop around the steps; scoring and decoding; Optuna and its journal; writing to
disk; all else."""

WORK = frozenset({"forward", "backward", "optimizer", "generation"})
"""The parts that a perfect harness would have."""


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


@dataclass
class Clock:
    """Adds up wall and processor time by part. `settle` waits for a device to finish what it was given.

    `trace` is where a trace of some steps is to be written, None once that is under way. `stepped` is called after each
    optimizer step. `now` gives seconds of wall time and of this process's processor time.
    """

    trace: Path | None = None
    settle: Callable[[], None] | None = None
    stepped: Callable[[], None] | None = None
    now: Callable[[], tuple[float, float]] = _now
    totals: dict[str, Spent] = field(default_factory=dict)
    _inside: list[str] = field(default_factory=lambda: ["rest"])

    def __post_init__(self) -> None:
        self._since = self.now()

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count what happens within as `name`."""
        self._charge()
        self._inside.append(name)
        try:
            yield
        finally:
            self._charge()
            self._inside.pop()

    def stop(self) -> dict[str, Spent]:
        """All that was counted until now, in the order of PARTS."""
        self._charge()
        return {name: self.totals[name] for name in sorted(self.totals, key=PARTS.index)}

    def _charge(self) -> None:
        if self.settle:
            self.settle()
        before, self._since = self._since, self.now()
        name = self._inside[-1]
        total = self.totals.get(name, Spent(0.0, 0.0))
        self.totals[name] = Spent(
            total.seconds + self._since[0] - before[0], total.processor + self._since[1] - before[1]
        )


_clock: ContextVar[Clock | None] = ContextVar("clock", default=None)
_NOTHING: contextlib.AbstractContextManager[None] = contextlib.nullcontext()


@contextlib.contextmanager
def measured(clock: Clock | None) -> Iterator[None]:
    """Within, parts are counted by this clock; None counts nothing."""
    token = _clock.set(clock)
    try:
        yield
    finally:
        _clock.reset(token)


def part(name: str) -> contextlib.AbstractContextManager[None]:
    """What happens within is this part of the work (one of PARTS)."""
    clock = _clock.get()
    return _NOTHING if clock is None else clock.part(name)


def clock() -> Clock | None:
    """The clock that counts now, if any."""
    return _clock.get()


def stepped() -> None:
    """An optimizer step is over."""
    running = _clock.get()
    if running is not None and running.stepped is not None:
        running.stepped()
