"""The rows of a token table that a training can change: those of the tokens in its training rows.

No other row ever has a gradient; AdamW only decays it. Of a table of 30,000 rows 2,000 may occur, and to fill, measure
and apply a gradient for all of them is then much of what a step of a small network costs. So the optimizer is given the
rows that occur, and the table is brought up to date before anybody else reads it. The numbers are those of the plain
way, but for the order of sums. Knows networks; knows no optimizer and no data.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.learn.network import Network

WORTH = 0.5
"""Share of a table's rows up to which it pays to train those that occur alone."""


class SeenRows:
    """The rows `tokens` of the table that is the network's parameter `name`, and is used by the modules `tables`."""

    def __init__(self, name: str, tables: list[nn.Embedding], tokens: Tensor) -> None:
        self.name, self.tables, self.tokens = name, tables, tokens
        self.weight = tables[0].weight
        self.rows = nn.Parameter(self.weight.detach()[tokens])
        self.place = torch.full((len(self.weight),), len(tokens))  # others are out of range, and so an error
        self.place[tokens] = torch.arange(len(tokens))
        self.kept = 1.0
        """What decay has left of the rows that do not occur since the table was brought up to date."""

    @contextlib.contextmanager
    def in_training(self) -> Iterator[None]:
        """Within, the tables read these rows in training mode, and themselves in evaluation mode."""
        for table in self.tables:
            table.forward = self._reading(table)  # type: ignore[method-assign, assignment]
        try:
            yield
        finally:
            for table in self.tables:
                del table.forward

    def stepped(self, group: Mapping[str, Any]) -> None:
        """The optimizer has made a step with this group's rate and decay."""
        if self.rows.grad is not None:
            self.kept *= 1 - group["lr"] * group["weight_decay"]
        if self.weight.grad is not None:
            raise RuntimeError(f"{self.name} has a gradient from elsewhere than a table of tokens.")

    @torch.no_grad()
    def settle(self) -> None:
        """Bring the table up to date."""
        self.weight.mul_(self.kept)
        self.weight[self.tokens] = self.rows
        self.kept = 1.0

    @torch.no_grad()
    def take(self) -> None:
        """Start again from the table."""
        self.rows.copy_(self.weight[self.tokens])

    def _reading(self, table: nn.Embedding) -> Callable[[Tensor], Tensor]:
        padding = table.padding_idx
        own = None if padding is None or padding not in self.tokens else int(self.place[padding])

        def forward(ids: Tensor) -> Tensor:
            if table.training:
                return functional.embedding(self.place[ids], self.rows, own)
            return functional.embedding(ids, self.weight, padding)

        return forward


def seen_rows(network: Network, occurring: Callable[[], Collection[int]]) -> SeenRows | None:
    """The rows that can change when no other tokens are read in training than those `occurring`.

    None where that does not pay: on a GPU, where most of the rows occur, or where the table does not train; and where
    the table is more than a table: plainly read by modules that are nothing but tables, and not the projection, too.
    """
    if network.gpus or network.head is None:
        return None
    weight = network.backbone.get_input_embeddings().weight  # type: ignore[operator]
    readers = [m for m in network.modules() if any(p is weight for p in m.parameters(recurse=False))]
    tables = [m for m in readers if type(m) is nn.Embedding and m.max_norm is None]
    if not weight.requires_grad or len(tables) < len(readers):
        return None
    tokens = occurring()
    if len(tokens) > WORTH * len(weight):
        return None
    name = next(name for name, parameter in network.named_parameters() if parameter is weight)
    return SeenRows(name, tables, torch.tensor(sorted(tokens)))
