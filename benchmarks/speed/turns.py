"""Several sides' trainings in turn within one process: the seconds of each, and the memory it needs at its peak."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

Train = Callable[[], object]


@dataclass(frozen=True)
class Turn:
    """Seconds of wall and of processor time, and bytes: what the side holds and what its training takes beside.

    None where there is no accelerator: the resident set of a process that both sides share says nothing of one.
    """

    wall: float
    processor: float
    memory: int | None


def alternate(sides: Mapping[str, Callable[[], Train]], rounds: int, device: torch.device) -> dict[str, list[Turn]]:
    """Open every side, then let them train in turn, `rounds` times and once before for nothing.

    What a side holds between its trainings counts for it alone.
    """
    trains: dict[str, Train] = {}
    held: dict[str, int] = {}
    for name, open_side in sides.items():
        before = _held(device)
        trains[name] = open_side()
        held[name] = _held(device) - before
    turns: dict[str, list[Turn]] = {name: [] for name in sides}
    for _ in range(rounds + 1):
        for name, train in trains.items():
            before = _held(device)
            _forget_peak(device)
            wall, processor = _timed(train, device)
            memory = _peak(device) - before + held[name]
            turns[name].append(Turn(wall, processor, memory if device.type == "cuda" else None))
            held[name] += _held(device) - before
    return {name: found[1:] for name, found in turns.items()}


def _timed(train: Train, device: torch.device) -> tuple[float, float]:
    """Seconds of wall and of processor time, until the device is done."""
    wall, processor = time.perf_counter(), time.process_time()
    train()
    settle(device)
    return time.perf_counter() - wall, time.process_time() - processor


def settle(device: torch.device) -> None:
    """Wait until an accelerator has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _held(device: torch.device) -> int:
    """Bytes of an accelerator that somebody still refers to."""
    gc.collect()
    return int(torch.cuda.memory_allocated(device)) if device.type == "cuda" else 0


def _peak(device: torch.device) -> int:
    return int(torch.cuda.max_memory_allocated(device)) if device.type == "cuda" else 0


def _forget_peak(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
