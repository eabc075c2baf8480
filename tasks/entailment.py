"""Entailment: whether a sentence follows from a text.

The hub source is RTE (Dagan et al. 2006 and later challenges) as GLUE has it. Its test split has no labels, so the
official validation split is the test and validation rows come from the end of train. The template is that of Brown et
al. 2020, GPT-3.
"""

from bench.spec import Files, Head, Hub, Task

TASK = Task(
    name="entailment",
    title="Entailment",
    version=1,
    head=Head.CLASSIFY,
    metric="accuracy",
    schema={"sentence1": "text", "sentence2": "text", "label": "label"},
    inputs=("sentence1", "sentence2"),
    reference="label",
    sources={
        "hub": Hub(
            id="nyu-mll/glue",
            config="rte",
            columns={"sentence1": "sentence1", "sentence2": "sentence2", "label": "label"},
            splits={"train": "train[:-1000]", "validation": "train[-1000:]", "test": "validation"},
            revision="bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c",
        ),
        "files": Files(),
    },
    input_tokens=128,
    floors=("majority", "tfidf_logistic"),
    prompt="rte sentence1: {sentence1} sentence2: {sentence2}",
    template="{sentence1} Question: {sentence2} True or False? Answer: {answer}",
    verbalizers={"entailment": "True", "not_entailment": "False"},
)
