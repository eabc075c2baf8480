"""Trivial and cheap answers, against which a score is read: a model that does not beat them is not worth its cost.

A floor sees the training rows and the inputs of the test rows, never a test reference. Knows no metric and no model.
Where an input has several columns, the question is the first of `task.inputs` and the text it is answered from the
last.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from bench.learner import Prediction
from bench.spec import Row, Rows, Task

Floor = Callable[[Rows, Rows, Task], list[Prediction]]

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\s*\n\s*")
_WORD = re.compile(r"\w+")


def _commonest(values: Iterable[Any]) -> Any:
    """The most frequent value, the first seen among equals."""
    return Counter(values).most_common(1)[0][0]


def _sentences(text: str) -> list[str]:
    """A split at newlines and after full stops, question and exclamation marks; abbreviations are cut, too."""
    return [sentence for sentence in _SENTENCE_END.split(text.strip()) if sentence] or [""]


def _text(row: Row, task: Task) -> str:
    return str(row[task.inputs[-1]])


def most_frequent(train: Rows, test: Rows, task: Task) -> list[Prediction]:
    """The commonest reference of the training rows, whatever the input: the majority class, or the commonest text."""
    return [_commonest(row[task.reference] for row in train)] * len(test)


def rarest(train: Rows, test: Rows, task: Task) -> list[Prediction]:
    """The least common label of the training rows, whatever the input.

    F1 counts one label only, which may be the rare one: then always giving that is the better trivial answer.
    """
    counts = Counter(row[task.reference] for row in train)
    return [min(counts, key=lambda label: counts[label])] * len(test)


def mean_number(train: Rows, test: Rows, task: Task) -> list[Prediction]:
    """The mean number of the training rows, whatever the input: no correlation with anything."""
    return [fmean(row[task.reference] for row in train)] * len(test)


def word_overlap(train: Rows, test: Rows, task: Task) -> list[Prediction]:
    """The share of words that two texts have in common (Jaccard), from the least to the greatest training number."""
    numbers = [row[task.reference] for row in train]
    low, high = min(numbers), max(numbers)

    def share(row: Row) -> float:
        one, other = (_words(str(row[column])) for column in task.inputs)
        return len(one & other) / max(1, len(one | other))

    return [low + (high - low) * share(row) for row in test]


def _joined(row: Row, task: Task) -> str:
    return "\n".join(str(row[column]) for column in task.inputs)


def all_outside(train: Rows, test: Rows, task: Task) -> list[Prediction]:
    """No entity anywhere."""
    return [["O"] * len(row[task.inputs[-1]]) for row in test]


def most_frequent_tag(train: Rows, test: Rows, task: Task) -> list[Prediction]:
    """For each token the tag it had most often in training, "O" for tokens never seen: memory without context."""
    tags: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in train:
        for token, tag in zip(row[task.inputs[-1]], row[task.reference], strict=True):
            tags[token][tag] += 1
    memory = {token: counts.most_common(1)[0][0] for token, counts in tags.items()}
    return [[memory.get(token, "O") for token in row[task.inputs[-1]]] for row in test]


def tfidf_logistic(train: Rows, test: Rows, task: Task) -> list[Prediction]:
    """A logistic regression on TF-IDF weights of words and pairs of words: what a model of a few kilobytes can do.

    See `bench.tfidf`. The majority class where there is a single one, or no word at all.

    It is made by a process of its own: a worker that imported sklearn would hold 80 MiB more in every cell to come.

    Raises RuntimeError with what that process said where it failed.
    """
    texts, asked = ([_joined(row, task) for row in rows] for rows in (train, test))
    labels = [row[task.reference] for row in train]
    if len(set(labels)) < 2 or not any(_WORD.search(text) for text in texts):
        return most_frequent(train, test, task)
    told = {"texts": texts, "labels": labels, "asked": asked, "word": _WORD.pattern}
    program = [sys.executable, "-P", str(Path(__file__).with_name("tfidf.py"))]
    done = subprocess.run(program, input=json.dumps(told), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"tfidf_logistic of task {task.name}: {done.stderr.strip() or done.returncode}")
    answers: list[Prediction] = json.loads(done.stdout)
    return answers


def lead(train: Rows, test: Rows, task: Task, *, sentences: int) -> list[Prediction]:
    """The first `sentences` sentences of the text, one a line."""
    return ["\n".join(_sentences(_text(row, task))[:sentences]) for row in test]


def nearest_sentence(train: Rows, test: Rows, task: Task) -> list[Prediction]:
    """The sentence of the text that shares most words with the question, the first among equals."""

    def answer(row: Row) -> str:
        asked = _words(str(row[task.inputs[0]]))
        return max(_sentences(_text(row, task)), key=lambda sentence: len(asked & _words(sentence)))

    return [answer(row) for row in test]


def copy_source(train: Rows, test: Rows, task: Task) -> list[Prediction]:
    """The text itself."""
    return [_text(row, task) for row in test]


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


FLOORS: dict[str, Floor] = {
    "majority": most_frequent,
    "minority": rarest,
    "most_frequent_target": most_frequent,
    "mean_number": mean_number,
    "word_overlap": word_overlap,
    "tfidf_logistic": tfidf_logistic,
    "all_outside": all_outside,
    "most_frequent_tag": most_frequent_tag,
    "first_sentence": partial(lead, sentences=1),
    "lead_3": partial(lead, sentences=3),
    "nearest_sentence": nearest_sentence,
    "whole_context": copy_source,
    "copy_source": copy_source,
}
"""Every floor by the name that a task gives; a name says what the answer is in the words of that kind of task."""

LEARNT = frozenset({"tfidf_logistic", "most_frequent_tag"})
"""The floors that read the input and learn from the training rows: cheap baselines, which a model has to earn its cost
against."""
