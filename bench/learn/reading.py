"""The inputs of a row as a model reads them: a text, a pair of texts, or one text made of them.

Knows tasks, models and tokenizers; knows no head and no network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.spec import Family, Model, Row, Rows, Task

BETWEEN = "\n"
"""What stands between two texts where a tokenizer has no mark of its own for it."""

MOST_NATIVE = 2
"""Texts that a tokenizer can put its marks around at once."""


@dataclass(frozen=True)
class Read:
    """Token ids of each row, which text each token belongs to (None where that is not marked), how many were cut."""

    ids: list[list[int]]
    types: list[list[int]] | None
    truncated: int


def read(rows: Rows, task: Task, model: Model, tokenizer: Any, limit: int) -> Read:
    """The inputs of each row in at most `limit` tokens, the longest text being shortened first.

    A model that knows the task by a prompt reads that (`Task.prompt`). Others read a pair as their tokenizer marks it
    ([SEP] and token types for BERT, `</s>` for T5). Decoders have no such mark: they read one text after the other.
    """
    template = template_for(task, model)
    if template is None:
        return _native([[str(row[column]) for row in rows] for column in task.inputs], tokenizer, limit)
    return _written(template, rows, task.inputs, tokenizer, limit)


def template_for(task: Task, model: Model) -> str | None:
    """How the inputs become one text, columns in braces; None where the tokenizer puts its own marks around them."""
    if model.prompted and task.prompt:
        return prompt_template(task)
    if len(task.inputs) > (1 if model.family is Family.DECODER else MOST_NATIVE):
        return BETWEEN.join(f"{{{column}}}" for column in task.inputs)
    return None


def prompt_template(task: Task) -> str:
    """The task's prompt with the inputs in their places: after it, unless it says where."""
    return task.prompt if "{" in task.prompt else task.prompt + " ".join(f"{{{column}}}" for column in task.inputs)


def _native(columns: Sequence[list[str]], tokenizer: Any, limit: int) -> Read:
    whole = tokenizer(*columns, return_attention_mask=False)["input_ids"]
    cut = tokenizer(*columns, truncation="longest_first", max_length=limit, return_attention_mask=False)
    truncated = sum(len(a) > len(b) for a, b in zip(whole, cut["input_ids"], strict=True))
    return Read(cut["input_ids"], cut.get("token_type_ids") if len(columns) > 1 else None, truncated)


def _written(template: str, rows: Rows, columns: Sequence[str], tokenizer: Any, limit: int) -> Read:
    texts = [template.format_map(row) for row in rows]
    made: list[list[int]] = tokenizer(texts, return_attention_mask=False)["input_ids"]
    long = [i for i, ids in enumerate(made) if len(ids) > limit]
    for i in long:
        made[i] = _fitted_row(template, rows[i], columns, tokenizer, limit)
    return Read(made, None, len(long))


def _fitted_row(template: str, row: Row, columns: Sequence[str], tokenizer: Any, limit: int) -> list[int]:
    def ids(texts: Mapping[str, str]) -> list[int]:
        found: list[int] = tokenizer(template.format_map(texts), return_attention_mask=False)["input_ids"]
        return found

    return list(fitted({column: str(row[column]) for column in columns}, ids, tokenizer, limit)[0])


def fitted(
    texts: Mapping[str, str], tokens: Callable[[Mapping[str, str]], Sequence[int]], tokenizer: Any, limit: int
) -> tuple[Sequence[int], bool]:
    """What `tokens` makes of the texts once the longest are so short that it is at most `limit`, and whether any was.

    Where nothing is left of the texts and it is still too long, its end is cut off.
    """
    ids, cut = tokens(texts), False
    while len(ids) > limit and any(texts.values()):
        texts, cut = _shortened(texts, len(ids) - limit, tokenizer), True
        ids = tokens(texts)
    return ids[: max(0, limit)], cut or len(ids) > limit


def _shortened(texts: Mapping[str, str], excess: int, tokenizer: Any) -> dict[str, str]:
    """The texts without `excess` tokens, each taken from the end of the one that is then the longest."""
    places = {
        name: tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        for name, text in texts.items()
    }
    kept = {name: len(found) for name, found in places.items()}
    for _ in range(min(excess, sum(kept.values()))):
        kept[max(kept, key=lambda name: kept[name])] -= 1
    return {name: _first(text, places[name], kept[name]) for name, text in texts.items()}


def _first(text: str, places: Sequence[tuple[int, int]], tokens: int) -> str:
    """The text up to its token number `tokens`, shorter than before where a token is left out."""
    if tokens == len(places):
        return text if places else ""
    return text[: min(places[tokens - 1][1], len(text) - 1)] if tokens else ""
