"""Every parameter trains, on rows of which some are shown with small random edits."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.methods.full import METHOD as FULL
from bench.methods.full import apply
from bench.spec import Limits, Method

if TYPE_CHECKING:
    from bench.learn.fit import ModelLearner


def prepare(learner: ModelLearner, options: Mapping[str, Any]) -> None:
    """Make `copies` edited versions of every training row; each row is shown as one of them `share` of the time.

    An edit changes `alpha` of a row's words: it swaps, deletes or repeats some, or hides them behind the tokenizer's
    mask, where it has one (BERT's have; those of GPT-2 and T5 do not). EDA also puts in synonyms from a thesaurus,
    which is not to be had offline. An epoch is still every row once, so that the steps are the budget's.
    """
    from bench.learn.edits import edited_rows

    rng = random.Random(0)
    rows, task = learner.assignment.train, learner.assignment.task
    mask = learner.head.tokenizer.mask_token
    versions = [
        edited_rows(rows, task, share=options["alpha"], mask=mask, rng=rng) for _ in range(int(options["copies"]))
    ]
    learner.vary(versions, options["share"])


METHOD = Method(
    name="augment",
    title="full, on edited rows (EDA)",
    version=1,
    rates=FULL.rates,
    apply=apply,
    options={"copies": 4, "alpha": 0.1, "share": 0.5},
    source="Wei and Zou 2019, EDA: Easy Data Augmentation Techniques for Boosting Performance on Text Classification "
    "Tasks (alpha 0.1, four copies); for tags Dai and Adel 2020, An Analysis of Simple Data Augmentation for Named "
    "Entity Recognition; half of what is shown is unedited, ours",
    prepare=prepare,
    limits={"copies": Limits(1), "alpha": Limits(0, most=1), "share": Limits(0, most=1)},
)
