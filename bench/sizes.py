"""Training-set size as an axis of a run: how sizes are written in names, and which sizes make no axis.

Knows numbers and words only; not where rows come from nor what is learnt from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.errors import RequestError

Sizes = int | tuple[int, ...]
"""One training-set size in rows, or the several of an axis."""


def named(method: str, size: int | None) -> str:
    """What a method is called in a cell: `lora@100` where the size is one of several, `lora` where there is one."""
    return method if size is None else f"{method}@{size}"


def checked(sizes: Sequence[int]) -> Sizes:
    """The sizes in ascending order, or the only one. Raises ValueError where there are none, or one is there twice."""
    if not sizes:
        raise ValueError("budget: train_size needs at least one size, got none")
    double = next((size for size in sizes if sizes.count(size) > 1), None)
    if double is not None:
        raise ValueError(f"budget: the sizes in train_size must differ from each other, got {double} more than once")
    return tuple(sorted(sizes)) if len(sizes) > 1 else sizes[0]


def apart(values: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[int, ...]]:
    """Entries of a budget without a `train_size` of several sizes, and these sizes; none where it is a single one."""
    sizes = values.get("train_size")
    if not isinstance(sizes, tuple):
        return dict(values), ()
    return {name: value for name, value in values.items() if name != "train_size"}, sizes


def refuse_same_rows(task: str, sizes: Sequence[int], rows: int) -> None:
    """Raise RequestError where two sizes would cut the same training set: neither is smaller than its `rows`."""
    whole = [size for size in sizes if size >= rows]
    if len(whole) > 1:
        listed = " and ".join(map(str, whole))
        raise RequestError(
            f"task {task!r} has {rows} training rows, so the sizes {listed} would be the same rows under "
            f"{len(whole)} names. Leave out all but one of them."
        )
