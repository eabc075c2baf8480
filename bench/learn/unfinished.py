"""The state of a training that is not over, on disk: written now and then, so that a killed training goes on from it.

Knows files and what must come back for a training to go on as if nothing had happened; neither steps nor methods. A
file is read without running anything that it may hold, and one that is damaged, or of another training, counts as none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pickle
import random
import time
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import torch
from torch import Tensor

from bench.atomic import make_folder
from bench.learn.network import Network, restore
from bench.spec import Routine

EVERY = 60.0
"""Seconds between two states of a training; one that is shorter writes none."""

LAYOUT = 2
"""Version of what a state holds; one of another version counts as none."""

MAGIC = b"training"
SUM_BYTES = 4


@dataclass
class Unfinished:
    """The file of one training in the directory `place`; `identity` is all that makes it this training, as JSON."""

    place: Path
    identity: Mapping[str, Any]
    since: float = field(default_factory=time.monotonic)

    @property
    def path(self) -> Path:
        """The file, named after the training."""
        return self.place / f"training-{hashlib.sha256(self._identity.encode()).hexdigest()[:16]}.state"

    @property
    def _identity(self) -> str:
        return json.dumps({"layout": LAYOUT, "torch": torch.__version__, **self.identity}, sort_keys=True)

    @property
    def due(self) -> bool:
        """Whether so much would be lost by now that the state is worth writing."""
        return time.monotonic() - self.since >= EVERY

    def save(self, state: Mapping[str, Any]) -> None:
        """Put `state` (tensors and plain values) in place of any earlier one.

        A disk that is full, or cannot be written, does not stop a training: it keeps the state that it has.
        """
        part = self.path.with_suffix(".part")
        with contextlib.suppress(OSError):
            self._write(part, state)
            part.replace(self.path)
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        self.since = time.monotonic()

    def _write(self, part: Path, state: Mapping[str, Any]) -> None:
        make_folder(self.place)
        with part.open("wb") as file:
            writer = _Summed(file)
            try:
                torch.save({"identity": self._identity, **state}, cast(IO[bytes], writer))
            except RuntimeError:  # what torch makes of a write that fails half-way
                if writer.error is None:
                    raise
                raise writer.error from None
            writer.finish()

    def load(self) -> dict[str, Any] | None:
        """What was saved last, on the processor; None where there is nothing whole of this training."""
        try:
            with self.path.open("rb") as file:
                if not _is_whole(file):
                    return None
                state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
            return None
        return state if state.pop("identity", None) == self._identity else None

    def forget(self) -> None:
        """Remove the file: the training's result is kept elsewhere."""
        for path in (self.path, self.path.with_suffix(".part")):
            path.unlink(missing_ok=True)


class _Summed:
    """Writes a file that begins with the sum of what follows, since torch does not look whether bytes have changed."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.sum = file, 0
        self.error: OSError | None = None
        file.write(MAGIC + bytes(SUM_BYTES))

    def write(self, data: bytes) -> int:
        """Write and add up."""
        self.sum = zlib.crc32(data, self.sum)
        try:
            return self.file.write(data)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        """Part of what torch asks of a file."""
        self.file.flush()

    def finish(self) -> None:
        """Put the sum where it belongs, and all on the disk."""
        self.file.seek(len(MAGIC))
        self.file.write(self.sum.to_bytes(SUM_BYTES, "big"))
        self.file.flush()
        os.fsync(self.file.fileno())


def _is_whole(file: IO[bytes]) -> bool:
    """Whether what follows the sum adds up to it; leaves the file at the beginning of that."""
    head = file.read(len(MAGIC) + SUM_BYTES)
    if len(head) < len(MAGIC) + SUM_BYTES or not head.startswith(MAGIC):
        return False
    found = 0
    while block := file.read(2**20):
        found = zlib.crc32(block, found)
    file.seek(len(head))
    return found == int.from_bytes(head[len(MAGIC) :], "big")


# -- What a training is made of --


def taken(
    network: Network, names: Collection[str], optimizer: torch.optim.Optimizer, routine: Routine, gpus: Sequence[int]
) -> dict[str, Any]:
    """The tensors in `names` and all buffers, the optimizer, the method's routine and every random generator."""
    return {
        "parameters": {name: p.detach() for name, p in network.named_parameters() if name in names},
        "buffers": dict(network.named_buffers()),
        "optimizer": optimizer.state_dict(),
        "routine": routine.state() if routine.state else {},
        "random": random_state(gpus),
    }


@torch.no_grad()
def put_back(
    state: Mapping[str, Any], network: Network, optimizer: torch.optim.Optimizer, routine: Routine, gpus: Sequence[int]
) -> None:
    """Let a training that was begun anew be where `taken` found the old one."""
    restore(network, state["parameters"])
    for name, buffer in network.named_buffers():
        buffer.copy_(state["buffers"][name])
    optimizer.load_state_dict(state["optimizer"])
    if routine.load:
        routine.load(state["routine"])
    set_random_state(state["random"], gpus)


def random_state(gpus: Sequence[int]) -> dict[str, Any]:
    """Where the generators of Python, numpy and torch stand."""
    kind, keys, *rest = np.random.get_state()
    numbers = torch.from_numpy(np.asarray(keys).astype(np.int64))
    return {"python": random.getstate(), "numpy": [str(kind), numbers, *rest], "torch": torch_random_state(gpus)}


def set_random_state(state: Mapping[str, Any], gpus: Sequence[int]) -> None:
    """Put the generators back to where `random_state` found them."""
    kind, keys, *rest = state["numpy"]
    random.setstate(state["python"])
    np.random.set_state((kind, keys.numpy().astype(np.uint32), *rest))
    set_torch_random_state(state["torch"], gpus)


def torch_random_state(gpus: Sequence[int]) -> list[Tensor]:
    """Where torch's generators stand: of the processor, then of each GPU."""
    return [torch.get_rng_state(), *(torch.cuda.get_rng_state(gpu) for gpu in gpus)]


def set_torch_random_state(states: Sequence[Tensor], gpus: Sequence[int]) -> None:
    """Put torch's generators back. On other GPUs than those of the state, theirs are left as they are."""
    torch.set_rng_state(states[0])
    for gpu, state in zip(gpus, states[1:], strict=False):
        torch.cuda.set_rng_state(state, gpu)
