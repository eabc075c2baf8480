"""A trace of some steps of one training by torch's profiler, for chrome://tracing or ui.perfetto.dev."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch.profiler import ProfilerActivity, profile, schedule

from bench import spent

SKIPPED, TRACED = 3, 5
"""Optimizer steps before the trace, and in it: a whole training would fill the disk."""


@contextlib.contextmanager
def traced() -> Iterator[None]:
    """Trace the first training that comes by here, if the clock that counts wants a trace; else do nothing."""
    clock = spent.clock()
    if clock is None or clock.trace is None:
        yield
        return
    place, clock.trace = clock.trace, None
    place.parent.mkdir(parents=True, exist_ok=True)
    gpu = [ProfilerActivity.CUDA] if torch.cuda.is_available() else []
    steps = schedule(wait=SKIPPED - 1, warmup=1, active=TRACED, repeat=1)
    with profile(
        activities=[ProfilerActivity.CPU, *gpu], schedule=steps, record_shapes=True,
        on_trace_ready=lambda found: found.export_chrome_trace(str(place)),
    ) as profiler:
        clock.stepped = profiler.step
        try:
            yield
        finally:
            clock.stepped = None
