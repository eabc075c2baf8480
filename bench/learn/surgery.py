"""Changes to the modules of a backbone that leave what it computes as it was. Knows no method."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn


@torch.no_grad()
def linearize(backbone: nn.Module) -> None:
    """Replace GPT-2's Conv1D, which stores a linear layer's weight transposed, by an equal `nn.Linear`, in place."""
    for name, module in list(backbone.named_modules()):
        if is_conv1d(module):
            backbone.set_submodule(name, _as_linear(cast(Any, module)))


def is_conv1d(module: nn.Module) -> bool:
    """Whether a layer stores its weight as (inputs, outputs)."""
    return type(module).__name__ == "Conv1D"


def _as_linear(module: Any) -> nn.Linear:
    width, outputs = module.weight.shape
    linear = nn.Linear(width, outputs, device="meta")
    linear.weight = nn.Parameter(module.weight.t().contiguous())
    linear.bias = nn.Parameter(module.bias.clone())
    return linear


class BlockDiagonal:
    """Square blocks (n, blocks, size, size) laid along the diagonals of n matrices, and the gradient of that.

    Has the two functions, and their lists of results, of the CUDA extension that peft compiles for BOFT.
    """

    @staticmethod
    def forward(blocks: Tensor) -> list[Tensor]:
        """(n, blocks, size, size) to (n, blocks * size, blocks * size), zero off the blocks."""
        n, count, size, _ = blocks.shape
        matrices = blocks.new_zeros(n, count, size, count, size)
        each = torch.arange(count, device=blocks.device)
        matrices[:, each, :, each] = blocks.transpose(0, 1)
        return [matrices.reshape(n, count * size, count * size)]

    @staticmethod
    def backward(gradient: Tensor, blocks: Tensor) -> list[Tensor]:
        """The gradient of a function of the matrices, at their blocks: (n, blocks, size, size)."""
        n, count, size, _ = blocks.shape
        tiles = gradient.reshape(n, count, size, count, size)
        each = torch.arange(count, device=gradient.device)
        return [tiles[:, each, :, each].transpose(0, 1).contiguous()]
