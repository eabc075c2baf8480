"""Sentiment of a sentence: positive or negative.

The hub source is SST-2 (Socher et al. 2013) as GLUE has it. Its test split has no labels, so the official validation
split is the test and validation rows come from the end of train.
"""

from bench.spec import Bundled, Files, Head, Hub, Task

TASK = Task(
    name="sentiment",
    title="Sentiment",
    version=1,
    head=Head.CLASSIFY,
    metric="accuracy",
    schema={"text": "text", "label": "label"},
    inputs=("text",),
    reference="label",
    sources={
        "bundled": Bundled("sentiment", sha256="1ee6f9404d3288269ad5d376935f403d54f29517fe9d8a0409714b9edaf5165a"),
        "hub": Hub(
            id="nyu-mll/glue",
            config="sst2",
            columns={"sentence": "text", "label": "label"},
            splits={"train": "train[:4000]", "validation": "train[-1000:]", "test": "validation"},
            revision="bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c",
        ),
        "files": Files(),
    },
    input_tokens=96,
    floors=("majority", "tfidf_logistic"),
    prompt="sst2 sentence: ",
    template="{text} verdict: {answer}.",
    verbalizers={"positive": "good", "negative": "bad"},
)
