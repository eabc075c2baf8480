"""Virtual tokens: rows of numbers that stand before every input as if they were embeddings of words, and train.

They are numbered after the last word of the vocabulary and put into the inputs as token ids, before anything is padded
or after the padding on the left. So masks, positions, pooling and generation treat them as the tokens that they are.
Knows networks; knows no task and no data.
"""

from __future__ import annotations

import itertools
from typing import Any, cast

import torch
from torch import Tensor, nn

from bench.errors import UnsupportedError
from bench.learn.checkpoint import position_limit
from bench.learn.network import Network

COMMON = 5000
"""Rows start as embeddings of words drawn from so many of the vocabulary's first (Lester et al. 2021, section 3.2)."""

UNIFORM = 0.5
"""Rows that are drawn at random lie between minus this and this (Lester et al. 2021)."""

SPARE = 16
"""Positions that a prompt must leave to the input."""


class Rows(nn.Module):
    """What makes the rows (length, width) of a prompt, and can be folded into plain rows when training is over."""

    length: int

    @property
    def reparametrised(self) -> bool:
        """Whether the rows are made rather than kept."""
        return False

    @property
    def kept(self) -> int:
        """Numbers that must be stored."""
        raise NotImplementedError

    def fold(self) -> None:
        """Keep what is made, and let go of what makes it."""


class PlainRows(Rows):
    """The rows are the parameters themselves."""

    def __init__(self, start: Tensor) -> None:
        super().__init__()
        self.length = len(start)
        self.rows = nn.Parameter(start.clone())

    @property
    def kept(self) -> int:
        """Numbers that must be stored."""
        return self.rows.numel()

    def forward(self) -> Tensor:
        """(length, width)."""
        return self.rows


class EncodedRows(Rows):
    """Rows that a small network makes of `length` embeddings (Liu et al. 2021, "GPT Understands, Too", section 3.2).

    `encoder` is "lstm" (two layers, both directions, then a perceptron with one hidden layer: the paper's) or "mlp" (a
    perceptron with two hidden layers: peft's default). Only what it makes is needed after training.
    """

    def __init__(self, length: int, width: int, encoder: str) -> None:
        super().__init__()
        self.length, self.width = length, width
        self.embeddings: nn.Module | None = nn.Embedding(length, width)
        half = max(1, width // 2)
        recurrent = encoder == "lstm"
        self.lstm = nn.LSTM(width, half, num_layers=2, bidirectional=True, batch_first=True) if recurrent else None
        widths = [2 * half, width, width] if recurrent else [width] * 4
        layers = [part for pair in itertools.pairwise(widths) for part in (nn.Linear(*pair), nn.ReLU())]
        self.perceptron: nn.Module | None = nn.Sequential(*layers[:-1])
        self.rows: nn.Parameter | None = None

    @property
    def reparametrised(self) -> bool:
        """Whether the rows are made rather than kept."""
        return self.rows is None

    @property
    def kept(self) -> int:
        """Numbers that must be stored."""
        return self.length * self.width

    def forward(self) -> Tensor:
        """(length, width)."""
        if self.rows is not None:
            return self.rows
        states = cast(nn.Embedding, self.embeddings).weight.unsqueeze(0)
        if self.lstm is not None:
            states = self.lstm(states)[0]
        return cast(Tensor, cast(nn.Module, self.perceptron)(states)).squeeze(0)

    @torch.no_grad()
    def fold(self) -> None:
        """Keep what the small network makes, and let go of it."""
        self.rows = nn.Parameter(self().float())
        self.embeddings = self.lstm = self.perceptron = None


def prepend(network: Network, rows: Rows) -> None:
    """Let `rows` train as the first tokens of every input that the network reads (of the encoder, where there is one).

    Raises UnsupportedError where they would leave too few of the network's positions.
    """
    limit = position_limit(network.config)
    if limit is not None and rows.length > limit - SPARE:
        raise UnsupportedError(
            f"a prompt of {rows.length} tokens leaves fewer than {SPARE} of the model's {limit} positions to the input"
        )
    words = words_of(network)
    network.soft = rows
    network.lead = tuple(range(words.num_embeddings, words.num_embeddings + rows.length))
    words.forward = _Reader(words, rows)  # type: ignore[method-assign]


def words_of(network: Network) -> nn.Embedding:
    """The embeddings of the words of the input: the encoder's own where there are two stacks."""
    reader: Any = network.backbone
    if network.decodes:
        reader = reader.get_encoder()
    return cast(nn.Embedding, reader.get_input_embeddings())


def common_words(network: Network, length: int) -> Tensor:
    """Embeddings (length, width) of words drawn from the vocabulary's most common, which come first in it."""
    weight = words_of(network).weight.detach()
    drawn = torch.randint(min(COMMON, len(weight)), (length,))
    return weight[drawn.to(weight.device)].float()


def random_rows(network: Network, length: int) -> Tensor:
    """Rows (length, width) drawn evenly between -UNIFORM and UNIFORM."""
    weight = words_of(network).weight
    return torch.empty(length, weight.shape[1]).uniform_(-UNIFORM, UNIFORM).to(weight.device)


class _Reader:
    """Stands in for an embedding's `forward`, and reads virtual tokens too. A copied network copies it along."""

    def __init__(self, words: nn.Embedding, rows: Rows) -> None:
        self.words, self.rows = words, rows

    def __call__(self, input: Tensor) -> Tensor:
        own = type(self.words).forward
        if input.shape[-1] <= self.rows.length:  # too short to hold the prompt: a step of a generation
            return own(self.words, input)
        virtual = input - self.words.num_embeddings
        read = own(self.words, input.clamp(max=self.words.num_embeddings - 1))
        rows = self.rows().to(read.dtype)[virtual.clamp(min=0)]
        return torch.where((virtual >= 0).unsqueeze(-1), rows, read)
