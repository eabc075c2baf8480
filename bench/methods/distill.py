"""Every parameter trains, on the right answers and on those of a larger teacher, fine-tuned on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.methods.full import METHOD as FULL
from bench.methods.full import apply
from bench.spec import Limits, Method

if TYPE_CHECKING:
    from bench.learn.fit import ModelLearner


def prepare(learner: ModelLearner, options: Mapping[str, Any]) -> None:
    """Fine-tune `teacher`, a model of the catalog, once a cell: by `full`, at its default rate, on the training rows.

    Labels and tags: the teacher's scores, softened by `temperature`, weigh `alpha` beside the task's loss, which is
    what is reported. Numbers: so does the squared distance to the teacher's. Spans and texts, and all that a model
    writes: a row is shown with the teacher's answer `alpha` of the time, since its scores are of tokens that the
    student may not have. The teacher's time is part of the cell's.
    """
    from bench.learn.distill import distill

    teacher = learner.assignment.others["teacher"]
    distill(learner, teacher, FULL, alpha=options["alpha"], temperature=options["temperature"])


METHOD = Method(
    name="distill",
    title="distilled from a fine-tuned teacher",
    version=1,
    rates=FULL.rates,
    apply=apply,
    options={"teacher": "minilm", "alpha": 0.5, "temperature": 2.0},
    models=("teacher",),
    source="Hinton et al. 2015, Distilling the Knowledge in a Neural Network; for texts Kim and Rush 2016, "
    "Sequence-Level Knowledge Distillation; temperature as Sanh et al. 2019, DistilBERT; alpha is ours",
    prepare=prepare,
    limits={"alpha": Limits(0, most=1), "temperature": Limits(0.01)},
)
