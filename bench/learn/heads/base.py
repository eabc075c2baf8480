"""What every head offers to the training loop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from bench.learn.batch import Batch, Encoded, Example, collate
from bench.learn.checkpoint import load_backbone, position_limit
from bench.learn.memory import size
from bench.learn.network import Network
from bench.learner import Assignment, Prediction
from bench.spec import Family, Rows


def free_positions(network: Network) -> int | None:
    """How many tokens of an input the network can read, None where it has no such limit."""
    limit = position_limit(network.config)
    return None if limit is None else limit - len(network.lead)


class HeadLogic(ABC):
    """Encodes rows, builds the network, and reads losses and answers off its hidden states.

    `features` is everything below the task's head, so that where the backbone never changes it runs once an example;
    `loss` and `answers` are everything above.
    """

    writes = False
    """Whether answers are texts, written token by token, rather than read off the network at once."""

    rereads = False
    """Whether of an encoder-decoder the decoder reads the input too, and the head reads the decoder."""

    def __init__(self, assignment: Assignment, tokenizer: Any) -> None:
        self.assignment = assignment
        self.task = assignment.task
        self.model = assignment.model
        self.labels = assignment.labels
        self.tokenizer = tokenizer
        self.input_tokens = self.task.input_tokens
        """Most tokens of an input: the task's limit, or the network's where that is smaller (set by `fit_to`)."""
        self.positions: int | None = None
        """How many tokens of an input the network can read, None where there is no such limit (set by `fit_to`)."""
        self.also_here: set[str] = set()
        """Entries of a batch of which a copy stays on the processor (`bench.learn.batch.here`)."""
        self.fills = {"ids": tokenizer.pad_token_id, "types": 0, "labels": -100, "targets": -100}

    def fit_to(self, network: Network) -> None:
        """Heed how many positions the network has, less those of virtual tokens."""
        self.positions = free_positions(network)
        if self.positions is not None:
            self.input_tokens = min(self.input_tokens, self.positions)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What this head found in the training rows and needs to answer; `Assignment.facts` gives it back to another.

        A head that is given facts must not look at the training rows: there are none.
        """
        return {}

    @property
    def decoder(self) -> bool:
        """Whether tokens see only what stands to their left."""
        return self.model.family is Family.DECODER

    def collate(self, examples: Sequence[Example], device: torch.device) -> Batch:
        """Pad on the right."""
        return collate(examples, self.fills, device, limit=self.positions, also_here=self.also_here)

    def build(self, *, pretrained: bool) -> Network:
        """A network with a new linear head of `self.outputs` outputs."""
        rereads = self.rereads and self.model.family is Family.ENCODER_DECODER
        backbone = load_backbone(self.model, self.assignment.revision, pretrained=pretrained, decoder=rereads)
        head = nn.Linear(int(cast(Any, backbone.config).hidden_size), self.outputs)
        return Network(backbone, self.model.family, head, rereads=rereads)

    @property
    def outputs(self) -> int:
        """Scores of the head for one vector."""
        return len(self.labels)

    @abstractmethod
    def encode(self, rows: Rows, *, targets: bool) -> Encoded:
        """Rows as examples; with `targets`, the answers too (rows then must have them)."""

    @abstractmethod
    def features(self, network: Network, batch: Batch) -> Tensor:
        """What the head reads: a tensor whose first dimension is the rows of the batch."""

    @abstractmethod
    def loss(self, network: Network, features: Tensor, batch: Batch) -> Tensor:
        """The task's mean loss over the batch, a scalar."""

    def targets(self, batch: Batch) -> int:
        """Over how many targets `loss` is the mean: here one a row."""
        return size(batch)

    @abstractmethod
    def answers(self, network: Network, features: Tensor, batch: Batch) -> list[Any]:
        """One raw answer for each example of the batch."""

    @abstractmethod
    def decode(self, raw: Sequence[Any], encoded: Encoded) -> list[Prediction]:
        """One prediction for each row, from the raw answers of its examples in order."""

    def capped(self, raw: Sequence[Any]) -> int:
        """Answers that a length limit cut short."""
        return 0

    def invalid(self, raw: Sequence[Any], encoded: Encoded) -> int:
        """Answers that are, in whole or in part, none that the task knows."""
        return 0

    def predict(self, network: Network, examples: Sequence[Example], device: torch.device) -> list[Any]:
        """Raw answers for one batch of examples, straight from their tokens."""
        batch = self.collate(examples, device)
        return self.answers(network, self.features(network, batch), batch)
