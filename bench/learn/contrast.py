"""The sentence-level objective of pretraining: which two halves come from one document?

A contrastive loss over mean-pooled halves with the other documents of the batch as negatives (Giorgi et al. 2021,
DeCLUTR; Oord et al. 2018, InfoNCE). What the halves of a review share is its stance, which predicting single tokens
taught these small models only after far more text.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bench.learn.objectives import Documents, Vocabulary, padded
from bench.spec import Family

TEMPERATURE = 0.1
"""What cosines are divided by."""


def halves(documents: Documents, words: Vocabulary) -> tuple[list[list[int]], list[list[int]]]:
    """Each document cut at the end of a sentence nearest its middle; special tokens stand around both parts."""
    firsts, seconds = [], []
    for document in documents:
        begin = int(words.special[document[0]])
        end = len(document) - int(words.special[document[-1]])
        body = list(document[begin:end])
        cut = _middle(body, words)
        firsts.append([*document[:begin], *body[:cut], *document[end:]])
        seconds.append([*document[:begin], *body[cut:], *document[end:]])
    return firsts, seconds


def _middle(body: list[int], words: Vocabulary) -> int:
    ends = [i + 1 for i, token in enumerate(body[:-1]) if words.ends_sentence[token]]
    return min(ends, key=lambda place: abs(2 * place - len(body)), default=max(1, len(body) // 2))


def contrast_loss(network: Any, family: Family, documents: Documents, words: Vocabulary) -> Tensor:
    """Mean cross-entropy (nats) of finding each half's partner among the other halves of the batch, both ways."""
    firsts, seconds = halves(documents, words)
    pooled = _pooled(network, family, [*firsts, *seconds], words)
    likeness = (pooled[: len(firsts)] @ pooled[len(firsts) :].T).float() / TEMPERATURE
    partner = torch.arange(len(firsts), device=likeness.device)
    return (functional.cross_entropy(likeness, partner) + functional.cross_entropy(likeness.T, partner)) / 2


def _pooled(network: Any, family: Family, documents: Documents, words: Vocabulary) -> Tensor:
    """(documents, hidden): the mean of the last hidden states over real tokens, of length one."""
    device = next(network.parameters()).device
    ids, real = padded(documents, words.pad)
    mask = torch.from_numpy(real.astype(np.int64)).to(device)
    body = {Family.ENCODER: "bert", Family.DECODER: "transformer", Family.ENCODER_DECODER: "encoder"}[family]
    states = getattr(network, body)(torch.from_numpy(ids).to(device), attention_mask=mask).last_hidden_state
    weights = mask.unsqueeze(-1).float()
    return functional.normalize((states.float() * weights).sum(1) / weights.sum(1), dim=-1)
