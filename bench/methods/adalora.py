"""Low-rank updates whose ranks are pruned during training where they matter least."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.errors import UnsupportedError
from bench.methods.parts.inject import inject, is_transposed, merge, query_value
from bench.spec import Limits, LogRange, Method, Routine

if TYPE_CHECKING:
    from torch import Tensor

    from bench.learn.network import Network


IMPORTANCE = ("ipt", "exp_avg_ipt", "exp_avg_unc")
"""Where peft's allocator has what it knows of each parameter: the last step's importance, and running means."""


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """Put updates P diag(E) Q of rank `init_r` on the query and value projections, E starting at 0."""
    if options["init_r"] <= options["target_r"]:
        raise UnsupportedError(
            f"adalora prunes ranks from init_r to target_r, so init_r={options['init_r']} must be larger than "
            f"target_r={options['target_r']}"
        )
    inject(network, _config(options, network, steps=1, tinit=0, tfinal=0))
    for name, parameter in network.backbone.named_parameters():
        if ".ranknum." in name:  # a constant that peft makes trainable when it moves it off the CPU
            parameter.requires_grad_(False)


def routine(network: Network, options: Mapping[str, Any], steps: int) -> Routine:
    """Pull P and Q towards orthogonality, and prune after the first `warmup` and before the last `final` of the steps.

    Between these, every `interval` steps, the entries of E whose importance is least are set to 0, so many that
    `target_r` a projection are left in the end (Zhang et al. 2023, algorithm 1). A training of fewer than three steps
    is too short for any of this and prunes nothing. What is counted and stored has the ranks before pruning.
    """
    first, last = int(options["warmup"] * steps), steps - int(options["final"] * steps)
    if last - first < 2:
        return Routine(penalty=lambda: _penalty(network, options["orthogonality"]))
    pruning = _Pruning(network, _config(options, network, steps, first, steps - last), last)
    return Routine(
        lambda: _penalty(network, options["orthogonality"]), pruning.after_step, state=pruning.state, load=pruning.load
    )


class _Pruning:
    """What is known, in one training, of how much each rank matters, and which are kept."""

    def __init__(self, network: Network, config: Any, last: int) -> None:
        from peft.tuners.adalora.layer import RankAllocator

        self.backbone, self.last = network.backbone, last
        self.allocator = RankAllocator(self.backbone, config, "default")
        self.entries = {name: p for name, p in self.backbone.named_parameters() if ".lora_E." in name}
        self.pruned: dict[str, Tensor] = {}
        """Which entries of each E are out."""

    def after_step(self, step: int) -> None:
        """Prune, or go on without what was pruned, as peft's `update_and_allocate` does.

        That hands the threshold and what is kept to Python and back at each step, and so waits for a GPU.
        """
        import torch

        if step < self.last:
            self.allocator.update_ipt(self.backbone)
        if step <= self.last:
            budget, due = self.allocator.budget_schedule(step)
            if not (due or step == self.last):
                return
            self.pruned = self._least(self.allocator.init_bgt - budget)
        with torch.no_grad():
            for name, mask in self.pruned.items():
                self.entries[name].masked_fill_(mask, 0.0)

    def _least(self, count: int) -> dict[str, Tensor]:
        """The `count` entries that matter least, over all E: an entry's own importance and the means of its row of Q
        and its column of P."""
        import torch

        scores = {}
        for name in self.entries:
            own, row, column = (self.allocator._element_score(name.replace("lora_E", f"lora_{part}")) for part in "EAB")
            scores[name] = own.view(-1) + (row.mean(1) + column.mean(0))
        threshold = torch.kthvalue(torch.cat(list(scores.values())), count).values
        return {name: (score <= threshold).view(-1, 1) for name, score in scores.items()}

    def state(self) -> Mapping[str, Any]:
        """What `load` takes back."""
        return {"pruned": dict(self.pruned), **{name: dict(getattr(self.allocator, name)) for name in IMPORTANCE}}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        device = next(self.backbone.parameters()).device
        self.pruned = {name: mask.to(device) for name, mask in state["pruned"].items()}
        for name in IMPORTANCE:
            setattr(self.allocator, name, {key: value.to(device) for key, value in state[name].items()})


def _config(options: Mapping[str, Any], network: Network, steps: int, tinit: int, tfinal: int) -> Any:
    from peft import AdaLoraConfig

    return AdaLoraConfig(
        init_r=options["init_r"],
        target_r=options["target_r"],
        lora_alpha=options["alpha"],
        lora_dropout=options["dropout"],
        deltaT=options["interval"],
        target_modules=query_value(network),
        fan_in_fan_out=is_transposed(network),
        total_step=steps,
        tinit=tinit,
        tfinal=tfinal,
    )


def _penalty(network: Network, weight: float) -> Any:
    """`weight` times the mean over all Q (r, in) and P (out, r) of the Frobenius norm of Q Q' - I and P' P - I."""
    import torch

    norms = []
    for name, p in network.backbone.named_parameters():
        if "lora_A" in name or "lora_B" in name:
            square = p @ p.T if "lora_A" in name else p.T @ p
            norms.append(torch.linalg.matrix_norm(square - torch.eye(len(square), device=p.device)))
    return weight * torch.stack(norms).mean()


METHOD = Method(
    name="adalora",
    title="AdaLoRA",
    version=1,
    rates=LogRange(low=3e-4, high=6e-3, default=2e-3),
    apply=apply,
    options={
        "target_r": 8, "init_r": 12, "alpha": 32, "dropout": 0.0,
        "warmup": 0.1, "final": 0.5, "interval": 1, "orthogonality": 0.1,
    },
    limits={
        "target_r": Limits(1), "init_r": Limits(1), "alpha": Limits(1), "dropout": Limits(0, 1),
        "warmup": Limits(0, 1), "final": Limits(0, 1), "interval": Limits(1), "orthogonality": Limits(0),
    },
    source="Zhang et al. 2023, AdaLoRA: Adaptive Budget Allocation for Parameter-Efficient Fine-Tuning; ranks and "
    "interval as peft's defaults, alpha as in its example, shares of steps about those of the paper on GLUE",
    routine=routine,
    merge=merge,
)
