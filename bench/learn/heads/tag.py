"""One tag for every word, read off one token of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.nn import functional

from bench.learn.batch import Batch, Encoded
from bench.learn.heads.base import HeadLogic
from bench.learn.network import Network
from bench.learner import Prediction
from bench.spec import Rows

OUTSIDE = "O"


class Tag(HeadLogic):
    """Hidden states of one token a word into tag scores.

    The token is the word's first (Devlin et al. 2019), or its last in a left-to-right model, whose first token has not
    seen the rest of the word.
    """

    def encode(self, rows: Rows, *, targets: bool) -> Encoded:
        index = {label: i for i, label in enumerate(self.labels)}
        words = [list(row[self.task.inputs[0]]) for row in rows]
        tokens = self.tokenizer(
            [" ".join(w) for w in words],
            truncation=True,
            max_length=self.input_tokens,
            return_offsets_mapping=True,
            return_attention_mask=False,
        )
        examples: list[dict[str, Any]] = []
        notes, truncated = [], 0
        for row, row_words, ids, offsets in zip(
            rows, words, tokens["input_ids"], tokens["offset_mapping"], strict=True
        ):
            places = self._places(row_words, offsets)
            example: dict[str, Any] = {"ids": ids or [self.tokenizer.pad_token_id]}
            if targets:
                labels = [-100] * len(example["ids"])
                for word, place in places.items():
                    labels[place] = index[row[self.task.reference][word]]
                example["labels"] = labels
            examples.append(example)
            notes.append((len(row_words), places))
            truncated += len(places) < len(row_words)
        return Encoded(examples, range(len(rows)), len(rows), truncated, notes)

    def _places(self, words: Sequence[str], offsets: Sequence[tuple[int, int]]) -> dict[int, int]:
        """The token at which each word is read; words that were cut away are missing."""
        owner = [w for w, word in enumerate(words) for _ in range(len(word) + 1)]
        places: dict[int, int] = {}
        for position, (start, end) in enumerate(offsets):
            if end <= start:
                continue
            word = owner[end - 1]  # a token may begin with the space before its word, never end with it
            if self.decoder or word not in places:
                places[word] = position
        return places

    def features(self, network: Network, batch: Batch) -> Tensor:
        """(rows, tokens, width)."""
        return network.hidden(batch)

    def loss(self, network: Network, features: Tensor, batch: Batch) -> Tensor:
        return functional.cross_entropy(_scores(network, features).flatten(0, 1), batch["labels"].flatten())

    def targets(self, batch: Batch) -> int:
        return int((batch["labels"] != -100).sum())

    def answers(self, network: Network, features: Tensor, batch: Batch) -> list[Any]:
        best: list[Any] = _scores(network, features).argmax(-1).tolist()
        return best

    def decode(self, raw: Sequence[Any], encoded: Encoded) -> list[Prediction]:
        """Words that could not be read are outside."""
        return [
            [self.labels[best[places[w]]] if w in places else OUTSIDE for w in range(length)]
            for best, (length, places) in zip(raw, encoded.notes, strict=True)
        ]


def _scores(network: Network, features: Tensor) -> Tensor:
    assert network.head is not None
    scores: Tensor = network.head(features)
    return scores.float()
