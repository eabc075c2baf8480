"""Sees what would wait for a GPU, on any machine: what hands a value or a shape to Python, and what sends its numbers.

A processor does the same operations without a wait.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

from bench import spent

WAITS = frozenset({
    "_local_scalar_dense", "item", "is_nonzero", "equal", "nonzero", "masked_select", "_unique2", "unique_dim",
    "unique_consecutive", "bincount",
})
"""Operations of torch that hand a value to Python, or need one to know the size of what they give."""

ASKS = frozenset({"item", "tolist", "numpy", "cpu", "__bool__", "__float__", "__int__", "__index__", "__array__"})
"""What Python asks of a tensor, partly past the operations."""

MAKES = frozenset({"tensor", "as_tensor", "from_numpy", "rand", "randint", "randperm", "randn"})


class Watch:
    """Counts what would wait, by the step in which it happened.

    What is made without a word of a device, and all that is made of it alone, is on the processor wherever the training
    is: to ask it is no wait, but to send it is. What happens in the part `data` makes the batch.
    """

    def __init__(self) -> None:
        self.clock = spent.Clock(stepped=self.stepped)
        self.now: Counter[str] = Counter()
        self.steps: list[Counter[str]] = []
        self.here = WeakIdKeyDictionary()

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Within, what happens is counted."""
        with spent.measured(self.clock), _Operations(self), _Calls(self):
            yield

    def stepped(self) -> None:
        """A step is over."""
        self.steps.append(self.now)
        self.now = Counter()

    @property
    def later(self) -> Counter[str]:
        """What waited in any step but the first, which includes all that comes before it."""
        return sum(self.steps[1:], Counter())

    def saw(self, what: str) -> None:
        """Something that would wait."""
        if not self.makes_batch:
            self.now[what] += 1

    @property
    def makes_batch(self) -> bool:
        """Whether the next batch is being made, on the processor."""
        return self.clock._inside[-1] == "data"

    def stays(self, tensors: Sequence[Tensor]) -> bool:
        """Whether all of these are on the processor wherever the training is."""
        return bool(tensors) and all(tensor in self.here for tensor in tensors)


class _Operations(TorchDispatchMode):
    """The operations of torch, also those that its own code calls."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.watch = watch

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name.removeprefix("aten::")
        if not self.watch.stays(_tensors(args)):
            if name in WAITS or (name == "repeat_interleave" and "Tensor" in func._overloadname):
                self.watch.saw(name)
            if name in ("index", "index_put", "index_put_", "_index_put_impl_") and _picks_by_mask(name, args):
                self.watch.saw(f"{name} by a mask")
        return func(*args, **(kwargs or {}))


def _tensors(args: Any) -> list[Tensor]:
    return [found for found in tree_leaves(args) if isinstance(found, Tensor)]


def _picks_by_mask(name: str, args: Any) -> bool:
    """Whether a mask chooses elements, so that their number must be known; to fill them with one value is no choice."""
    masks = any(isinstance(i, Tensor) and i.dtype in (torch.bool, torch.uint8) for i in args[1])
    fills = name != "index" and args[2].numel() == 1 and not (len(args) > 3 and args[3])
    return masks and not fills


class _Calls(TorchFunctionMode):
    """What Python asks of tensors, and what it makes of its own numbers."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name, given = getattr(func, "__name__", ""), kwargs or {}
        tensors = _tensors((args, given))
        stays = self.watch.stays(tensors) or self.watch.makes_batch
        if name in ASKS and not stays:
            self.watch.saw(f".{name}")
        sends = name == "to" and any(isinstance(value, torch.device) for value in (*args, *given.values()))
        found = func(*args, **given)
        if not isinstance(found, Tensor):
            return found
        if sends and stays:
            found = found.clone()  # as on a GPU, where it is another one
        if sends and stays and not given.get("non_blocking"):
            self.watch.saw("to: sends a tensor to the device")
        elif name in ("tensor", "as_tensor") and given.get("device") and found.numel():
            self.watch.saw(f"{name}: sends Python's numbers to the device")
        elif not sends and (stays or (name in MAKES and not tensors and not given.get("device"))):
            self.watch.here[found] = True
        return found
