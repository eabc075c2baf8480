"""Paraphrase: whether two sentences say the same.

The hub source is MRPC (Dolan and Brockett 2005) as GLUE has it: its official validation split is the test, validation
rows come from the end of train. The template follows the EleutherAI evaluation harness (Gao et al. 2021).
"""

from bench.spec import Files, Head, Hub, Task

TASK = Task(
    name="paraphrase",
    title="Paraphrase",
    version=1,
    head=Head.CLASSIFY,
    metric="f1",
    schema={"sentence1": "text", "sentence2": "text", "label": "label"},
    inputs=("sentence1", "sentence2"),
    reference="label",
    sources={
        "hub": Hub(
            id="nyu-mll/glue",
            config="mrpc",
            columns={"sentence1": "sentence1", "sentence2": "sentence2", "label": "label"},
            splits={"train": "train[:-1000]", "validation": "train[-1000:]", "test": "validation"},
            revision="bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c",
        ),
        "files": Files(),
    },
    input_tokens=128,
    floors=("majority", "minority", "tfidf_logistic"),
    labels=("equivalent", "not_equivalent"),
    prompt="mrpc sentence1: {sentence1} sentence2: {sentence2}",
    template="Sentence 1: {sentence1} Sentence 2: {sentence2} "
    "Question: Do both sentences mean the same thing? Answer: {answer}",
    verbalizers={"equivalent": "yes", "not_equivalent": "no"},
)
