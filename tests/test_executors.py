"""Cells made elsewhere than by this machine's own pool: the same records, and nothing lost when a node is."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import run as runs
from bench.errors import RequestError
from bench.executors import Begun, afar
from bench.executors.choice import Choice
from bench.executors.ray import RayCluster
from bench.record import Outcome
from bench.store import Store
from bench.tally import Event, Kind
from bench.work import Job, Made
from tests import fakes
from tests.test_run import plan, results, run

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": "dask"}, "unknown executor 'dask'. Known: local, ray, slurm"),
    ({"name": "ray", "workers": 0}, "--workers 0 works in this very process, which is not ray"),
    ({"address": "here:6379"}, "--ray-address is only read with --executor ray, not with local"),
    ({"gpus": 0.5}, "--gpus-per-cell is for --executor ray and slurm"),
]


@pytest.mark.parametrize(("fields", "words"), WRONG)
def test_what_does_not_go_together_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        Choice(**fields)


@pytest.mark.parametrize(("name", "package"), [("ray", "ray"), ("slurm", "submitit")])
def test_a_missing_package_is_named_with_the_way_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(RequestError, match=rf"needs {package}, which is not installed: pip install '.*\[{name}\]'"):
        run(plan(tmp_path / "data"), tmp_path / "out", executor=Choice(name))


def parcel(tmp_path: Path, **changes: Any) -> afar.Parcel:
    """A job on its way."""
    fakes.write_files(tmp_path / "data")
    job = Job(fakes.cell(tmp_path / "data", "a"), tmp_path / "out", "tests.fakes:open_learner", {})
    return replace(afar.Parcel.of(job), **changes)


def test_a_node_that_does_not_see_the_directory_says_so(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"does not see .*out and .*, which all nodes must share"):
        afar.do(parcel(tmp_path))


def test_a_node_with_other_code_says_so(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"Install the same on all"):
        afar.do(parcel(tmp_path, code="0.0.0, harness 0"))


HANG = """
import sys
from pathlib import Path
from bench import executors, limits
executors.GRACE = 0.0
from bench.executors import afar
import ctypes
with afar._last_resort(1.0):
    ctypes.PyDLL(None).sleep(60)  # holds the interpreter's lock: no Python code of this process can run
"""


def test_a_cell_that_hangs_in_a_library_on_a_node_is_ended_there() -> None:
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", HANG], capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 1
    assert "Timeout (" in done.stderr
    assert time.monotonic() - began < 40


def test_slurm_gives_out_no_part_of_a_gpu(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="Slurm gives out whole GPUs"):
        run(plan(tmp_path / "data"), tmp_path / "out", executor=Choice("slurm", gpus=0.5))


@pytest.fixture
def slurm() -> Choice:
    """Submitit's own stand-in for Slurm: processes of this machine."""
    pytest.importorskip("submitit")
    return Choice("slurm", workers=2, cluster="local")


def test_slurm_makes_the_same_records(tmp_path: Path, slurm: Choice) -> None:
    made = plan(tmp_path / "data", ("a", "b"))
    assert run(made, tmp_path / "out", executor=slurm).outcomes == {Outcome.OK: 2}
    run(made, tmp_path / "here")
    assert results(tmp_path / "out") == results(tmp_path / "here")


@pytest.mark.faults
def test_a_slurm_job_that_dies_is_tried_again_and_then_recorded(tmp_path: Path, slurm: Choice) -> None:
    run(plan(tmp_path / "data", ("exit", "good")), tmp_path / "out", "open_dying", executor=slurm)
    records = {record.model: record for record in Store(tmp_path / "out").records()}
    assert records["good"].outcome is Outcome.OK
    assert records["exit"].outcome is Outcome.FAILED
    assert "ended without a result" in str(records["exit"].reason)
    assert "(tried 2 times)" in str(records["exit"].reason)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A Ray cluster of two nodes on this machine, two processor cores each."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    made.add_node(num_cpus=2)
    yield made
    made.shutdown()


def workers_of(out: Path, cell: str) -> list[int]:
    """The processes that hold the claim on this cell."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/fd"):
        try:
            held = any(str(out / "claims" / cell) in str(link.readlink()) for link in entry.iterdir())
        except OSError:
            continue
        if held and int(entry.parent.name) != os.getpid():
            found.append(int(entry.parent.name))
    return found


def parent_of(process: int) -> int | None:
    """The process that began this one, None where it has ended meanwhile."""
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether it holds at a moment of these seconds."""
    end = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


@pytest.mark.faults
def test_a_ray_worker_and_a_node_that_die_in_mid_run_lose_nothing(tmp_path: Path, cluster: Any) -> None:
    """The worker is killed at a cell that it has just begun when two are done, the second node likewise after four."""
    made, out = plan(tmp_path / "data", [f"m{number}" for number in range(12)]), tmp_path / "out"
    nodes = cluster.list_all_nodes()
    raylet = nodes[1].all_processes["raylet"][0].process.pid
    told: list[Event] = []
    killed: list[int] = []

    def watch(event: Event) -> None:
        told.append(event)
        if event.kind is not Kind.STARTED or event.done < 2 or not event.key or len(nodes) < 2:
            return
        assert within(20, lambda: bool(workers_of(out, str(event.key))))
        worker = workers_of(out, event.key)[0]
        if not killed:
            killed.append(worker)
            os.kill(worker, signal.SIGKILL)
        elif event.done >= 4 and parent_of(worker) == raylet:
            cluster.remove_node(nodes.pop(), allow_graceful=False)

    chosen = Choice("ray", address=cluster.address)
    summary = runs.run(made, out, learner="tests.fakes:open_long", executor=chosen, events=watch)
    assert summary.outcomes == {Outcome.OK: 12}
    assert len(nodes) == 1
    assert sum(event.kind is Kind.RETRIED for event in told) >= 2
    run(made, tmp_path / "here")
    assert results(out) == results(tmp_path / "here")


@pytest.mark.faults
def test_ray_ends_cells_politely_or_not_and_records_workers_that_die(tmp_path: Path, cluster: Any) -> None:
    made = plan(tmp_path / "data", ("endless", "good"))
    chosen = Choice("ray", address=cluster.address)
    runs.run(made, tmp_path / "slow", learner="tests.fakes:open_endless", executor=chosen, timeout=15.0)
    records = {record.model: record for record in Store(tmp_path / "slow").records()}
    assert (records["endless"].outcome, records["endless"].reason) == (Outcome.TIMED_OUT, "no result after 15 s")
    assert records["good"].outcome is Outcome.OK
    runs.run(plan(tmp_path / "data", ("exit", "good")), tmp_path / "dead", learner="tests.fakes:open_dying",
             executor=chosen)
    records = {record.model: record for record in Store(tmp_path / "dead").records()}
    assert records["good"].outcome is Outcome.OK
    assert records["exit"].outcome is Outcome.FAILED
    assert "tried 2 times" in str(records["exit"].reason)


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The address of a Ray cluster that counts two GPUs, which this machine need not have, and six cores."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    monkeypatch.setenv("BENCH_TEST_LOG", str(tmp_path / "log"))
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 6, "num_gpus": 2, "include_dashboard": False})
    yield made.address
    made.shutdown()


@pytest.mark.faults
@pytest.mark.parametrize(("share", "together"), [(0.5, 2), (1.0, 1), (None, 1)])
def test_ray_lets_as_many_cells_share_a_gpu_as_was_said(
    tmp_path: Path, gpus: str, share: float | None, together: int
) -> None:
    """All cells are handed in at once, more than there is room for, so that it is Ray that makes them wait."""
    out = tmp_path / "out"
    made = plan(tmp_path / "data", [f"m{number}" for number in range(6)])
    Store(out).write_plan(made.dumps())
    cluster = RayCluster(gpus, share, None)
    try:
        assert cluster.slots == 2 * together
        for cell in made.cells:
            cluster.start(Job(cell, out, "tests.fakes:open_seen", {}))
        ended = 0
        while ended < len(made.cells):
            for job, answer in cluster.news(60.0):
                assert isinstance(answer, Begun | Made), (job.cell.model.name, answer)
                ended += isinstance(answer, Made)
    finally:
        cluster.close(at_once=True)
    log = sorted((float(at), what, on) for at, _, what, on in map(str.split, (tmp_path / "log").open()))
    for gpu in "01":
        changes = [1 if what == "began" else -1 for _, what, on in log if on == gpu]
        assert max(itertools.accumulate(changes)) == together
    assert {on for _, _, on in log} == {"0", "1"}


@pytest.mark.faults
def test_a_ray_cluster_that_is_not_there_is_named(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    with pytest.raises(RequestError, match=r"no Ray cluster at 127\.0\.0\.1:1"):
        run(plan(tmp_path / "data", ("a",)), tmp_path / "out", executor=Choice("ray", address="127.0.0.1:1"))
