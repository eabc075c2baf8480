"""The matrix products in some work: their operations, and the time that they alone take."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from benchmarks.speed.turns import settle

WARM, REPEATS = 2, 7

Result = TypeVar("Result")


@dataclass(frozen=True)
class Products:
    """Operations, two for each multiplication with its addition as torch's `FlopCounterMode` counts, and seconds.

    The seconds are those of the same products made again, one after another, each in its own shape, strides and
    precision, with operands at hand: nothing before them, between them or beside them.
    """

    flop: int
    seconds: float


@dataclass(frozen=True)
class Operand:
    """What of a tensor decides how long a product with it takes."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    kind: torch.dtype
    device: torch.device

    @classmethod
    def of(cls, tensor: Tensor) -> Operand:
        return cls(tuple(tensor.shape), tensor.stride(), tensor.dtype, tensor.device)

    def drawn(self) -> Tensor:
        """Some tensor like it, whose elements may share places as an expanded one's do."""
        room = 1 + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))
        return torch.randn(max(room, 1), device=self.device).to(self.kind).as_strided(self.shape, self.strides)


def counted(work: Callable[[], Result]) -> tuple[Result, Products]:
    """What the work gives, and its products: backward passes, attention, padding and all that is written included."""
    asked = _Asked()
    with asked, FlopCounterMode(display=False) as counter:
        result = work()
    return result, Products(counter.get_total_flops(), sum(_seconds(*call) * n for call, n in asked.calls.items()))


class _Asked(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts how often each product is asked for."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: Counter[tuple[Any, tuple[Any, ...]]] = Counter()

    def __torch_dispatch__(
        self, function: Any, types: Any, arguments: tuple[Any, ...] = (), options: dict[str, Any] | None = None
    ) -> Any:
        if function._overloadpacket in flop_registry:
            self.calls[function, tuple(Operand.of(a) if isinstance(a, Tensor) else a for a in arguments)] += 1
        return function(*arguments, **(options or {}))


@torch.inference_mode()
def _seconds(function: Any, arguments: tuple[Any, ...]) -> float:
    """The median time of one call, when its kernel is prepared."""
    given = [argument.drawn() if isinstance(argument, Operand) else argument for argument in arguments]
    device = next(argument.device for argument in arguments if isinstance(argument, Operand))
    taken = []
    for _ in range(WARM + REPEATS):
        settle(device)
        started = time.perf_counter()
        function(*given)
        settle(device)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken[WARM:])
