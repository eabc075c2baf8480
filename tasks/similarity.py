"""Similarity of two sentences, as a number: 0 (nothing in common) to 5 (the same meaning).

The hub source is STS-B (Cer et al. 2017) as GLUE has it. Its test split has no scores, so the official validation split
is the test. Rows of one genre stand together: validation rows are taken from ten places of train.
"""

from bench.spec import Files, Head, Hub, Task

TASK = Task(
    name="similarity",
    title="Similarity",
    version=1,
    head=Head.REGRESS,
    metric="spearman",
    schema={"sentence1": "text", "sentence2": "text", "score": "number"},
    inputs=("sentence1", "sentence2"),
    reference="score",
    sources={
        "hub": Hub(
            id="nyu-mll/glue",
            config="stsb",
            columns={"sentence1": "sentence1", "sentence2": "sentence2", "label": "score"},
            splits={
                "train": "+".join(f"train[{start}:{start + 470}]" for start in range(0, 5700, 570)),
                "validation": "+".join(f"train[{start + 470}:{start + 570}]" for start in range(0, 5700, 570)),
                "test": "validation",
            },
            revision="bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c",
        ),
        "files": Files(),
    },
    input_tokens=128,
    floors=("mean_number", "word_overlap"),
    prompt="stsb sentence1: {sentence1} sentence2: {sentence2}",
)
