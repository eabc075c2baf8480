"""Inference: whether a sentence follows from another, contradicts it, or neither.

The hub source is MultiNLI (Williams et al. 2018) as GLUE has it. Its test splits have no labels, so the official
validation split of the genres that train has (matched) is the test, and validation rows come from the end of train. The
template is that of Brown et al. 2020, GPT-3.
"""

from bench.spec import Files, Head, Hub, Task

TASK = Task(
    name="mnli",
    title="Inference",
    version=1,
    head=Head.CLASSIFY,
    metric="accuracy",
    schema={"premise": "text", "hypothesis": "text", "label": "label"},
    inputs=("premise", "hypothesis"),
    reference="label",
    sources={
        "hub": Hub(
            id="nyu-mll/glue",
            config="mnli",
            columns={"premise": "premise", "hypothesis": "hypothesis", "label": "label"},
            splits={"train": "train[:4000]", "validation": "train[-1000:]", "test": "validation_matched"},
            revision="bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c",
        ),
        "files": Files(),
    },
    input_tokens=128,
    floors=("majority", "tfidf_logistic"),
    prompt="mnli hypothesis: {hypothesis} premise: {premise}",
    template="{premise} Question: {hypothesis} True, False or Neither? Answer: {answer}",
    verbalizers={"entailment": "True", "contradiction": "False", "neutral": "Neither"},
)
