"""Summarization of a document in a sentence or two.

The hub source is XSum (Narayan et al. 2018): BBC articles with a summary of one sentence.
"""

from bench.spec import Bundled, Files, Head, Hub, Task

TASK = Task(
    name="summarization",
    title="Summarization",
    version=1,
    head=Head.GENERATE,
    metric="rougeL",
    schema={"document": "text", "summary": "text"},
    inputs=("document",),
    reference="summary",
    sources={
        "bundled": Bundled("summarization", sha256="90deb3a268319586fd0cff2fd7f24793397ca61e673285c26e0437552a63182e"),
        "hub": Hub(
            id="EdinburghNLP/xsum",
            config=None,
            columns={"document": "document", "summary": "summary"},
            splits={"train": "train[:4000]", "validation": "validation[:500]", "test": "test[:1000]"},
            revision="7d4d486c2f8ef850b1a11aead99b894ff3dd7da9",
        ),
        "files": Files(),
    },
    input_tokens=256,
    output_tokens=48,
    floors=("first_sentence", "most_frequent_target"),
    prompt="summarize: ",
    cue=" in short:",
)
