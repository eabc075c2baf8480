"""Whether rows fit a task's schema: the column types, and one clear error for the first row that does not fit.

Knows nothing of files or hubs: a row comes with the words that say where it is.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from bench.errors import DataError
from bench.spec import Head, Task

Located = tuple[str, dict[str, Any]]
"""A row and where it stands: ("ner/train.jsonl, line 7", {...})."""

OPTIONAL_TYPES = frozenset({"id"})
"""Types of columns that a row may lack."""

TAG = re.compile(r"O|[BI]-\S+")


def checked(task: Task, located: Iterable[Located]) -> list[Located]:
    """The rows with their places, each fitting the task's schema.

    Raises DataError for the first that does not, saying where it is, what is wrong and how to mend it.
    """
    rows = []
    for where, row in located:
        problem = _problem(task, row)
        if problem:
            raise DataError(f"{where}: {problem}")
        rows.append((where, row))
    return rows


def readable(task: Task, located: Iterable[Located]) -> list[Located]:
    """The rows with their places, each with the inputs that the task reads; answers need not be there.

    Raises DataError for the first that lacks one.
    """
    inputs = {column: task.schema[column] for column in task.inputs}
    rows = []
    for where, row in located:
        problem = next((found for column in inputs if (found := _column_problem(column, row, inputs))), None)
        if problem:
            raise DataError(f"{where}: {problem}")
        rows.append((where, row))
    return rows


def check_labels(task: Task, train: Sequence[Located], others: Iterable[Located]) -> None:
    """Whether what `others` (validation and test rows) ask for can be learnt from `train`.

    Labels are compared whole, tags by their type: B-PER in training rows makes I-PER known. Raises DataError for
    training rows with fewer than two labels or numbers, and for the first label or tag that no training row has.
    """
    if task.head is Head.REGRESS:
        _check_spread(task, train)
    if task.head not in (Head.CLASSIFY, Head.TAG):
        return
    known = {kind for _, row in train for _, kind in _labels(task, row)}
    if task.head is Head.CLASSIFY and len(known) < 2:
        raise DataError(f"{train[0][0]}: all training rows have the label {next(iter(known))!r}. Add rows of another.")
    for where, row in others:
        for label, kind in _labels(task, row):
            if kind not in known:
                raise DataError(f"{where}: no training row has the {_unlearnt(task, label, kind, known)}")


def _check_spread(task: Task, train: Sequence[Located]) -> None:
    numbers = {row[task.reference] for _, row in train}
    if len(numbers) < 2:
        raise DataError(f"{train[0][0]}: all training rows have the number {numbers.pop()!r}. Add rows with others.")


def _labels(task: Task, row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The labels or tags of a row, each with what must be known of it."""
    if task.head is Head.CLASSIFY:
        return [(row[task.reference], row[task.reference])]
    return [(tag, tag[2:]) for tag in row[task.reference] if tag != "O"]


def _unlearnt(task: Task, label: str, kind: str, known: Collection[str]) -> str:
    what = "label" if task.head is Head.CLASSIFY else "tag"
    names = {name.lower(): label.removesuffix(kind) + name for name in sorted(known)}
    near = difflib.get_close_matches(kind.lower(), names, n=1, cutoff=0.5)
    advice = f"Did you mean {names[near[0]]!r}?" if near else f"Known: {', '.join(names.values()) or 'none'}."
    return f"{what} {label!r}. {advice} Correct it, or add training rows with it."


def _problem(task: Task, row: Mapping[str, Any]) -> str | None:
    for column in task.schema:
        problem = _column_problem(column, row, task.schema)
        if problem:
            return problem
    if task.labels and row[task.reference] not in task.labels:
        label, known = _shown(row[task.reference]), ", ".join(map(repr, task.labels))
        return f"column {task.reference!r}: {label} is no label of this task. Write one of {known}."
    if task.head is Head.TAG:
        return _uneven(row, task.inputs[-1], task.reference)
    if task.head is Head.SPAN:
        return _misplaced(row, task.inputs[-1], task.reference)
    return None


def _column_problem(column: str, row: Mapping[str, Any], schema: Mapping[str, str]) -> str | None:
    kind = schema[column]
    if column not in row:
        return None if kind in OPTIONAL_TYPES else _missing(column, row, schema)
    complaint = TYPES[kind](row[column])
    return f"column {column!r}: {complaint}" if complaint else None


def _missing(column: str, row: Mapping[str, Any], schema: Mapping[str, str]) -> str:
    others = [str(name) for name in row if name not in schema]
    near = difflib.get_close_matches(column, others, n=1, cutoff=0.5)
    advice = f"Rename {near[0]!r} to {column!r}." if near else f"Add it; this task's columns are {', '.join(schema)}."
    return f"no column {column!r}; the row has {', '.join(map(repr, row)) or 'none'}. {advice}"


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        advice = "Fill it in" if value is None else "Make it text (in JSON: put it in quotes)"
        return f"must be text, not {_shown(value)}. {advice}, or remove the row."
    return None if value.strip() else "the text is empty. Fill it in, or remove the row."


def _label(value: Any) -> str | None:
    complaint = _text(value)
    if complaint or value == value.strip():
        return complaint
    return f"{value!r} has white space around it, which would make it another label. Remove it."


def _number(value: Any) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return None
    advice = "Fill it in" if value is None else "Write it as in 3.5"
    return f"must be a finite number, not {_shown(value)}. {advice}, or remove the row."


def _texts(value: Any, what: str) -> str | None:
    if not isinstance(value, list):
        return f"must be a list of {what}s, not {_shown(value)}. Write it as [\"...\", \"...\"]."
    if not value:
        return f"the list has no {what}. Fill it in, or remove the row."
    for number, item in enumerate(value, 1):
        complaint = _text(item)
        if complaint:
            return f"{what} {number}: {complaint}"
    return None


def _tokens(value: Any) -> str | None:
    return _texts(value, "token")


def _tags(value: Any) -> str | None:
    complaint = _texts(value, "tag")
    if complaint:
        return complaint
    before = "O"
    for number, tag in enumerate(value, 1):
        if not TAG.fullmatch(tag):
            return f"tag {number}: {tag!r} is not an IOB2 tag. Write O, or B-TYPE and I-TYPE."
        if tag[0] == "I" and before[2:] != tag[2:]:
            return f"tag {number}: {tag!r} cannot follow {before!r} in IOB2. Begin the entity with 'B-{tag[2:]}'."
        before = tag
    return None


def _answers(value: Any) -> str | None:
    form = 'Write {"text": ["..."], "answer_start": [0]}.'
    if not isinstance(value, dict):
        return f"must be an object, not {_shown(value)}. {form}"
    for name in ("text", "answer_start"):
        if not isinstance(value.get(name), list):
            return f"needs a list {name!r}. {form}"
    complaint = _texts(value["text"], "answer")
    if complaint:
        return complaint
    starts = value["answer_start"]
    if len(starts) != len(value["text"]):
        return f"{len(value['text'])} answers, but {len(starts)} in answer_start. Give each answer its start."
    wrong = [start for start in starts if not isinstance(start, int) or isinstance(start, bool) or start < 0]
    return f"answer_start must be character offsets, not {_shown(wrong[0])}. {form}" if wrong else None


TYPES: dict[str, Callable[[Any], str | None]] = {
    "text": _text,
    "label": _label,
    "number": _number,
    "id": _text,
    "tokens": _tokens,
    "tags": _tags,
    "answers": _answers,
}
"""What a schema may say of a column: each looks at a value and returns what is wrong with it, or None."""


def _uneven(row: Mapping[str, Any], tokens: str, tags: str) -> str | None:
    if len(row[tokens]) == len(row[tags]):
        return None
    return f"{len(row[tokens])} in {tokens!r}, but {len(row[tags])} in {tags!r}. Give every token one tag."


def _misplaced(row: Mapping[str, Any], context: str, answers: str) -> str | None:
    text = row[context]
    for answer, start in zip(row[answers]["text"], row[answers]["answer_start"], strict=True):
        if text[start : start + len(answer)] == answer:
            continue
        first = text.find(answer)
        advice = f"Its first occurrence is at {first}." if first >= 0 else f"It is not in {context!r}: correct it."
        found = text[start : start + len(answer)]
        return f"column {answers!r}: {answer!r} is not at answer_start {start}, there is {found!r}. {advice}"
    return None


def _shown(value: Any) -> str:
    text = "null" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
