"""Which executor makes the cells, as a request names it. Opens it only when there are jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench import pool
from bench.errors import RequestError
from bench.executors import Executor
from bench.executors.here import Here
from bench.work import Job

NAMES = ("local", "ray", "slurm")


@dataclass(frozen=True)
class Choice:
    """An executor by name. `workers` None takes as many as there is room for; 0 is this very process.

    `address` is of a Ray cluster; `gpus` are for each cell, None as the executor sees fit. `cluster` is submitit's word
    for another one than Slurm. Raises RequestError for what does not go together.
    """

    name: str = "local"
    workers: int | None = None
    address: str | None = None
    gpus: float | None = None
    cluster: str | None = None

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise RequestError(f"unknown executor {self.name!r}. Known: {', '.join(NAMES)}.")
        if self.workers is not None and self.workers < 0:
            raise RequestError(f"workers must be at least 0, got {self.workers}.")
        if self.workers == 0 and self.name != "local":
            raise RequestError(f"--workers 0 works in this very process, which is not {self.name}. Leave one out.")
        if self.address is not None and self.name != "ray":
            raise RequestError(f"--ray-address is only read with --executor ray, not with {self.name}.")
        if self.gpus is not None and self.name == "local":
            raise RequestError("--gpus-per-cell is for --executor ray and slurm; else see --workers.")

    def prepare(self, jobs: Sequence[Job]) -> None:
        """Begin what takes long, in the background."""
        if self.name == "local" and self.workers != 0:
            pool.warm_up(jobs)

    def open(self, jobs: Sequence[Job]) -> Executor:
        """The executor for these jobs. Raises RequestError where there is none."""
        if self.workers == 0:
            return Here()
        if self.name == "local":
            return pool.LocalPool(jobs, min(self.workers or pool.default_workers(), len(jobs)))
        if self.name == "ray":
            from bench.executors.ray import RayCluster

            return RayCluster(self.address, self.gpus, self.workers)
        from bench.executors.slurm import SlurmQueue

        return SlurmQueue(jobs[0].out, self.gpus, self.workers, jobs[0].timeout, self.cluster)
