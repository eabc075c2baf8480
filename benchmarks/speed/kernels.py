"""The kernels of torch in some work: the operations in its matrix products, and the time that kernels alone take."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from benchmarks.speed.turns import settle

WARM, REPEATS = 2, 5

Result = TypeVar("Result")
Call = tuple[Any, tuple[Any, ...], pytree.TreeSpec]
"""An operation of torch, its arguments as a flat list with an `Operand` for every tensor, and how they were nested."""


@dataclass(frozen=True)
class Kernels:
    """`flop` are the operations in matrix products, two for each multiplication with its addition, as torch's
    `FlopCounterMode` counts; `products` and `all` are seconds of these products and of every kernel, None where
    that was not asked for.

    The seconds are those of the same calls made again, one after another, each with its own shapes, strides and
    precision and its operands at hand: without the modules and the graph of gradients around them. A call from here
    takes a microsecond or two in itself.
    """

    flop: int
    products: float | None
    all: float | None


@dataclass(frozen=True)
class Operand:
    """What of a tensor decides how long a kernel takes with it."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    kind: torch.dtype
    device: torch.device

    @classmethod
    def of(cls, tensor: Tensor) -> Operand:
        return cls(tuple(tensor.shape), tensor.stride(), tensor.dtype, tensor.device)

    def drawn(self) -> Tensor:
        """Some tensor like it, whose elements may share places as an expanded one's do; whole numbers are all 0, which
        is a place in every table."""
        room = 1 + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))
        make = torch.rand if self.kind.is_floating_point else torch.zeros
        return make(max(room, 1), device=self.device).to(self.kind).as_strided(self.shape, self.strides)


def counted(work: Callable[[], Result], *, timed: bool = True) -> tuple[Result, Kernels]:
    """What the work gives, and its kernels: backward passes, attention, padding and all that is written included."""
    if not timed:
        with FlopCounterMode(display=False) as counter:
            result = work()
        return result, Kernels(counter.get_total_flops(), None, None)
    asked = _Asked()
    with asked, FlopCounterMode(display=False) as counter:
        result = work()
    seconds = {call: _seconds(*call) * times for call, times in asked.calls.items()}
    products = sum(taken for (function, *_), taken in seconds.items() if function._overloadpacket in flop_registry)
    return result, Kernels(counter.get_total_flops(), products, sum(seconds.values()))


class _Asked(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts how often torch is asked for each operation."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: Counter[Call] = Counter()

    def __torch_dispatch__(
        self, function: Any, types: Any, arguments: tuple[Any, ...] = (), options: dict[str, Any] | None = None
    ) -> Any:
        if not function.is_view:  # which computes nothing
            flat, nesting = pytree.tree_flatten((arguments, options or {}))
            self.calls[function, tuple(Operand.of(a) if isinstance(a, Tensor) else a for a in flat), nesting] += 1
        return function(*arguments, **(options or {}))


@torch.inference_mode()
def _seconds(function: Any, flat: tuple[Any, ...], nesting: pytree.TreeSpec) -> float:
    """The median time of one call, when its kernel is prepared."""
    operands = [argument for argument in flat if isinstance(argument, Operand)]
    given = [argument.drawn() if isinstance(argument, Operand) else argument for argument in flat]
    arguments, options = pytree.tree_unflatten(given, nesting)
    device = operands[0].device if operands else torch.device("cpu")
    taken = []
    for _ in range(WARM + REPEATS):
        settle(device)
        started = time.perf_counter()
        function(*arguments, **options)
        settle(device)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken[WARM:])
