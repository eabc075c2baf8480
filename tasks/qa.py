"""Question answering: the span of a text that answers a question.

The hub source is SQuAD 1.1 (Rajpurkar et al. 2016). Its test split is not public, so rows of the official validation
split are the test. Rows of an article stand together: the slices are spread so that many articles are seen.
"""

from bench.spec import Bundled, Files, Head, Hub, Task

TASK = Task(
    name="qa",
    title="Question answering",
    version=1,
    head=Head.SPAN,
    metric="squad_f1",
    schema={"id": "id", "question": "text", "context": "text", "answers": "answers"},
    inputs=("question", "context"),
    reference="answers",
    sources={
        "bundled": Bundled("qa", sha256="7f7a6e52399f523c3789e845a1cf50b1d622e9d81e736375be131faeb59de62f"),
        "hub": Hub(
            id="rajpurkar/squad",
            config=None,
            columns={"id": "id", "question": "question", "context": "context", "answers": "answers"},
            splits={
                "train": "+".join(f"train[{start}:{start + 500}]" for start in range(0, 80_000, 10_000)),
                "validation": "train[-1000:]",
                "test": "+".join(f"validation[{start}:{start + 500}]" for start in range(0, 10_000, 2_500)),
            },
            revision="7b6d24c440a36b6815f21b70d25016731768db1f",
        ),
        "files": Files(),
    },
    input_tokens=192,
    stride=64,
    floors=("first_sentence", "nearest_sentence"),
    template="question: {question} context: {context} answer: {answer}",
)
