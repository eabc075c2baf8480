"""What a run of very many cells costs beside the cells: planning, looking at records, handing out, memory.

    python benchmarks/executors.py plan                     # planning and looking at 10,000 cells
    python benchmarks/executors.py run local 10000 1.0 16   # 10,000 cells of a second each, on 16 workers
    python benchmarks/executors.py run ray 10000 1.0 16
    python benchmarks/executors.py run slurm 40 2.0 4       # through submitit's stand-in for Slurm on this machine

A cell does nothing but wait, then says that it is unsupported, which is written as its record. The ideal is the waiting
alone, shared out evenly; the first four cells of each worker do not count, since they wait for its imports. The bar, at
most 28% above the ideal, is that of Ray Tune's own test of its bookkeeping: 10,000 trials of a second on 16 processors
in 800 seconds instead of 625 (https://docs.ray.io/en/latest/tune/tutorials/tune-scalability.html).
"""

from __future__ import annotations

import dataclasses
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import catalog
from bench import plan as plans
from bench import run as runs
from bench.cell import draft
from bench.commands.outlook import Outlook
from bench.errors import UnsupportedError
from bench.executors.choice import Choice
from bench.learner import Assignment, Learner
from bench.plan import Plan
from bench.record import Outcome, Point, Training
from bench.store import Store
from bench.tally import Event, Kind

CELLS = 10_000
MODELS = ("bert-mini", "gpt2-mini", "t5-mini", "t5-mini-text")
PAUSE = "BENCH_PAUSE"


def open_nothing(assignment: Assignment) -> Learner:
    """A learner that waits, and then serves nothing."""
    time.sleep(float(os.environ[PAUSE]))
    raise UnsupportedError("does nothing")


def large(cells: int) -> Plan:
    """So many cells of a real task: four models under LoRA of many ranks."""
    suite = dataclasses.replace(
        catalog.suite("smoke"), tasks=("sentiment",), models=MODELS,
        methods=tuple(f"lora[r={rank}]" for rank in range(1, -(-cells // len(MODELS)) + 1)),
    )
    made = plans.make(suite)
    return dataclasses.replace(made, cells=made.cells[:cells])


def fill(plan: Plan, out: Path) -> None:
    """A record for every cell, as long as one of the default suite."""
    curve = tuple(Point(step, step / 10, 0.5, 0.75, 1.25) for step in range(8))
    training = Training(0, 1e-3, 0, "COMPLETE", 0.75, 3, curve, 80, 2560, 40960, 10.0, 1.0)
    for cell in plan.cells:
        record = draft(cell, Outcome.OK, None, {"started": "2026-01-01T00:00:00+00:00"})
        path = Store(out).path("records", record.names, "json")
        path.parent.mkdir(parents=True, exist_ok=True)
        Store(out).write_record(dataclasses.replace(record, score=0.5, trials=(training,) * 6, finals=(training,) * 3))


def planning(out: Path) -> None:
    """Seconds of planning and of looking at the records, in processor time of this process."""
    clock = time.process_time()
    plan = large(CELLS)
    made, clock = time.process_time() - clock, time.process_time()
    plan.dumps()
    written = time.process_time() - clock
    fill(plan, out)
    clock = time.process_time()
    outlook = Outlook.of(plan, out)
    assert not outlook.to_do
    looked, clock = time.process_time() - clock, time.process_time()
    summary = runs.run(plan, out, seen=outlook.seen)
    print(f"{CELLS:,} cells: planned in {made:.1f} s, written as plan.json in {written:.1f} s, "
          f"announced in {looked:.1f} s, found fresh in {time.process_time() - clock:.1f} s ({summary.fresh:,})")


def running(executor: str, cells: int, pause: float, workers: int, out: Path) -> None:
    """Seconds of a run against the ideal, and the memory of the main process on the way."""
    os.environ[PAUSE] = str(pause)
    plan, memory, began, ended, warm = large(cells), dict[int, float](), 0.0, 0.0, 4 * workers

    def watch(event: Event) -> None:
        nonlocal began, ended
        if event.kind is Kind.FINISHED and event.done == warm:
            began = time.monotonic()
        if event.kind is Kind.FINISHED and event.done in (cells // 10, cells):
            memory[event.done], ended = resident(), time.monotonic()

    with cluster(executor, workers) as chosen:
        runs.run(plan, out, executor=chosen, learner="benchmarks.executors:open_nothing", events=watch)
    seconds, ideal = ended - began, (cells - warm) * pause / workers
    held = ", ".join(f"{mib:.0f} MiB at {done:,}" for done, mib in memory.items())
    print(f"{executor}: {cells:,} cells of {pause:g} s on {workers} workers: {seconds:.0f} s, ideal {ideal:.0f} s, "
          f"overhead {100 * (seconds / ideal - 1):.0f}%; main process: {held}; load {os.getloadavg()[0]:.0f}")


@contextmanager
def cluster(executor: str, workers: int) -> Iterator[Choice]:
    """An executor with so many places on this machine, whatever its number of processors."""
    if executor != "ray":
        yield Choice(executor, workers, cluster="local" if executor == "slurm" else None)
        return
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": workers, "include_dashboard": False})
    yield Choice("ray", address=made.address)
    made.shutdown()


def resident() -> float:
    """MiB of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        if sys.argv[1] == "plan":
            planning(Path(place))
        else:
            running(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]), Path(place))
