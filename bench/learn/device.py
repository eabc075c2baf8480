"""Where tensors are put, in which precision, and what that costs. Knows nothing of tasks or models."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import numpy as np
import torch

from bench import resident, spent
from bench.learn import attention

CPU_BFLOAT16_WIDTH = 128
"""Hidden size from which bfloat16 pays on processors with bfloat16 instructions (`benchmarks/precision.py`)."""

READING_TOKENS = {"cpu": 1024, "cuda": 65_536}
"""Tokens read at once, with padding: what stays in a processor's cache, and plenty for a GPU."""

WRITING_TOKENS = {"cpu": 4096, "cuda": 65_536}
"""As many where answers are written: a token of each row at a time, so that many rows must go together."""


def pick_device() -> torch.device:
    """The first GPU when there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def pick_precision(device: torch.device, width: int) -> str:
    """`bfloat16` (autocast) where the hardware has it and the model is wide enough to gain, else `float32`.

    A rule on capabilities rather than a timing: the same machine must always choose the same.
    """
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    return "bfloat16" if width >= CPU_BFLOAT16_WIDTH and _cpu_has_bfloat16() else "float32"


def _cpu_has_bfloat16() -> bool:
    capabilities = Path("/proc/cpuinfo")
    text = capabilities.read_text() if capabilities.exists() else ""
    return "avx512_bf16" in text or "amx_bf16" in text


def prediction_tokens(device: str, *, writes: bool) -> int:
    """Tokens of the batches in which a model answers, on a device of this type."""
    return (WRITING_TOKENS if writes else READING_TOKENS)[device]


def pick_attention() -> str:
    """transformers' plain attention on a processor, where it is faster for short inputs, else torch's fused one."""
    return attention.fused() if pick_device().type == "cuda" else "eager"


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[object]:
    """The context in which forward passes run."""
    if precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def seed_everything(seed: int) -> None:
    """Seed every generator that initialisation, dropout or a library may draw from."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def reset_peak_memory(device: torch.device) -> None:
    """Forget the peak so far, so that a warm worker reports each cell's own."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    resident.forget_peak()


def settle_clock(device: torch.device) -> None:
    """Let a clock that counts where the time goes wait for the GPU at the end of each part."""
    clock = spent.clock()
    if clock is not None and device.type == "cuda":
        clock.settle = lambda: torch.cuda.synchronize(device)


def peak_memory(device: torch.device) -> int | None:
    """Bytes at the peak: of the GPU, else this process's resident set; None where the system does not tell."""
    return int(torch.cuda.max_memory_allocated(device)) if device.type == "cuda" else resident.peak()
