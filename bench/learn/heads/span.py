"""A stretch of the context that answers the question, found in overlapping windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from bench.learn.batch import Batch, Encoded
from bench.learn.heads.base import HeadLogic
from bench.learn.network import Network
from bench.learner import Prediction
from bench.spec import Row, Rows

LONGEST_ANSWER = 30
"""Tokens: the limit of the original BERT SQuAD decoder (Devlin et al. 2019)."""

IMPOSSIBLE = -1e9
"""The score of a place where no answer may begin or end."""

NOWHERE = 0
"""The token that start and end point to in a window without the answer; no context token ever stands there."""


class Span(HeadLogic):
    """Start and end scores for every context token.

    Question and context are read together; a context that does not fit is read in windows that overlap by
    `task.stride` tokens. A window without the answer points to its first token, so that scores of windows compare: a
    span's score is the sum of its log-probabilities of start and end within its window.

    The decoder of an encoder-decoder reads the input once more, and its states are scored, as in transformers'
    T5ForQuestionAnswering and BartForQuestionAnswering (Lewis et al. 2020, section 3.2).
    """

    rereads = True

    @property
    def outputs(self) -> int:
        return 2

    def encode(self, rows: Rows, *, targets: bool) -> Encoded:
        """Windows of rows. Counted as truncated: rows whose question is cut, or whose answer fits into no window."""
        question, context = self.task.inputs
        examples: list[dict[str, Any]] = []
        owner, notes = [], []
        questions = [self._short(str(row[question])) for row in rows]
        unread = {number for number, row in enumerate(rows) if questions[number] != str(row[question])}
        tokens = self.tokenizer(
            questions,
            [self._lead + str(row[context]) for row in rows],
            truncation="only_second",
            max_length=self.input_tokens,
            stride=min(self.task.stride, self.input_tokens // 4),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_attention_mask=False,
        )
        for window, number in enumerate(tokens["overflow_to_sample_mapping"]):
            places = self._places(tokens, window)
            example = {"ids": tokens["input_ids"][window], "allowed": [int(p is not None) for p in places]}
            if "token_type_ids" in tokens:
                example["types"] = tokens["token_type_ids"][window]
            if targets:
                example["start"], example["end"] = _target(rows[number][self.task.reference], places)
            examples.append(example)
            owner.append(number)
            notes.append((str(rows[number][context]), places))
        if targets:
            unread |= set(range(len(rows))) - {n for n, e in zip(owner, examples, strict=True) if e["end"] != NOWHERE}
        return Encoded(examples, owner, len(rows), len(unread), notes)

    @property
    def _lead(self) -> str:
        """Left-to-right tokenizers put no mark between question and context: a space keeps the first word whole."""
        return " " if self.decoder else ""

    def _short(self, question: str) -> str:
        """The question, cut to a third of the window where it is longer, so that some context always fits."""
        limit = self.input_tokens // 3
        if len(question) <= limit:  # characters bound tokens
            return question
        offsets = self.tokenizer(question, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        return question if len(offsets) <= limit else question[: offsets[limit - 1][1]]

    def _places(self, tokens: Any, window: int) -> list[tuple[int, int] | None]:
        """For each token its characters in the context, None for all that is not context."""
        lead = len(self._lead)
        return [
            (max(0, start - lead), end - lead)
            if part == 1 and end - lead > max(0, start - lead) and i != NOWHERE
            else None
            for i, (part, (start, end)) in enumerate(
                zip(tokens.sequence_ids(window), tokens["offset_mapping"][window], strict=True)
            )
        ]

    def collate(self, examples: Sequence[Any], device: torch.device) -> Batch:
        self.fills["allowed"] = 0
        return super().collate(examples, device)

    def features(self, network: Network, batch: Batch) -> Tensor:
        """(windows, tokens, width)."""
        return network.hidden(batch)

    def loss(self, network: Network, features: Tensor, batch: Batch) -> Tensor:
        start, end = _log_probabilities(network, features, batch)
        return (functional.nll_loss(start, batch["start"]) + functional.nll_loss(end, batch["end"])) / 2

    def answers(self, network: Network, features: Tensor, batch: Batch) -> list[Any]:
        """(score, first token, last token) of each window's best span."""
        start, end = _log_probabilities(network, features, batch)
        closed = batch["allowed"] == 0
        start, end = start.masked_fill(closed, IMPOSSIBLE), end.masked_fill(closed, IMPOSSIBLE)
        ends = functional.pad(end, (0, LONGEST_ANSWER - 1), value=IMPOSSIBLE).unfold(1, LONGEST_ANSWER, 1)
        best_end, length = ends.max(-1)  # for every start, over the ends within reach
        score, first = (start + best_end).max(-1)
        last = first + length.gather(1, first.unsqueeze(1)).squeeze(1)
        return list(zip(score.tolist(), first.tolist(), last.tolist(), strict=True))

    def decode(self, raw: Sequence[Any], encoded: Encoded) -> list[Prediction]:
        """The best span over all windows of a row."""
        best: list[tuple[float, str]] = [(float("-inf"), "")] * encoded.rows
        for (score, first, last), row, (context, places) in zip(raw, encoded.owner, encoded.notes, strict=True):
            if score > best[row][0] and places[first] is not None and places[last] is not None:
                best[row] = (score, context[places[first][0] : places[last][1]].strip())
        return [text for _, text in best]


def _target(answers: Row, places: Sequence[tuple[int, int] | None]) -> tuple[int, int]:
    """First and last token of the first given answer, or NOWHERE when the window does not hold it whole."""
    begin = answers["answer_start"][0]
    finish = begin + len(answers["text"][0])
    inside = [i for i, p in enumerate(places) if p is not None and p[0] < finish and p[1] > begin]
    whole = inside and places[inside[0]][0] <= begin and places[inside[-1]][1] >= finish  # type: ignore[index]
    return (inside[0], inside[-1]) if whole else (NOWHERE, NOWHERE)


def _log_probabilities(network: Network, features: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    assert network.head is not None
    scores = network.head(features).float()
    closed = batch["allowed"] == 0
    closed[:, NOWHERE].fill_(False)
    logs = scores.masked_fill(closed.unsqueeze(-1), IMPOSSIBLE).log_softmax(1)
    return logs[..., 0], logs[..., 1]
