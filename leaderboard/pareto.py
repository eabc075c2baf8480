"""Which points cost least for what they give: the Pareto front. Knows numbers only."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

Point = tuple[float, float]
"""A cost, of which less is better, and a gain, of which more is better."""


def pareto(points: Sequence[Point]) -> tuple[int, ...]:
    """The places of the points on the front, the cheapest first; equal points are there together, or not at all.

    A point is on the front unless another one is at least as good in both and better in one of cost and gain.
    Raises ValueError for a number that is not finite or is not known (NaN).
    """
    if any(not abs(number) < float("inf") for point in points for number in point):
        raise ValueError("a cost or a gain is not a finite number. Leave such points out, and say so.")
    order = sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1], i))
    found: list[int] = []
    best = -float("inf")
    for _, group in groupby(order, key=lambda i: points[i][0]):
        equals = list(group)
        top = points[equals[0]][1]
        if top > best:
            found += [i for i in equals if points[i][1] == top]
            best = top
    return tuple(found)
