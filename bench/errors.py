"""What can go wrong, as one tree. Every message says what was wrong, where, and what to do next.

BenchError
|-- RequestError            the request cannot be run as asked             exit code 2
|   |-- UnknownNameError    no task, model, method or suite of that name
|   |-- SuiteError          a suite file with a mistake
|   `-- DataError           rows that do not fit the task's schema
|-- NothingSelectedError    the request selects no cell                    exit code 3
|-- UnavailableError        a data set or a checkpoint that cannot be had  exit code 2
|-- StoreError              a record or study that cannot be read or written
`-- CellError               one cell could not be finished; becomes its record's outcome
    |-- UnsupportedError    this method cannot serve this model and head
    `-- DivergedError       the loss is no longer a finite number
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BenchError(Exception):
    """Base of all errors that a user can act on; shown without a traceback."""


class RequestError(BenchError):
    """The request cannot be run as asked."""


class UnknownNameError(RequestError):
    """No task, model, method or suite has this name; the message offers the nearest one."""

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        advice = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(names)}."
        super().__init__(f"unknown {kind} {name!r}. {advice}{' ' + hint if hint else ''}")


class SuiteError(RequestError):
    """A suite file with a mistake."""


class DataError(RequestError):
    """Rows that do not fit the task's schema."""


class NothingSelectedError(BenchError):
    """The request selects no cell."""


class UnavailableError(BenchError):
    """A data set or a checkpoint that cannot be had."""


class StoreError(BenchError):
    """A record or study that cannot be read or written."""


class CellError(BenchError):
    """One cell could not be finished."""


class UnsupportedError(CellError):
    """This method cannot serve this model and head."""


class DivergedError(CellError):
    """The loss is no longer a finite number."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory did not suffice.

    Judged by name and words, since this room has no torch; torch's CPU allocator raises a plain RuntimeError.
    """
    words = ("can't allocate memory", "out of memory", "bad_alloc")
    told = isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or told
