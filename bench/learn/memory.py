"""Doing in smaller parts what memory does not suffice for at once. Knows batches and lengths, not what is done to them.

The result is that of the whole: rows are padded, weighted and summed as if they had been together.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable, Iterator, Sequence

import torch

from bench.errors import is_out_of_memory
from bench.learn.batch import Batch, prediction_order


def parts(batch: Batch, rows: int) -> Iterator[Batch]:
    """The batch in parts of at most so many rows, which keep its padding."""
    for start in range(0, size(batch), rows):
        yield {name: values[start : start + rows] for name, values in batch.items()}


def size(batch: Batch) -> int:
    """Rows of a batch."""
    return len(next(iter(batch.values())))


def fits(work: Callable[[], None], *, last: bool) -> bool:
    """Do the work, and say whether memory sufficed; where it did not, all that is free is given back.

    Raises what the work raises for any other reason, or if this was the `last` way to do it.
    """
    try:
        work()
        return True
    except (RuntimeError, MemoryError) as error:
        if last or not is_out_of_memory(error):
            raise
    release()
    return False


def release() -> None:
    """Give back the memory of what nobody refers to any more."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None  # glibc only
    if trim is not None:
        trim(0)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


class Room:
    """How many tokens are read at once: fewer from the moment when memory does not suffice."""

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens
        self.least: int | None = None
        """The number that had to do, None where the first one did."""

    def each(self, lengths: Sequence[int], work: Callable[[list[int]], None]) -> None:
        """Let `work` have every example once, in batches of their numbers; a batch that does not fit comes again."""
        waiting = prediction_order(lengths, self.tokens)
        while waiting:
            members = waiting[0]
            if fits(lambda members=members: work(members), last=len(members) == 1):  # type: ignore[misc]
                del waiting[0]
            else:
                self.least = self.tokens = self.tokens // 2
                left = [i for batch in waiting for i in batch]
                order = prediction_order([lengths[i] for i in left], self.tokens)
                waiting = [[left[place] for place in batch] for batch in order]
