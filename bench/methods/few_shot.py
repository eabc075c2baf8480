"""Nothing trains: the model is asked in words, after `k` training examples. This is in-context learning.

Brown et al. 2020 name by "in-context learning" what happens when a model reads examples in its input, and by "few-shot"
the setting with as many as fit: one procedure, so there is one method.
"""

from __future__ import annotations

from bench.methods.zero_shot import apply
from bench.spec import Limits, Method

METHOD = Method(
    name="few_shot",
    title="asked in words, after k examples (in-context learning)",
    version=1,
    rates=None,
    apply=apply,
    options={"k": 8},
    limits={"k": Limits(0)},
    frozen="backbone",
    source="Brown et al. 2020, Language Models are Few-Shot Learners (Gao et al. 2021 for masked models)",
)
