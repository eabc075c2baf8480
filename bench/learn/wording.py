"""A task in words, as token ids: templates filled with rows, examples put before them until the model is full.

Knows tokenizers and templates; knows no network.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.learn.reading import fitted, prompt_template
from bench.spec import Family, Head, Model, Row, Rows, Task

ANSWER = "{answer}"

LONGEST = 512
"""Most tokens of a question to a network without a limit of its own: what T5 was pretrained on (Raffel et al. 2020)."""

CARRIER = "a"
"""A word after which a text is tokenized as it would be in the middle of a sentence."""


@dataclass(frozen=True)
class Question:
    """Token ids before and after the answer. `cut` says that the input was too long, `shown` how many examples fit."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    cut: bool
    shown: int


class Wording:
    """How the rows of a task are put into words for a model."""

    def __init__(self, task: Task, model: Model, tokenizer: Any) -> None:
        self.task, self.tokenizer = task, tokenizer
        self.separator = "\n" if model.family is Family.DECODER else " "
        """What stands between examples."""
        self.known = model.prompted and bool(task.prompt)
        """Whether the model's pretraining knew the task, with the labels themselves as answers."""
        left, found, right = template_of(task, model).partition(ANSWER)
        assert found, f"task {task.name!r}: its template lacks {ANSWER}"
        self.left, self.space, self.right = left.rstrip(" "), left.endswith(" "), right

    def word(self, label: str) -> str:
        """What stands for a label in the template."""
        return label if self.known else self.task.verbalizers.get(label, label)

    def answer(self, text: str) -> tuple[int, ...]:
        """The ids of a text in the place of the answer."""
        return self._continued((" " if self.space else "") + text)

    def demonstration(self, row: Row) -> tuple[int, ...]:
        """A row with its answer, and the separator after it."""
        text = f"{self.left.format_map(row)}{' ' if self.space else ''}{self.target(row)}{self.right}"
        return (*self._ids(text), *self._continued(self.separator))

    def target(self, row: Row) -> str:
        """The answer to a row as the template has it."""
        reference = row[self.task.reference]
        if self.task.head is Head.SPAN:
            return str(reference["text"][0])
        return self.word(reference) if self.task.head is Head.CLASSIFY else str(reference)

    def question(self, row: Row, examples: Sequence[tuple[int, ...]], room: int) -> Question:
        """The row without its answer, cut to the task's limit, after as many whole examples as fit into `room`."""
        after = self._continued(self.right) if self.right else ()
        before, cut = self._fitted(row, min(self.task.input_tokens, room - len(after)))
        left = room - len(after) - len(before)
        shown: list[tuple[int, ...]] = []
        for example in examples:
            if len(example) <= left:
                shown.append(example)
                left -= len(example)
        return Question((*(i for example in shown for i in example), *before), after, cut, len(shown))

    def _fitted(self, row: Row, limit: int) -> tuple[tuple[int, ...], bool]:
        """The words before the answer; the longest of the inputs is shortened until they are at most `limit` tokens."""
        texts = {column: str(row[column]) for column in self.task.inputs}
        ids, cut = fitted(texts, lambda made: self._ids(self.left.format_map(made)), self.tokenizer, limit)
        return tuple(ids), cut

    def _ids(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _continued(self, text: str) -> tuple[int, ...]:
        """The ids of a text that goes on where another stopped."""
        carrier, whole = self._ids(CARRIER), self._ids(CARRIER + text)
        return whole[len(carrier) :] if whole[: len(carrier)] == carrier else self._ids(text)


def template_of(task: Task, model: Model) -> str:
    """The template in which the model is asked.

    A model whose pretraining knew the task by a prefix (`Model.prompted`) is asked as it was there, the task's own
    template otherwise; where a text is to be written and there is none, input and cue come before it.
    """
    columns = " ".join(f"{{{column}}}" for column in task.inputs)
    if model.prompted and task.prompt:
        return f"{prompt_template(task)} {ANSWER}"
    return task.template or f"{columns}{task.cue} {ANSWER}"


def draw(task: Task, rows: Rows, k: int, seed: int) -> list[Row]:
    """`k` of the rows, drawn by the seed; for `Head.CLASSIFY` as evenly over the labels as can be."""
    rng = random.Random(seed)
    order = rng.sample(range(len(rows)), len(rows))
    if task.head is not Head.CLASSIFY:
        return [rows[i] for i in order[:k]]
    groups: Mapping[str, list[int]] = defaultdict(list)
    for i in order:
        groups[rows[i][task.reference]].append(i)
    turns = sorted(order, key=lambda i: groups[rows[i][task.reference]].index(i))  # stable: the order within a turn
    chosen = turns[:k]
    rng.shuffle(chosen)
    return [rows[i] for i in chosen]
