"""Small random edits of a row's words that leave its answer right. Knows rows and tasks; no tokens, no tensors."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.spec import Head, Row, Rows, Task

Piece = tuple[int, bool]
"""A word by its number in the original, and whether it is masked."""

Operation = Callable[[list[Piece], Sequence[int], int, random.Random], list[Piece]]
"""Edits pieces at those of the given places so many times."""


def edited_rows(rows: Rows, task: Task, *, share: float, mask: str | None, rng: random.Random) -> list[Row]:
    """Each row with one kind of edit, drawn at random, to a `share` of its words (at least one).

    The kinds are those of EDA (Wei and Zou 2019): swaps, deletions, insertions; and, where there is a `mask` word,
    masking. Inserted words are the row's own: theirs are synonyms, for which a thesaurus would be needed, as for their
    fourth kind, replacement. A tag stays with its word and the words of an entity together; an answer inside a text
    stays as it is and its offset is moved; a text to be written is not touched.
    """
    edited = {Head.TAG: _tagged, Head.SPAN: _answered}.get(task.head, _written)

    def edit(count: int, fixed: Sequence[int]) -> list[Piece]:
        return _edit(count, fixed, share, mask, rng)

    return [{**row, **edited(row, task, edit, mask)} for row in rows]


Edit = Callable[[int, Sequence[int]], list[Piece]]
"""From the number of pieces, and those that must stay as they are, to the edited pieces."""


def _edit(count: int, fixed: Sequence[int], share: float, mask: str | None, rng: random.Random) -> list[Piece]:
    free = [i for i in range(count) if i not in fixed]
    pieces = [(i, False) for i in range(count)]
    if not free:
        return pieces
    operation = rng.choice(OPERATIONS if mask else OPERATIONS[:-1])
    return operation(pieces, free, max(1, round(share * len(free))), rng)


def _swap(pieces: list[Piece], free: Sequence[int], times: int, rng: random.Random) -> list[Piece]:
    for _ in range(times if len(free) > 1 else 0):
        one, other = rng.sample(free, 2)
        pieces[one], pieces[other] = pieces[other], pieces[one]
    return pieces


def _delete(pieces: list[Piece], free: Sequence[int], times: int, rng: random.Random) -> list[Piece]:
    """Something is always left."""
    gone = set(rng.sample(free, min(times, len(free), len(pieces) - 1)))
    return [piece for i, piece in enumerate(pieces) if i not in gone]


def _insert(pieces: list[Piece], free: Sequence[int], times: int, rng: random.Random) -> list[Piece]:
    for _ in range(times):
        pieces.insert(rng.randrange(len(pieces) + 1), (rng.choice(free), False))
    return pieces


def _mask(pieces: list[Piece], free: Sequence[int], times: int, rng: random.Random) -> list[Piece]:
    hidden = set(rng.sample(free, min(times, len(free))))
    return [(number, i in hidden) for i, (number, _) in enumerate(pieces)]


OPERATIONS: tuple[Operation, ...] = (_swap, _delete, _insert, _mask)


def _written(row: Row, task: Task, edit: Edit, mask: str | None) -> Mapping[str, Any]:
    """Every input is edited by itself."""
    return {column: _edited_text(str(row[column]), edit, mask) for column in task.inputs}


def _edited_text(text: str, edit: Edit, mask: str | None) -> str:
    words = text.split()
    return " ".join(_word(words[number], masked, mask) for number, masked in edit(len(words), ()))


def _word(word: str, masked: bool, mask: str | None) -> str:
    return mask if masked and mask else word


def _tagged(row: Row, task: Task, edit: Edit, mask: str | None) -> Mapping[str, Any]:
    """Pieces are single words, or all words of one entity (B-X I-X ...)."""
    column = task.inputs[0]
    tags = list(row[task.reference])
    starts = [i for i, tag in enumerate(tags) if i == 0 or not str(tag).startswith("I-")]
    pieces = [range(start, end) for start, end in zip(starts, [*starts[1:], len(tags)], strict=True)]
    found = [(i, masked) for number, masked in edit(len(pieces), ()) for i in pieces[number]]
    return {
        column: [_word(row[column][i], masked, mask) for i, masked in found],
        task.reference: [tags[i] for i, _ in found],
    }


def _answered(row: Row, task: Task, edit: Edit, mask: str | None) -> Mapping[str, Any]:
    """The words of the context around the first answer, with what is joined to it, are edited; the question is not."""
    column, answers = task.inputs[1], row[task.reference]
    context, text, start = str(row[column]), answers["text"][0], answers["answer_start"][0]
    before, after = context[:start].split(" "), context[start + len(text) :].split(" ")
    place = len(before) - 1
    words = [*before[:-1], before[-1] + text + after[0], *after[1:]]
    found = edit(len(words), (place,))
    made = [_word(words[number], masked, mask) for number, masked in found]
    at = next(i for i, (number, _) in enumerate(found) if number == place)
    offset = len(" ".join([*made[:at], ""])) + len(before[-1])
    return {column: " ".join(made), task.reference: {**answers, "text": [text], "answer_start": [offset]}}
