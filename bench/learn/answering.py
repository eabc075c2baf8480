"""What a network answers to encoded rows, in the batches in which a run predicts. Trains nothing, knows no metric."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from bench.learn import device as devices
from bench.learn.batch import Encoded, Example, prediction_order
from bench.learn.heads.base import HeadLogic
from bench.learner import Prediction
from bench.record import Health

Answer = Callable[[Sequence[Example]], Sequence[object]]
"""One raw answer for each example of a batch."""


@torch.inference_mode()
def answered(
    head: HeadLogic, encoded: Encoded, examples: Sequence[Example], device: torch.device, precision: str, answer: Answer
) -> tuple[list[Prediction], Health]:
    """A prediction for every row, and the health of what was answered.

    `examples` are those of `encoded`, perhaps with what was computed of them before; `answer` is asked for them.
    """
    raw: list[object] = [None] * len(examples)
    for members in prediction_order(encoded.lengths, devices.PREDICTION_TOKENS[device.type]):
        with devices.autocast(device, precision):
            answers = answer([examples[i] for i in members])
        for i, own in zip(members, answers, strict=True):
            raw[i] = own
    predictions = head.decode(raw, encoded)
    return predictions, Health(
        truncated=encoded.truncated,
        capped=head.capped(raw),
        invalid=head.invalid(raw, encoded),
        empty=sum(p == "" for p in predictions),
        distinct=len({str(p) for p in predictions}),
    )
