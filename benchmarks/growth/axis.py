"""One thing whose time is measured at several sizes. Knows how to time, not what."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.growth.slopes import Exponent, exponent

Prepare = Callable[[int, Path], Callable[[], object]]
"""From a size and an empty directory, what is to be timed; it is called several times."""

SLACK = 0.15
"""What an exponent may lie above that of the work and still be its own: sorting ten thousand adds 0.11, caches more."""

LEAST = 0.2
"""Seconds that are timed at least."""


@dataclass(frozen=True)
class Axis:
    """`what` takes how long for so many `against`? The work itself has an exponent from `least` to `work`."""

    what: str
    against: str
    sizes: tuple[int, ...]
    prepare: Prepare
    work: float = 1.0
    least: float = 1.0

    @property
    def name(self) -> str:
        """For people, and for `--only`."""
        return f"{self.what}, {self.against}"


@dataclass(frozen=True)
class Found:
    """Seconds of this process's processor time, by round and size."""

    axis: Axis
    rounds: tuple[tuple[float, ...], ...]

    @property
    def fastest(self) -> list[float]:
        """The least seconds of each size."""
        return [min(seconds) for seconds in zip(*self.rounds, strict=True)]

    @property
    def whole(self) -> Exponent:
        """The exponent over all sizes."""
        return exponent(self.axis.sizes, self.rounds)

    @property
    def end(self) -> Exponent:
        """The exponent between the two largest sizes, where a part that grows faster shows first."""
        return exponent(self.axis.sizes[-2:], [seconds[-2:] for seconds in self.rounds])

    @property
    def worse(self) -> bool:
        """Whether either lies above what the work has, with its whole range."""
        return max(self.whole.low, self.end.low) > self.axis.work + SLACK


def measure(axis: Axis, rounds: int, place: Path) -> Found:
    """Every size in turn, once for nothing and then in so many rounds."""
    works = []
    for size in axis.sizes:
        own = place / str(size)
        own.mkdir(parents=True)
        works.append(axis.prepare(size, own))
    for work in works[:2]:
        work()
    with _unwatched():
        return Found(axis, tuple(tuple(_seconds(work) for work in works) for _ in range(rounds)))


@contextmanager
def _unwatched() -> Iterator[None]:
    """Python's collector passes over what is there already: the works of all sizes, and large libraries."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _seconds(work: Callable[[], object]) -> float:
    """Of one call: the mean of as many as a clock needs to tell."""
    started, calls = time.process_time(), 0
    while calls == 0 or time.process_time() - started < LEAST:
        work()
        calls += 1
    return (time.process_time() - started) / calls
