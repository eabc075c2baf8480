"""Duplicate questions: whether two questions ask the same.

The hub source is Quora Question Pairs as GLUE has it (Wang et al. 2019). Its test split has no labels, so the official
validation split is the test and validation rows come from the end of train. The template follows the EleutherAI
evaluation harness (Gao et al. 2021).
"""

from bench.spec import Files, Head, Hub, Task

TASK = Task(
    name="qqp",
    title="Duplicate questions",
    version=1,
    head=Head.CLASSIFY,
    metric="f1",
    schema={"question1": "text", "question2": "text", "label": "label"},
    inputs=("question1", "question2"),
    reference="label",
    sources={
        "hub": Hub(
            id="nyu-mll/glue",
            config="qqp",
            columns={"question1": "question1", "question2": "question2", "label": "label"},
            splits={"train": "train[:4000]", "validation": "train[-1000:]", "test": "validation"},
            revision="bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c",
        ),
        "files": Files(),
    },
    input_tokens=128,
    floors=("majority", "minority", "tfidf_logistic"),
    labels=("duplicate", "not_duplicate"),
    prompt="qqp question1: {question1} question2: {question2}",
    template="Question 1: {question1} Question 2: {question2} "
    "Question: Do both questions ask the same thing? Answer: {answer}",
    verbalizers={"duplicate": "yes", "not_duplicate": "no"},
)
