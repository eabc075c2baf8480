"""Every parameter trains, from random weights: what the checkpoint is worth is the distance to this."""

from __future__ import annotations

from bench.methods.full import apply
from bench.spec import LogRange, Method

METHOD = Method(
    name="scratch",
    title="from random weights",
    version=1,
    rates=LogRange(low=2e-5, high=1e-3, default=1.5e-4),
    apply=apply,
    pretrained=False,
    source="the architecture's own initialisation, as transformers implements it",
)
