"""What the figures were measured on: processor, versions, and how fast it multiplies matrices in either precision."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

from bench import provenance

SIZES, REPEATS = (256, 384, 512, 768, 1024, 2048), 7


def describe() -> dict[str, Any]:
    """Processor, cores, versions of the libraries."""
    facts = provenance.environment()
    versions = {name: facts["packages"][name] for name in ("torch", "transformers", "peft", "optuna")}
    return {"processor": processor(), "cores": provenance.cores(), "python": facts["python"], **versions}


def processor() -> str:
    """The processor's name and the matrix and vector instructions that matter here."""
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.exists() else ""
    name = next((line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")), "?")
    known = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if f" {flag}" in text]
    return f"{name} ({', '.join(known)})"


def peaks(threads: int) -> dict[str, float]:
    """GFLOP/s of the fastest square product of SIZES in float32 and in bfloat16, each the median of several."""
    import torch

    torch.set_num_threads(threads)
    found = [products(torch.device("cpu"), size) for size in SIZES]
    return {kind: max(rates[kind] for rates in found) for kind in found[0]}


def products(device: Any, size: int) -> dict[str, float]:
    """GFLOP/s of a square product of `size` on a device in float32 and bfloat16: the median of several, in turn."""
    import torch

    from benchmarks.speed.turns import settle

    pairs = {kind: torch.randn(size, size, device=device).to(kind) for kind in (torch.float32, torch.bfloat16)}
    seconds: dict[Any, list[float]] = {kind: [] for kind in pairs}
    for _ in range(REPEATS + 1):
        for kind, matrix in pairs.items():
            settle(device)
            started = time.perf_counter()
            matrix @ matrix
            settle(device)
            seconds[kind].append(time.perf_counter() - started)
    return {
        str(kind).removeprefix("torch."): 2 * size**3 / statistics.median(taken[1:]) / 1e9
        for kind, taken in seconds.items()
    }
