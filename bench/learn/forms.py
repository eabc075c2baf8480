"""Answers as texts and back: for each head what a model reads, what it is to write, and what a written text means.

Knows rows, labels and how a tokenizer spells; no network and no tensors. A text that is no answer is told apart from an
answer, never taken for the nearest one.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bench.errors import UnsupportedError
from bench.learner import Assignment, Prediction
from bench.metrics.entity_f1 import entities
from bench.spec import Head, Row

OUTSIDE = "O"

NOTHING = "none"
"""What is written where there is no entity."""

NUMBER = re.compile(r"-?\d+(\.\d+)?")

Spell = Callable[[str], str]
"""A text as it comes back from a tokenizer, without space around it: some letters may be lost or changed."""


@dataclass(frozen=True)
class Read:
    """What a written text means. `valid` is False where it is no answer, or in part none: then what was understood."""

    prediction: Prediction
    valid: bool = True


class Form(ABC):
    """The texts of one task's rows and answers.

    A single input is read as it is, several with their names before them ("question: ... context: ..."), after the
    task's prompt where the model's pretraining used such prefixes: the formats of Raffel et al. 2020, "Exploring the
    Limits of Transfer Learning with a Unified Text-to-Text Transformer", appendix D.
    """

    def __init__(self, assignment: Assignment, spell: Spell) -> None:
        self.task, self.labels, self.spell = assignment.task, assignment.labels, spell
        self.prompt = self.task.prompt if assignment.model.prompted else ""
        self.possible: Sequence[str] = ()
        """Texts of answers that are known without any rows."""

    def source(self, row: Row) -> str:
        """What is read."""
        texts = {column: _text(row[column]) for column in self.task.inputs}
        if len(texts) == 1:
            return self.prompt + texts[self.task.inputs[0]]
        return self.prompt + " ".join(f"{column}: {text}" for column, text in texts.items())

    @abstractmethod
    def target(self, row: Row) -> str:
        """The right answer, as it is to be written."""

    @abstractmethod
    def read(self, text: str, row: Row) -> Read:
        """What a text means that was written for the row (whose answer need not be known)."""

    def returns(self, row: Row) -> bool:
        """Whether the row's own answer, written down, is read as that answer."""
        return True


class Free(Form):
    """Any text is an answer (`Head.GENERATE`)."""

    def target(self, row: Row) -> str:
        return str(row[self.task.reference])

    def read(self, text: str, row: Row) -> Read:
        return Read(text)


class Passage(Form):
    """The text of the first given answer, without its place (`Head.SPAN`); any text is an answer.

    As T5 does SQuAD: what is written is scored as it is, whether the context has it or not.
    """

    def target(self, row: Row) -> str:
        return str(row[self.task.reference]["text"][0])

    def read(self, text: str, row: Row) -> Read:
        return Read(text)


class Label(Form):
    """The word that stands for a label (`Head.CLASSIFY`), and nothing else: any other text is no label, and wrong.

    That is how Raffel et al. 2020 score T5. The word is the task's verbalizer where there is one; a model that knows
    the task by its prompt learnt to write the label itself after it.
    """

    def __init__(self, assignment: Assignment, spell: Spell) -> None:
        super().__init__(assignment, spell)
        words: Mapping[str, str] = {} if self.prompt else self.task.verbalizers
        self.words = {label: words.get(label, label) for label in self.labels}
        self.meanings = _meanings(self.words, spell, "label")
        self.possible = tuple(self.words.values())

    def target(self, row: Row) -> str:
        return self.words[row[self.task.reference]]

    def read(self, text: str, row: Row) -> Read:
        """A label, or None for a text that is none."""
        return Read(self.meanings.get(text), text in self.meanings)


class Number(Form):
    """The number to the nearest 0.2, as Raffel et al. 2020 write STS-B's; any other text than a number is none."""

    def target(self, row: Row) -> str:
        return f"{round(float(row[self.task.reference]) * 5) / 5:.1f}"

    def read(self, text: str, row: Row) -> Read:
        """A number, or None for a text that is none."""
        number = float(text) if NUMBER.fullmatch(text) else None
        return Read(number, number is not None)


class Entities(Form):
    """The entities in order of appearance, each as its type and its words: "per: anna; loc: new york" (`Head.TAG`).

    Such a list is how Wang et al. 2023, "InstructUIE", let T5 name entities. Of the formats that Raman et al. 2022,
    "Transforming Sequence Tagging Into A Seq2Seq Task", compare, a tag after a sentinel for every word does best, but
    it needs as many sentinels in the vocabulary as a sentence has words, and a decoder has none.

    A list is read from left to right: each mention stands at the first place after the one before where the sentence
    has its words. An answer is not valid where a part of it is no mention, or the sentence does not have it there; the
    other mentions count. A mention whose words stood there before, untagged, is read at the wrong place.
    """

    def __init__(self, assignment: Assignment, spell: Spell) -> None:
        super().__init__(assignment, spell)
        types = dict.fromkeys(label[2:] for label in self.labels if label != OUTSIDE)
        self.names = {kind: kind.lower() for kind in types}
        self.types = _meanings(self.names, spell, "type of entity")
        known = "|".join(re.escape(name) for name in sorted(self.types, key=len, reverse=True))
        self.mark = re.compile(rf"(?:^|;)\s*({known or '(?!)'})\s*:")
        """What stands before the words of a mention."""
        self.nothing = spell(NOTHING)

    def target(self, row: Row) -> str:
        words = row[self.task.inputs[0]]
        found = sorted(entities(row[self.task.reference]))
        return "; ".join(f"{self.names[k]}: {' '.join(words[start:end])}" for start, end, k in found) or NOTHING

    def returns(self, row: Row) -> bool:
        return self.read(self.spell(self.target(row)), row) == Read(list(row[self.task.reference]))

    def read(self, text: str, row: Row) -> Read:
        """IOB2 tags, one a word."""
        words = [_bare(self.spell(word)) for word in row[self.task.inputs[0]]]
        tags = [OUTSIDE] * len(words)
        if text == self.nothing:
            return Read(tags)
        marks = list(self.mark.finditer(text))
        ends = [*(mark.start() for mark in marks), len(text)][1:]
        valid, at = bool(marks) and marks[0].start() == 0, 0
        for mark, end in zip(marks, ends, strict=True):
            place = _place(words, _bare(text[mark.end() : end]), at)
            if place is None:
                valid = False
                continue
            kind, (start, at) = self.types[mark[1]], place
            tags[start:at] = [f"B-{kind}", *[f"I-{kind}"] * (at - start - 1)]
        return Read(tags, valid)


FORMS: Mapping[Head, type[Form]] = {
    Head.CLASSIFY: Label,
    Head.REGRESS: Number,
    Head.TAG: Entities,
    Head.SPAN: Passage,
    Head.GENERATE: Free,
}


def form_of(assignment: Assignment, spell: Spell) -> Form:
    """How the assignment's task is put into texts.

    Raises UnsupportedError for a head that has no such form, and where two labels would be the same text.
    """
    head = assignment.task.head
    if head not in FORMS:
        raise UnsupportedError(f"model {assignment.model.name!r} answers in texts: a {head} task has no form in them")
    return FORMS[head](assignment, spell)


def _meanings(words: Mapping[str, str], spell: Spell, what: str) -> dict[str, str]:
    """What each word, as the tokenizer spells it, stands for."""
    spelt = {meaning: spell(word) for meaning, word in words.items()}
    empty = next((meaning for meaning, text in spelt.items() if not text), None)
    if empty is not None:
        raise UnsupportedError(f"the {what} {empty!r} cannot be written: its letters are not in the model's vocabulary")
    for (one, text), (other, next_text) in pairwise(sorted(spelt.items(), key=lambda pair: pair[1])):
        if text == next_text:
            raise UnsupportedError(f"the {what}s {one!r} and {other!r} would both be written as {text!r}")
    return {text: meaning for meaning, text in spelt.items()}


def _place(words: Sequence[str], mention: str, at: int) -> tuple[int, int] | None:
    """Where, from word `at` on, words joined are the mention: first word, and the one after the last."""
    for start in range(at, len(words)):
        joined = ""
        for end in range(start, len(words)):
            joined += words[end]
            if not joined or not mention.startswith(joined):
                break
            if joined == mention:
                return start, end + 1
    return None


def _bare(text: str) -> str:
    """The text without white space, of which tokenizers add and drop some."""
    return "".join(text.split())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else " ".join(map(str, value))
