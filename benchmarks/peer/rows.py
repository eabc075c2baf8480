"""Rows into what a Trainer reads: tokenised data sets with a length column, and how predictions turn into answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from datasets import Dataset

from benchmarks.peer.handed import Handed

LONGEST_ANSWER = 30
BEST = 20


@dataclass(frozen=True)
class Prepared:
    """A data set, sorted by length where it is for evaluation, and what gives one answer a row, in the rows' order."""

    data: Dataset
    answers: Callable[[Any], list[Any]]


def prepare(handed: Handed, tokenizer: Any, rows: Sequence[dict[str, Any]], *, train: bool) -> Prepared:
    """The rows of a split as its head needs them."""
    makers = {"classify": _classify, "tag": _tag, "span": _span, "generate": _generate}
    examples, decode = makers[handed.head](handed, tokenizer, rows, train)
    order = sorted(range(len(examples)), key=lambda i: len(examples[i]["input_ids"]), reverse=True)
    if train:
        order = list(range(len(examples)))
    data = Dataset.from_list([{**examples[i], "length": len(examples[i]["input_ids"])} for i in order])

    def answers(predictions: Any) -> list[Any]:
        found: list[Any] = [None] * len(order)
        for position, i in enumerate(order):
            found[i] = _one(predictions, position)
        wanted: list[Any] = decode(found)
        return wanted

    return Prepared(data, answers)


def _one(predictions: Any, position: int) -> Any:
    """One example's part of the predictions, which are an array or several."""
    return [p[position] for p in predictions] if isinstance(predictions, tuple) else predictions[position]


def _texts(handed: Handed, rows: Sequence[dict[str, Any]]) -> list[list[str]]:
    return [[str(row[column]) for row in rows] for column in handed.inputs]


def _classify(handed: Handed, tokenizer: Any, rows: Any, train: bool) -> Any:
    found = tokenizer(*_texts(handed, rows), truncation=True, max_length=handed.input_tokens)
    number = {label: i for i, label in enumerate(handed.labels)}
    examples = [
        {**{k: v[i] for k, v in found.items()}, "labels": number[row[handed.reference]]} for i, row in enumerate(rows)
    ]
    return examples, lambda raw: [handed.labels[int(best)] for best in raw]


def _tag(handed: Handed, tokenizer: Any, rows: Any, train: bool) -> Any:
    """The label stands at the first token of a word, or at the last one for a decoder."""
    words = [row[handed.inputs[0]] for row in rows]
    number = {label: i for i, label in enumerate(handed.labels)}
    examples, places = [], []
    for row, tokens in zip(rows, words, strict=True):
        found = tokenizer(tokens, is_split_into_words=True, truncation=True, max_length=handed.input_tokens)
        owners = found.word_ids()
        at: dict[int, int] = {}
        for position, word in enumerate(owners):
            if word is not None and (handed.family == "decoder" or word not in at):
                at[word] = position
        labels = [-100] * len(owners)
        for word, position in at.items():
            labels[position] = number[row[handed.reference][word]]
        examples.append({**found, "labels": labels})
        places.append(at)

    def decode(raw: Sequence[Any]) -> list[list[str]]:
        return [
            [handed.labels[int(tags[at[w]])] if w in at else handed.labels[0] for w in range(len(tokens))]
            for tags, at, tokens in zip(raw, places, words, strict=True)
        ]

    return examples, decode


def _span(handed: Handed, tokenizer: Any, rows: Any, train: bool) -> Any:
    """Windows of question and context, as in the question-answering example of transformers."""
    question, context = handed.inputs
    found = tokenizer(
        [row[question] for row in rows],
        [row[context] for row in rows],
        truncation="only_second",
        max_length=handed.input_tokens,
        stride=min(handed.stride, handed.input_tokens // 4),
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    owners = found["overflow_to_sample_mapping"]
    names = [name for name in found if name not in ("overflow_to_sample_mapping", "offset_mapping")]
    examples, offsets = [], []
    for window, owner in enumerate(owners):
        parts = found.sequence_ids(window)
        inside = [p if part == 1 else None for part, p in zip(parts, found["offset_mapping"][window], strict=True)]
        start, end = _positions(rows[owner][handed.reference], inside)
        examples.append({**{n: found[n][window] for n in names}, "start_positions": start, "end_positions": end})
        offsets.append(inside)
    contexts = [row[context] for row in rows]
    return examples, lambda raw: _spans(raw, owners, offsets, contexts)


def _positions(answers: Any, inside: Sequence[Any]) -> tuple[int, int]:
    begin = answers["answer_start"][0]
    end = begin + len(answers["text"][0])
    tokens = [i for i, p in enumerate(inside) if p is not None and p[0] < end and p[1] > begin]
    whole = tokens and inside[tokens[0]][0] <= begin and inside[tokens[-1]][1] >= end
    return (tokens[0], tokens[-1]) if whole else (0, 0)


def _spans(raw: Sequence[Any], owners: Sequence[int], offsets: Sequence[Any], contexts: Sequence[str]) -> list[str]:
    """The best span over the windows of a row, among the best starts and ends."""
    best = [(-np.inf, "")] * len(contexts)
    for (start, end), owner, inside in zip(raw, owners, offsets, strict=True):
        for i in np.argsort(start)[-BEST:]:
            for j in np.argsort(end)[-BEST:]:
                known = i < len(inside) and j < len(inside) and inside[i] is not None and inside[j] is not None
                score = start[i] + end[j]
                if known and i <= j < i + LONGEST_ANSWER and score > best[owner][0]:
                    best[owner] = (score, contexts[owner][inside[i][0] : inside[j][1]].strip())
    return [text for _, text in best]


def _generate(handed: Handed, tokenizer: Any, rows: Any, train: bool) -> Any:
    """Source and target; a decoder reads source, cue and target as one text when it trains."""
    decoder, bert = handed.family == "decoder", handed.family == "encoder"
    sources = tokenizer(_texts(handed, rows)[0], truncation=True, max_length=handed.input_tokens)["input_ids"]
    lead = " " if decoder else ""
    targets = tokenizer([lead + row[handed.reference] for row in rows], add_special_tokens=False)["input_ids"]
    stop = tokenizer.sep_token_id if bert else tokenizer.eos_token_id
    labels = [[*ids, stop][: handed.output_tokens] for ids in targets]
    if decoder:
        cue = tokenizer(handed.cue, add_special_tokens=False)["input_ids"]
        sources = [ids + cue for ids in sources]
    examples = [{"input_ids": s, "labels": t} for s, t in zip(sources, labels, strict=True)]
    if decoder and train:
        examples = [
            {"input_ids": s + t, "labels": [-100] * len(s) + t} for s, t in zip(sources, labels, strict=True)
        ]

    def decode(raw: Sequence[Any]) -> list[str]:
        ids = [[int(t) for t in row if t >= 0] for row in raw]
        cut = [row[: row.index(stop)] if stop in row else row for row in ids]
        return [text.strip() for text in tokenizer.batch_decode(cut, skip_special_tokens=True)]

    return examples, decode
