"""What was measured on an accelerator as a page. A pure function of the results."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.speed.tables import ratios, table

HEADER = """# On an accelerator

One training by `bench` against one by `transformers.Trainer`, both in bfloat16, of models with the shapes of bert-base,
t5-small and gpt2 and random weights; then small cells packed on the device, several at once.

```bash
python -m benchmarks.accelerator                             # measures, and writes this page; needs one NVIDIA GPU
python -m benchmarks.accelerator --miniature --out tiny.md   # the same path with tiny models, on any processor
```
"""

NOT_RUN = """**Not run yet**: there was no accelerator to measure on, so nothing is known of the speed there. What was
tried is `--miniature` on a processor, which shows that the command works and nothing else.
"""

SINGLE = """## One training against one

The method is `full`, with the default number of rows a batch; rows as they come, and rows as long as the task reads.
Both sides in one process, in turn, the first round of each not counted. What is timed is a copy of a loaded network,
its training, and one evaluation of two rows at its end; no imports, no tokenising. The share is of the matrix
product's peak in bfloat16, measured in the same run: six operations a parameter of the layers and real token. Memory
is the peak of what the side itself holds. Aimed at: twice the peer's examples a second.
"""

PACKED = """## Small cells at once

The same {cells} cells of `glue-lite` as one run with more and more workers (`--workers`), its start included.
"""


def render(results: Mapping[str, Any] | None) -> str:
    """The page; None where nothing was measured."""
    if results is None:
        return f"{HEADER}\n{NOT_RUN}"
    parts = [HEADER, _machine(results), SINGLE, _single(results), PACKED.format(cells=results["packed"][0]["cells"])]
    return "\n".join([*parts, _packed(results["packed"])])


def _machine(results: Mapping[str, Any]) -> str:
    told = ", ".join(f"{name} {value}" for name, value in results["machine"].items())
    peaks = ", ".join(f"{rate / 1000:,.1f} TFLOP/s in {kind}" for kind, rate in results["peaks"].items())
    note = "\n**A miniature: its figures say nothing of an accelerator.**\n" if results["miniature"] else ""
    return f"Measured on {results['device']}; {told}. Matrix product: {peaks}.\n{note}"


def _single(results: Mapping[str, Any]) -> str:
    rows = [["model, task, length", "Trainer", "ours", "ratio", "share of the peak, Trainer", "ours", "precision, ours",
             "memory, Trainer", "ours"]]
    for found in results["shapes"]:
        peer, ours = ([wall for wall, _ in found["rounds"][side]] for side in ("peer_bfloat16", "ours"))
        rows.append([
            found["shape"]["name"], *(f"{found['examples'] / statistics.median(side):,.0f} examples/s"
                                      for side in (peer, ours)),
            ratios(peer, ours), *(_share(found["flop"], side, results["peaks"]["bfloat16"]) for side in (peer, ours)),
            found["precision"], *(_size(found["memory"][side]) for side in ("peer_bfloat16", "ours")),
        ])
    return table(rows)


def _share(flop: float, seconds: Sequence[float], peak: float) -> str:
    return f"{flop / statistics.median(seconds) / 1e9 / peak:.1%}"


def _packed(runs: Sequence[Mapping[str, Any]]) -> str:
    rows = [["workers", "wall time", "cells a minute", "beside the first row", "largest peak of a cell"]]
    for run in runs:
        rows.append([
            str(run["workers"]), f"{run['wall']:.1f} s", f"{60 * run['cells'] / run['wall']:.1f}",
            f"{runs[0]['wall'] / run['wall']:.1f}", _size(run["peak"]),
        ])
    return table(rows)


def _size(size: int | None) -> str:
    return "" if size is None else f"{size / 2**20:,.0f} MiB"
