"""The optimizers of a pretraining: which update rule and which learning rate each parameter has.

Knows recipes and parameters; nothing of texts or steps. Every group has a `scale` by which the recipe's rate is
multiplied.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from bench.learn.recipes import Recipe


def make_optimizers(network: Any, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """AdamW for all parameters, or Muon for the matrices inside the layers and AdamW for the rest.

    Biases and norms are not decayed. `network` has its first weights, also when a training is resumed.
    """
    parameters = list(network.parameters())
    if not recipe.matrix_rate:
        return [_adamw(parameters, recipe)]
    matrices = _layer_matrices(network)
    inside = {id(p) for p in matrices}
    return [_muon(matrices, recipe), _adamw([p for p in parameters if id(p) not in inside], recipe)]


def _layer_matrices(network: nn.Module) -> list[Tensor]:
    """The matrices that map hidden states to hidden states: no embedding, no projection onto the vocabulary."""
    tables = {id(m.weight) for m in network.modules() if isinstance(m, nn.Embedding)}
    projection = network.get_output_embeddings()  # type: ignore[operator]
    tables |= {id(projection.weight)}
    return [p for p in network.parameters() if p.ndim == 2 and id(p) not in tables]


def _muon(matrices: list[Tensor], recipe: Recipe) -> torch.optim.Optimizer:
    """Orthogonalised momentum (Jordan et al. 2024, Muon), scaled so that a rate means what it does to AdamW (Liu et al.
    2025, Muon is Scalable for LLM Training)."""
    groups = [{"params": matrices, "scale": recipe.matrix_rate / recipe.peak_rate}]
    decay = recipe.matrix_decay
    return torch.optim.Muon(groups, lr=recipe.matrix_rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw")


def _adamw(parameters: list[Tensor], recipe: Recipe) -> torch.optim.Optimizer:
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for parameter in parameters:
        decay = recipe.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((decay, _scale(parameter) if recipe.relative_rates else 1.0), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": members, "weight_decay": decay, "scale": scale} for (decay, scale), members in groups.items()],
        lr=recipe.peak_rate,
        betas=recipe.betas,
        fused=True,
    )


def _scale(parameter: Tensor) -> float:
    """Root mean square to one digit, so that groups are few (relative steps: Adafactor, Shazeer and Stern 2018)."""
    size = float(parameter.detach().float().square().mean().sqrt())
    return max(1e-3, float(f"{size:.1g}"))
