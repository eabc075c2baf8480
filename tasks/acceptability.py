"""Acceptability of a sentence: whether it is good English.

The hub source is CoLA (Warstadt et al. 2019) as GLUE has it. Its test split has no labels, so the official validation
split is the test. Rows of one publication stand together: validation rows are taken from ten places of train.
The template follows the EleutherAI evaluation harness (Gao et al. 2021).
"""

from bench.spec import Files, Head, Hub, Task

TASK = Task(
    name="acceptability",
    title="Acceptability",
    version=1,
    head=Head.CLASSIFY,
    metric="matthews",
    schema={"text": "text", "label": "label"},
    inputs=("text",),
    reference="label",
    sources={
        "hub": Hub(
            id="nyu-mll/glue",
            config="cola",
            columns={"sentence": "text", "label": "label"},
            splits={
                "train": "+".join(f"train[{start}:{start + 750}]" for start in range(0, 8500, 850)),
                "validation": "+".join(f"train[{start + 750}:{start + 850}]" for start in range(0, 8500, 850)),
                "test": "validation",
            },
            revision="bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c",
        ),
        "files": Files(),
    },
    input_tokens=64,
    floors=("majority", "tfidf_logistic"),
    prompt="cola sentence: ",
    template="{text} Question: Does this sentence make sense? Answer: {answer}",
    verbalizers={"acceptable": "yes", "unacceptable": "no"},
)
