"""Answering sentences: whether a sentence holds the answer to a question.

The hub source is QNLI, made from SQuAD, as GLUE has it (Wang et al. 2019). Its test split has no labels, so the
official validation split is the test and validation rows come from the end of train. The template follows the
EleutherAI evaluation harness (Gao et al. 2021).
"""

from bench.spec import Files, Head, Hub, Task

TASK = Task(
    name="qnli",
    title="Answering sentences",
    version=1,
    head=Head.CLASSIFY,
    metric="accuracy",
    schema={"question": "text", "sentence": "text", "label": "label"},
    inputs=("question", "sentence"),
    reference="label",
    sources={
        "hub": Hub(
            id="nyu-mll/glue",
            config="qnli",
            columns={"question": "question", "sentence": "sentence", "label": "label"},
            splits={"train": "train[:4000]", "validation": "train[-1000:]", "test": "validation"},
            revision="bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c",
        ),
        "files": Files(),
    },
    input_tokens=128,
    floors=("majority", "tfidf_logistic"),
    prompt="qnli question: {question} sentence: {sentence}",
    template="{question} {sentence} Question: Does this response answer the question? Answer: {answer}",
    verbalizers={"entailment": "yes", "not_entailment": "no"},
)
