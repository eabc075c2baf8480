"""The checkpoint's own pretraining goes on for a while on the task's texts; then every parameter trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.methods.full import METHOD as FULL
from bench.methods.full import apply
from bench.spec import Limits, Method

if TYPE_CHECKING:
    from bench.learn.fit import ModelLearner


def prepare(learner: ModelLearner, options: Mapping[str, Any]) -> None:
    """Go on with masked words (encoders), next tokens (decoders) or missing spans (encoder-decoders) for `steps`.

    The texts are the inputs of the cell's training rows, without their answers; validation and test rows are not read.
    `rate` is for width 768 and falls linearly after a short rise. It happens once a cell: all trials and seeds start
    from the same weights, and its time is part of the cell's. A pretraining head that the checkpoint lacks starts anew.
    """
    from bench.learn.adapt import adapt

    adapt(learner, steps=int(options["steps"]), rate=options["rate"], batch_size=int(options["batch"]))


METHOD = Method(
    name="domain_adaptive",
    title="task-adaptive pretraining, then full",
    version=2,
    rates=FULL.rates,
    apply=apply,
    options={"steps": 100, "rate": 1e-4, "batch": 32},
    source="Gururangan et al. 2020, Don't Stop Pretraining: Adapt Language Models to Domains and Tasks (peak rate "
    "1e-4; steps and batch are ours, theirs are 100 epochs of 256 texts)",
    prepare=prepare,
    limits={"steps": Limits(0), "rate": Limits(0), "batch": Limits(1)},
)
