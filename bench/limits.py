"""A limit on the time that a piece of work may take, kept by the process that does it. Knows nothing of the work.

The alarm is the polite step of a ladder: it lets the work be written down as far as it came. Whoever waits for the
process ends it where it does not answer (`bench.executors`).
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN = 5.0
"""Seconds after which the alarm rings again, should the first have been lost in code that swallows all errors."""


class TimeUpError(BaseException):
    """The time is up. No Exception, so that no library takes it for a failure of its own."""


@contextmanager
def alarm(seconds: float | None) -> Iterator[None]:
    """Raise TimeUpError in the block after so many seconds; never if None. Only in a process's main thread."""
    if seconds is None:
        yield
        return
    before = signal.signal(signal.SIGALRM, _ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def _ring(number: int, frame: FrameType | None) -> None:
    raise TimeUpError
