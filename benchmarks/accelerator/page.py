"""What was measured on an accelerator as a page. A pure function of the results."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.speed.single import LOADED, LOADERS
from benchmarks.speed.tables import ratios, table

PEERS = {"peer_bfloat16": "0", LOADED: str(LOADERS)}
"""The peer's sides, and the processes beside its own that make its batches."""

HEADER = """# On an accelerator

One training by `bench` against one by `transformers.Trainer`, both in bfloat16, of models with the shapes of bert-base,
t5-small and gpt2 and random weights; then small cells packed on the device, several at once. One GPU is used, also
where there are several: the first of CUDA_VISIBLE_DEVICES.

```bash
python -m benchmarks.accelerator                             # measures, and writes this page; needs one NVIDIA GPU
python -m benchmarks.accelerator --miniature --out tiny.md   # the same path with tiny models, on any processor
```

`constraints.txt` pins torch to its build for the processor, which finds no GPU. On a machine with a GPU install without
it, torch of the same version from the default index first:

```bash
pip install torch==2.13.0
pip install -e .
```
"""

NOT_RUN = """**Not run yet**: there was no accelerator to measure on, so nothing is known of the speed there. What was
tried is `--miniature` on a processor, which shows that the command works and nothing else.
"""

SINGLE = """## One training against one

The method is `full`, with the default number of rows a batch; rows as they come, and rows as long as the task reads.
**The target is a ratio of at least 2**: twice the examples a second of Trainer. Figures are medians, ratios by round.

Both sides in one process with the environment of our workers, in turn, the first round of each not counted. Timed are
a copy of the loaded network, its training, and one evaluation at its end, of two rows: a random T5 writes to its cap.
Imports, tokenising, loading a checkpoint and making a Trainer are not timed. Trainer makes its batches in its own
process or in two beside it, and the faster of both counts, by its median; the miniature has the first alone.

The share is of the matrix product's peak in bfloat16, measured in the same run: six operations a parameter of the
layers and real token of the training, none of the evaluation. Memory is the peak of what the side itself holds; on
either side that includes the loaded network, of which each training takes a copy.
"""

PACKED = """## Small cells at once

The same {cells} cells of `glue-lite` as one run with more and more workers (`--workers`), its start included; then,
in the next round, with fewer and fewer. Medians of {rounds}, with their range.
"""


def render(results: Mapping[str, Any] | None) -> str:
    """The page; None where nothing was measured."""
    if results is None:
        return f"{HEADER}\n{NOT_RUN}"
    packed = results["packed"]
    rounds = len(packed[0]["walls"])
    told = PACKED.format(cells=packed[0]["cells"], rounds=f"{rounds} round{'s' * (rounds != 1)}")
    return "\n".join([HEADER, _machine(results), SINGLE, _single(results), told, _packed(packed)])


def _machine(results: Mapping[str, Any]) -> str:
    told = ", ".join(f"{name} {value}" for name, value in results["machine"].items())
    peaks = ", ".join(f"{rate / 1000:,.1f} TFLOP/s in {kind}" for kind, rate in results["peaks"].items())
    note = "\n**A miniature: its figures say nothing of an accelerator.**\n" if results["miniature"] else ""
    load = "load {:.1f} before and {:.1f} after".format(*results["load"])
    return f"Measured on {results['device']}; {told}; {load}. Matrix product: {peaks}.\n{note}"


def _single(results: Mapping[str, Any]) -> str:
    rows = [["model, task, length", "Trainer", "its loaders", "ours", "ratio (target 2)", "share of the peak, Trainer",
             "ours", "precision, ours", "memory, Trainer", "ours"]]
    for found in results["shapes"]:
        walls = {side: [wall for wall, _ in turns] for side, turns in found["rounds"].items()}
        best = min((side for side in PEERS if side in walls), key=lambda side: statistics.median(walls[side]))
        peer, ours = walls[best], walls["ours"]
        rows.append([
            found["shape"]["name"], _speed(found["examples"], peer), PEERS[best], _speed(found["examples"], ours),
            ratios(peer, ours), *(_share(found["flop"], side, results["peaks"]["bfloat16"]) for side in (peer, ours)),
            found["precision"], *(_size(found["memory"][side]) for side in (best, "ours")),
        ])
    return table(rows)


def _speed(examples: int, seconds: Sequence[float]) -> str:
    return f"{examples / statistics.median(seconds):,.0f} examples/s"


def _share(flop: float, seconds: Sequence[float], peak: float) -> str:
    return f"{flop / statistics.median(seconds) / 1e9 / peak:.1%}"


def _packed(runs: Sequence[Mapping[str, Any]]) -> str:
    rows = [["workers", "wall time", "cells a minute", "beside the first row", "largest peak of a cell"]]
    for run in runs:
        rows.append([
            str(run["workers"]), _seconds(run["walls"]), f"{60 * run['cells'] / statistics.median(run['walls']):.1f}",
            ratios(runs[0]["walls"], run["walls"]), _size(run["peak"]),
        ])
    return table(rows)


def _seconds(walls: Sequence[float]) -> str:
    spread = f" ({min(walls):.1f} to {max(walls):.1f})" if len(walls) > 1 else ""
    return f"{statistics.median(walls):.1f} s{spread}"


def _size(size: int | None) -> str:
    return "" if size is None else f"{size / 2**20:,.0f} MiB"
