"""torch's fused attention as transformers runs it, without a question to the device before every forward pass.

transformers looks whether a padding mask masks anything, to leave it out where it does not; on a GPU the whole queue of
work is waited for to learn that. Batches are padded to a common length, so the answer is nearly always the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

NAME = "bench_sdpa"
"""What transformers knows it by; the name makes it check that a model can do with `sdpa`."""


def fused() -> str:
    """Make it known to transformers, and give the name to ask for it by."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.integrations.sdpa_attention import sdpa_attention_forward
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(NAME, sdpa_attention_forward)
    AttentionMaskInterface.register(NAME, unasked(sdpa_mask))
    return NAME


def unasked(make: Callable[..., Tensor | None]) -> Callable[..., Tensor | None]:
    """A function of transformers that makes masks (rows, 1, queries, keys), but whatever the padding mask holds."""

    def mask(*, attention_mask: Tensor | None = None, **asked: Any) -> Tensor | None:
        if attention_mask is not None:
            asked |= {"allow_is_causal_skip": False, "allow_is_bidirectional_skip": False}
        return make(attention_mask=attention_mask, **asked)

    return mask
