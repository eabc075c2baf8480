"""The results as `benchmarks/README.md`: ratios with their spread, scores beside each other, what it was measured on.

A pure function of the results.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from bench.spent import PARTS as PARTS_OF_WORK
from bench.spent import WORK
from benchmarks.speed import flops
from leaderboard import paired

Results = Mapping[str, Any]

HEADER = """# Speed

How long `bench run` takes beside the script that people write today: `transformers.Trainer` with
`hyperparameter_search(backend="optuna")`, one process a cell ([peer](peer)), dynamic padding, length grouping, fused
AdamW, large evaluation batches, a pruner, and bfloat16 where a few steps of its own were faster with it, on as many
threads as torch takes by itself. Same rows, trials, seeds, epochs, batch sizes, ranges of rates and numbers of
evaluations; the same metric scores both. In a round all cells are made by one side, then by the other; the next round
begins with the other one. Processor time, over all processes of a side, stands beside wall time. Ours is the whole
command, with `--profile`: it looks at checkpoints, trains, mirrors to W&B without a network, and publishes the board.

Ours makes a cell on each core at a time, the script one cell on all cores: a part of the ratio is that. So for the
samples the script runs once more, as many cells at once as there are cores, on one thread each.

The networks are those that each side's users get, and differ in three places. `T5ForSequenceClassification` runs
encoder and decoder where ours reads the encoder alone. `EncoderDecoderModel` begins with random cross-attention where
ours begins with a copy of the self-attention (`summarization` and `translation` with BERT). The head of
`T5ForTokenClassification` begins with weights of standard deviation 1, ours with 0.02: begun `d_model ** -0.5` times as
large, the peer's `ner/t5-mini` scores 55.7 instead of 44.4 with freeze, 59.2 instead of 41.9 with lora and 58.6 instead
of 53.8 with head_only.

```bash
python -m benchmarks.speed                   # a sample of cells, with and without pruning, and single trainings
python -m benchmarks.speed --parts whole     # the whole of glue-lite, some 40 minutes a round
python -m benchmarks.speed --sst2 DIR        # also MiniLM, on DIR/sentiment/{train,validation,test}.jsonl
```

What was tried to make it faster, and what each lever gives: [levers.md](levers.md). On an accelerator:
[accelerator.md](accelerator.md). How time grows with rows, length, parameters, trials and
cells: [growth.md](growth.md). What is waited for when nothing trains: [waits.md](waits.md).
"""

TARGETS = """## Asked and reached

What these very trainings would allow at most: if nothing but their matrix products took time, at the rate of the
fastest product that was measured here; and if nothing but the kernels of torch did that they call now. Other kernels,
or a search that makes fewer trainings, could pass that. What was tried: [levers.md](levers.md).

| what | asked | reached | nothing but products | nothing but torch's kernels |
| --- | --- | --- | --- | --- |
"""

NARROW = (64, 128)
"""Hidden sizes of which no more than 1.3 is asked."""

CHANCE = 0.05
"""Below this p two sides differ."""

SECTIONS = {
    "whole": "The whole of glue-lite", "grid": "A sample of its cells", "unpruned": "The sample without pruning",
}

CELL_NOTE = """Seconds of a cell: the peer's whole process, on all cores; ours one worker on one core, with another cell
beside it, start-up not counted. Ours makes a cell on each core at a time, so that the whole has the larger ratio.
Memory is what the process that makes the cell has resident at its peak; ours counts the libraries that it shares with
its worker, as if it shared none (`bench/resident.py`). A difference is our mean score less the peer's with its 95%
interval, paired on the test rows, the noise of both sides' seeds included, as the board compares two cells
(`leaderboard.paired`). Where it holds zero nothing tells the sides apart, which is not proof that they are equal. Of
many intervals one in twenty leaves zero out by chance: hence Holm's correction.
"""


def render(results: Results) -> str:
    """The page; parts that were not measured are left out."""
    if "whole" in results and "counted" in results:
        results = {**results, "whole": {**results["whole"], "work": results["counted"]["work"]}}
    parts = [HEADER, TARGETS + _targets(results) + "\n"]
    parts += [_grid(title, results[part]) for part, title in SECTIONS.items() if part in results]
    if "single" in results:
        parts.append(_single(results["single"]))
    return "\n".join(parts)


def _machine(part: Results) -> str:
    facts = dict(part["machine"])
    peaks = facts.pop("peaks", {})
    told = ", ".join(f"{name} {value}" for name, value in facts.items())
    fast = "; ".join(
        f"{threads} thread{'s' * (threads != '1')}: {found['float32']:,.0f} GFLOP/s in float32, "
        f"{found['bfloat16']:,.0f} in bfloat16" for threads, found in peaks.items()
    )
    load = "load {:.1f} before and {:.1f} after".format(*part["load"])
    return f"Measured on: {told}; {load}. Matrix product: {fast}.\n"


def _grid(title: str, part: Results) -> str:
    rounds: Sequence[Results] = part["rounds"]
    figures = (
        _totals(rounds), _precision(part), _limit(part), _spent(part), _agreement(rounds), _best(rounds[0]), CELL_NOTE,
        _cells(rounds),
    )
    return "\n".join((f"## {title}\n", _machine(part), *figures))


def _totals(rounds: Sequence[Results]) -> str:
    """Seconds of all cells together, and the ratios."""
    at_once = rounds[0].get("peer_at_once") is not None
    rows = [["", "peer", "ours", "ratio", *(["peer, a cell on each core", "ratio"] if at_once else [])]]
    count = len(rounds[0]["our_cells"])
    for kind, name in (("wall", "wall time"), ("processor", "processor time")):
        ours = [found["ours"][kind] for found in rounds]
        row = [f"{name}, {count} cells"]
        for side in ("peer", "peer_at_once") if at_once else ("peer",):
            peer = [found[side][kind] for found in rounds]
            row += [_seconds(peer), *([_seconds(ours)] if side == "peer" else []), ratios(peer, ours)]
        rows.append(row)
    return f"{_counted(len(rounds), 'round')}, the median with the range.\n\n{table(rows)}"


PEAK, PRODUCTS, KERNELS = (
    "their matrix products, at the rate of the fastest product measured",
    "their matrix products, as torch makes them in these shapes",
    "all kernels of torch that they call",
)
"""What else could be said to be all that takes time."""


def _limits(part: Results) -> dict[str, float]:
    """Seconds of the wall that these alone would take, as far as they were measured."""
    cores, work = part["machine"]["cores"], part["work"]
    found = {
        PEAK: flops.least_seconds(work, _fastest(part)),
        PRODUCTS: flops.alone(work, "products", cores),
        KERNELS: flops.alone(work, "all", cores),
    }
    return {name: seconds for name, seconds in found.items() if seconds is not None}


def _fastest(part: Results) -> dict[str, float]:
    """The rate of all cores by precision: of one product on all of them, or of one on each, as each is faster."""
    cores, peaks = part["machine"]["cores"], part["machine"]["peaks"]
    together = peaks.get(str(cores), peaks["1"])
    return {kind: max(rate, cores * peaks["1"][kind]) for kind, rate in together.items()}


def _walls(part: Results) -> tuple[float, float]:
    """Seconds of the wall of the peer and of ours, the median of the rounds."""
    peer, ours = (statistics.median(found[side]["wall"] for found in part["rounds"]) for side in ("peer", "ours"))
    return peer, ours


def _limit(part: Results) -> str:
    """What these trainings would take if some of their work took no time, and how much faster than the peer that is."""
    if "work" not in part:
        return ""
    peer, ours = _walls(part)
    whole = sum(cell["flop"] for cell in part["work"].values()) / 1e12
    rows = [["of these cells nothing but", "seconds", "of the peer's time", "of ours", "times as fast as the peer"]]
    rows += [
        [name, f"{seconds:.1f}", f"{seconds / peer:.0%}", f"{seconds / ours:.0%}", f"{peer / seconds:.1f}"]
        for name, seconds in _limits(part).items()
    ]
    others = "In the others every core makes one kernel after another, each with its operands at hand.\n"
    return (
        f"The matrix products of these cells, counted, are {whole:.1f} TFLOP.\n{others * (PRODUCTS in _limits(part))}\n"
        f"{table(rows)}"
    )


def _targets(results: Results) -> str:
    """What was aimed at, beside what was measured. A part that was not measured has no row."""
    rows: list[tuple[str, ...]] = []
    for part, name, asked in (("whole", "the whole of glue-lite", 20), ("grid", "a sample of its cells", 20),
                              ("unpruned", "the sample, nothing pruned", 5)):
        if part in results:
            rows.append((f"{name}: times as fast as the peer", str(asked), *_reached(results[part])))
    if "single" in results:
        peaks = results["single"]["machine"]["peaks"]["1"]
        for found in results["single"]["shapes"]:
            peak, _, kernels = _bounds(found, peaks)
            wanted = "1.3" if found["shape"]["hidden"] in NARROW else "3, at least 1.3"
            rows.append((f"one training, {found['shape']['name']}: times as fast as the peer", wanted,
                         f"{_wall_ratio(found):.1f}", f"{peak:.1f}", f"{kernels:.1f}"))
    part = results.get("whole", results.get("grid"))
    if part is not None:
        work = sum(share for name, share in _shares(part).items() if name in WORK)
        rows.append(("of the workers' time, the work itself", "85%", f"{work:.0%}", "", ""))
        sizes = _sizes(part["rounds"])
        if sizes:
            rows.append(("peak memory of a cell, to the peer's", "at most 1", _spread(sizes, 2), "", ""))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _reached(part: Results) -> tuple[str, ...]:
    """How many times as fast as the peer ours is, and could be at most; nothing where that was not counted."""
    walls = ([found[side]["wall"] for found in part["rounds"]] for side in ("peer", "ours"))
    if "work" not in part:
        return ratios(*walls), "", ""
    limits, (peer, _) = _limits(part), _walls(part)
    at_most = (f"{peer / limits[kind]:.1f}" if kind in limits else "" for kind in (PEAK, KERNELS))
    return ratios(*walls), *at_most


def _wall_ratio(shape: Results) -> float:
    """Ours against the faster precision of the peer."""
    walls: dict[str, float] = {
        side: statistics.median(pair[0] for pair in pairs) for side, pairs in shape["rounds"].items()
    }
    return min(walls["peer"], walls["peer_bfloat16"]) / walls["ours"]


def _shares(part: Results) -> dict[str, float]:
    """Of the time that our workers had, from the command to its end, what each part of the work took."""
    totals: dict[str, float] = {}
    for cell in (cell for found in part["rounds"] for cell in found["our_cells"].values()):
        for name, seconds in cell["spent"].items():
            totals[name] = totals.get(name, 0.0) + seconds
    had = part["machine"]["cores"] * sum(found["ours"]["wall"] for found in part["rounds"])
    return {name: totals[name] / had for name in PARTS_OF_WORK if name in totals}


def _spent(part: Results) -> str:
    """Where the time of our workers went."""
    shares = _shares(part)
    if not shares:
        return ""
    work, inside = sum(share for name, share in shares.items() if name in WORK), sum(shares.values())
    told = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
    return (
        f"Of our workers' time, from the command to its end, {work:.0%} is the work itself (`--profile`): {told}; "
        f"start-up,\nwaiting for the last cell, records and publishing are the other {1 - inside:.0%}. Of the time "
        f"within cells the work is {work / inside:.0%}.\n"
    )


def _precision(part: Results) -> str:
    """Where the peer had bfloat16."""
    if "bfloat16" not in part:
        return ""
    pairs = sorted({"/".join(key.split("/")[:2]) for key, short in part["bfloat16"].items() if short})
    if not pairs:
        return "The peer trains in float32, which was faster for it everywhere.\n"
    return f"The peer trains in bfloat16: {', '.join(pairs)}; elsewhere float32 was faster for it.\n"


def _agreement(rounds: Sequence[Results]) -> str:
    """In how many cells the scores agree, and how the peaks of memory compare."""
    first = rounds[0]
    apart = first["apart"].values()
    above, below = (sum(sign * found[end] > 0 for found in apart) for sign, end in ((1, "low"), (-1, "high")))
    corrected = sum(paired.holm([found["p"] for found in apart]) < CHANCE)
    values = [found["value"] for found in apart]
    sizes = _sizes(rounds)
    memory = f"Peak memory of a cell, ours to the peer's: {_spread(sizes, 2)}.\n" if sizes else ""
    return (
        f"Scores: in {len(apart) - above - below} of {len(apart)} cells the 95% interval of the difference holds zero; "
        f"ours is above in {above}, the peer in {below};\n{corrected} remain with Holm's correction for {len(apart)} "
        f"comparisons. The median difference is {statistics.median(values):+.1f} points.\n{memory}"
    )


def _best(found: Results) -> str:
    """The best cell of each task on either side, and whether the board would tell them apart."""
    rows = [["task", "best cell, peer", "best cell, ours", "difference"]]
    for task, best in found.get("best", {}).items():
        cells = (f"{best[side]} {_score(found[cells][best[side]]['scores'])}"
                 for side, cells in (("peer", "peer_cells"), ("ours", "our_cells")))
        rows.append([task, *cells, _gap(best["apart"])])
    return table(rows) if len(rows) > 1 else ""


def _sizes(rounds: Sequence[Results]) -> list[float]:
    """Peak memory, ours to the peer's, of each cell that tells both: the median over the rounds."""
    found = []
    for key in rounds[0]["our_cells"]:
        pairs = [(each["peer_cells"][key]["peak_memory"], each["our_cells"][key]["peak_memory"]) for each in rounds]
        known = [ours / peer for peer, ours in pairs if peer and ours]
        if known:
            found.append(statistics.median(known))
    return found


def _spread(values: Sequence[float], digits: int) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _cells(rounds: Sequence[Results]) -> str:
    """Scores beside each other. A cell's own ratio is of its wall time, ours beside another cell on the other core."""
    rows = [["cell", "score, peer", "score, ours", "difference", "peer", "ours", "ratio", "peak memory, peer", "ours"]]
    for key in rounds[0]["our_cells"]:
        peer, ours = ([found[side][key] for found in rounds] for side in ("peer_cells", "our_cells"))
        seconds = [[cell["seconds"] for cell in side] for side in (peer, ours)]
        rows.append([
            key, _score(peer[0]["scores"]), _score(ours[0]["scores"]), _gap(rounds[0]["apart"][key]),
            _seconds(seconds[0]), _seconds(seconds[1]), ratios(*seconds), _size(peer), _size(ours),
        ])
    return table(rows)


def _gap(apart: Results) -> str:
    """A difference with its interval, and who is above where that leaves zero out."""
    value, low, high = (apart[name] for name in ("value", "low", "high"))
    mark = " ours" if low > 0 else " peer" if high < 0 else ""
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]{mark}"


def _single(part: Results) -> str:
    rows = [["encoder", "Trainer, float32", "Trainer, bfloat16", "ours", "precision", "ratio to the better (wall)",
             "ratio (processor)", "share of the fastest", "at the fastest", "torch's products", "torch's kernels"]]
    peaks = part["machine"]["peaks"]["1"]
    for found in part["shapes"]:
        wall, processor = ({side: [r[i] for r in times] for side, times in found["rounds"].items()} for i in (0, 1))
        better, bounds = _better(found), _bounds(found, peaks)
        ratio = _median_ratio(processor[better], processor["ours"])
        rows.append([
            found["shape"]["name"], *(_seconds(wall[side]) for side in ("peer", "peer_bfloat16", "ours")),
            found["precision"], ratios(wall[better], wall["ours"]), ratios(processor[better], processor["ours"]),
            f"{ratio / bounds[0]:.0%}", *(f"{bound:.1f}" for bound in bounds),
        ])
    note = (
        "One training of `full` on sentences, one thread: a copy of the loaded network, the training and its\n"
        "evaluations, without imports, loading and tokenising. The share is of the fastest matrix product measured in\n"
        "the same precision: all products of our training, counted, by processor time. The last three columns are the\n"
        "ratios if nothing else took any time: these products at that rate; the same as torch makes them in their own\n"
        "shapes; and all kernels of torch that it calls, one after another, each with its operands at hand.\n"
    )
    return "\n".join(["## One training against one\n", _machine(part), note, table(rows)])


def _better(shape: Results) -> str:
    """The precision in which the peer is faster."""
    return min(("peer", "peer_bfloat16"), key=lambda side: statistics.median(p for _, p in shape["rounds"][side]))


def _bounds(shape: Results, peaks: Mapping[str, float]) -> tuple[float, float, float]:
    """How many times as fast as the peer a training could be, by processor time, if nothing but this took any: its
    products at the peak, its products as torch makes them, all kernels of torch that it calls."""
    kernels = shape["kernels"]
    peer, ours = ([taken for _, taken in shape["rounds"][side]] for side in (_better(shape), "ours"))
    time = _median_ratio(peer, ours) * statistics.median(ours)
    least = kernels["flop"] / (peaks[shape["precision"]] * 1e9)
    return time / least, time / kernels["products"], time / kernels["all"]


def _median_ratio(peer: Sequence[float], ours: Sequence[float]) -> float:
    return statistics.median(a / b for a, b in zip(peer, ours, strict=True))


def ratios(peer: Sequence[float], ours: Sequence[float]) -> str:
    """The median of the ratios by round, with their range."""
    found = sorted(a / b for a, b in zip(peer, ours, strict=True))
    spread = f" ({found[0]:.1f} to {found[-1]:.1f})" if len(found) > 1 else ""
    return f"{statistics.median(found):.1f}{spread}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _seconds(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.1f} s"


def _score(values: Sequence[float]) -> str:
    spread = f" ±{statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.1f}{spread}"


def _size(cells: Sequence[Results]) -> str:
    known = [cell["peak_memory"] for cell in cells if cell["peak_memory"]]
    return f"{statistics.median(known) / 2**20:,.0f} MiB" if known else ""


def table(rows: Sequence[Sequence[str]]) -> str:
    """The rows as Markdown, the first as the head; all columns but the first are figures."""
    head, *body = rows
    marks = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, marks, *body)) + "\n"
