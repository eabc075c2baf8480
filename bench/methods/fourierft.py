"""Updates whose two-dimensional Fourier transform is sparse: a few trained frequencies a projection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.methods.parts.inject import inject, is_transposed, merge, query_value
from bench.spec import Limits, LogRange, Method

if TYPE_CHECKING:
    from bench.learn.network import Network


REFERENCE_WIDTH = 768
"""Hidden size for which `scaling` is meant."""


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """Put updates with `n_frequency` trained frequencies (at most width squared) on query and value projections.

    The inverse transform divides by the size of the matrix, so `scaling` is shrunk with it to mean the same at every
    width. Frequencies start at 0, that is, at the checkpoint: the N(0, 1) of the paper is noise that a narrow network
    does not survive.
    """
    from peft import FourierFTConfig
    from peft.tuners.fourierft.layer import FourierFTLayer

    config = FourierFTConfig(
        n_frequency=min(options["n_frequency"], network.width**2),
        scaling=options["scaling"] * (network.width / REFERENCE_WIDTH) ** 2,
        init_weights=True,
        target_modules=query_value(network),
        fan_in_fan_out=is_transposed(network),
    )
    inject(network, config)
    for layer in (module for module in network.backbone.modules() if isinstance(module, FourierFTLayer)):
        for name, places in layer.indices.items():  # or peft sends them to a GPU in every forward pass
            layer.indices[name] = places.to(layer.fourierft_spectrum[name].device)


METHOD = Method(
    name="fourierft",
    title="FourierFT",
    version=1,
    rates=LogRange(low=2e-3, high=1e-1, default=1e-2),
    apply=apply,
    options={"n_frequency": 1000, "scaling": 150.0},
    limits={"n_frequency": Limits(1), "scaling": Limits()},
    source="Gao et al. 2024, Parameter-Efficient Fine-Tuning with Discrete Fourier Transform (rates 3e-2 to 1e-1 on "
    "GLUE); peft",
    merge=merge,
)
