"""How fast on an accelerator, beside Trainer, and with several small cells at once: `python -m benchmarks.accelerator`.

From the repository's root; writes `benchmarks/accelerator.md`. Needs Linux and an NVIDIA GPU, or `--miniature`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.accelerator import packing, page, shapes
from benchmarks.speed import machine, process, single

PAGE = Path(__file__).resolve().parent.parent / "accelerator.md"
NONE = (
    "There is no accelerator: torch finds no CUDA device here, so nothing was measured and no page was written "
    "(--miniature --out FILE tries the same path on the processor)."
)
SIZE, MINIATURE_SIZE = 8192, 1024
"""Rows of the matrices whose product is the peak."""


def main() -> int:
    """Measure, and write the page; 2 where there is nothing to measure on."""
    asked = _arguments()
    os.environ.update(single.one_gpu())
    import torch

    if not asked.miniature and not torch.cuda.is_available():
        print(NONE, file=sys.stderr)
        return 2
    process.adopt_orphans()
    with tempfile.TemporaryDirectory() as place:
        results = _measure(Path(place), miniature=asked.miniature)
    asked.out.write_text(page.render(results), encoding="utf-8")
    print(asked.out.read_text(encoding="utf-8"))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accelerator", description=__doc__)
    parser.add_argument("--miniature", action="store_true", help="tiny models and runs, on any processor; with --out")
    parser.add_argument("--out", type=Path, help=f"the page to write (default {PAGE.name} beside this package)")
    asked = parser.parse_args()
    if asked.miniature and asked.out is None:
        parser.error("--miniature measures nothing of an accelerator: say with --out where its page is to go")
    asked.out = asked.out or PAGE
    return asked


def _measure(place: Path, *, miniature: bool) -> dict[str, Any]:
    from bench.learn.device import pick_device

    device, before = pick_device(), os.getloadavg()[0]
    peaks = machine.products(device, MINIATURE_SIZE if miniature else SIZE)
    every = shapes.shapes(place, miniature=miniature)
    trainings = single.measure([every] if miniature else [[shape] for shape in every], place)
    packed = [asdict(run) for run in packing.measure(place, miniature=miniature)]
    return {
        "miniature": miniature, "device": _named(device), "machine": machine.describe(), "peaks": peaks,
        "load": (before, os.getloadavg()[0]), "shapes": trainings, "packed": packed,
    }


def _named(device: Any) -> str:
    """The accelerator in words: its name, memory and software."""
    import torch

    if device.type != "cuda":
        return "no accelerator, but the processor"
    memory = torch.cuda.get_device_properties(0).total_memory
    return f"{torch.cuda.get_device_name(0)} ({memory / 2**30:.0f} GiB; CUDA {torch.version.cuda})"


if __name__ == "__main__":
    sys.exit(main())
