"""A learner whose best rate is known, and a task that it can solve, for tests of everything around a learner.

The task is to say whether the number in a text is even. The learner answers a row rightly when a number drawn from
the row and the seed is below its quality, which falls off on both sides of the rate `BEST`.
"""

from __future__ import annotations

import ctypes
import dataclasses
import hashlib
import json
import math
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import sources
from bench.errors import StoreError, UnsupportedError
from bench.learner import NO_CHOICE, Assignment, Fitted, Learner, Predicted, Prediction
from bench.material import Material
from bench.plan import Cell
from bench.record import Checkpoint, Data, Health, Parameters, Point, Record, to_json
from bench.sources import Splits
from bench.spec import Budget, Family, Files, Head, LogRange, Method, Model, Rows, Task

BEST = 1e-3
"""The rate at which the fake learner answers best."""

WIDTH = 768
SIZES = {"train": 40, "validation": 60, "test": 80}

TASK = Task(
    name="parity", title="Even or odd", version=1, head=Head.CLASSIFY, metric="accuracy",
    schema={"text": "text", "label": "label"}, inputs=("text",), reference="label",
    sources={"files": Files()}, input_tokens=8, floors=("majority",),
)
MODEL = Model("tiny", Family.ENCODER, "some/tiny")
BUDGET = Budget(trials=4, seeds=(1, 2), epochs=2, batch_size=8, evaluations=4)


def _apply(network: Any, options: Mapping[str, Any]) -> None:
    """Nothing: the fake learner has no network."""


METHOD = Method("fake", "a method for tests", 1, LogRange(1e-5, 1e-2, 1e-4), _apply)


def rows(split: str) -> list[dict[str, Any]]:
    """The rows of a split; no number is in two splits."""
    first = {"train": 0, "validation": 1000, "test": 2000}[split]
    return [{"text": f"number {n}", "label": answer(f"number {n}")} for n in range(first, first + SIZES[split])]


def answer(text: str) -> str:
    """The right label."""
    return "odd" if int(text.split()[-1]) % 2 else "even"


def write_files(data_dir: Path) -> Path:
    """The task's data as files; returns `data_dir`."""
    directory = data_dir / TASK.name
    directory.mkdir(parents=True, exist_ok=True)
    for split in SIZES:
        (directory / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(split)))
    return data_dir


def splits(test: Callable[[], Rows] | None = None) -> Splits:
    """The task's data in memory; `test` replaces the way the test split is opened."""
    data = Data("files", "memory", "0" * 64, None, SIZES["train"], SIZES["validation"], SIZES["test"])
    return Splits(rows("train"), rows("validation"), test or (lambda: rows("test")), data)


def material(test: Callable[[], Rows] | None = None) -> Material:
    """The task's data as cells share it."""
    return Material(TASK, splits(test))


def cell(data_dir: Path | None = None, model: str = "tiny", **changes: Any) -> Cell:
    """A cell of the fake task; with `data_dir` it can be run through `bench.run`."""
    sha256 = "0" * 64 if data_dir is None else sources.fingerprint(TASK, "files", data_dir, BUDGET)
    made = Cell(
        task=TASK, model=dataclasses.replace(MODEL, name=model), method=METHOD, options={}, method_name="fake",
        source="files", data_dir=data_dir, budget=BUDGET, data_sha256=sha256, model_sha256="1" * 64,
    )
    return dataclasses.replace(made, **changes)


class FakeLearner:
    """See `bench.learner.Learner`. It takes `pause` seconds for every evaluation, and diverges above `limit`."""

    parameters = Parameters(trainable=12, method=10, head=2, total=100, stored_bytes=48)
    checkpoint = Checkpoint("tiny", None, "1" * 64)
    width = WIDTH
    precision = "float32"
    device = "cpu"
    truncated_train = 3

    def __init__(self, assignment: Assignment, *, pause: float = 0.0, limit: float = math.inf) -> None:
        self.assignment, self.pause, self.limit = assignment, pause, limit
        self.fits: list[tuple[float, int]] = []
        self.epochs: list[int] = []
        self.choices: list[Mapping[str, Any]] = []

    def fit(
        self,
        rate: float | None,
        seed: int,
        validate: Callable[[Sequence[Prediction]], float],
        report: Callable[[Point], bool],
        epochs: int,
        choice: Mapping[str, Any] = NO_CHOICE,
    ) -> Fitted:
        """Train, which is to get better with every evaluation."""
        assert rate is not None
        self.fits.append((rate, seed))
        self.epochs.append(epochs)
        self.choices.append(choice)
        if rate > self.limit:
            return self.fitted("DIVERGED", (), rate, seed, "the loss is not finite at step 3")
        curve: list[Point] = []
        count = self.assignment.budget.evaluations
        for number in range(1, count + 1):
            time.sleep(self.pause)
            score = validate(self.answers(self.assignment.validation, rate, seed, number / count))
            epoch = epochs * number / count
            curve.append(Point(step=10 * number, epoch=epoch, loss=1 / number, validation=score, seconds=0.1))
            if not report(curve[-1]):
                return self.fitted("PRUNED", curve, rate, seed)
        return self.fitted("COMPLETE", curve, rate, seed)

    def fitted(
        self, state: str, curve: Sequence[Point], rate: float, seed: int, reason: str | None = None
    ) -> Fitted:
        """The finished training."""
        best = max(curve, key=lambda point: point.validation, default=None)
        return Fitted(
            state=state, value=best.validation if best else None, best_step=best.step if best else None,
            curve=tuple(curve), steps=10 * len(curve), examples=80 * len(curve), tokens=160 * len(curve),
            train_seconds=0.5, evaluate_seconds=0.25, reason=reason,
            predict=lambda asked: Predicted(self.answers(asked, rate, seed, 1.0), Health(distinct=2), 0.125),
            save=lambda place: self.save(place, seed),
        )

    def answers(self, asked: Rows, rate: float, seed: int, progress: float) -> list[str]:
        """Right where a number drawn from row and seed is below the quality."""
        quality = progress * max(0.0, 1 - abs(math.log10(rate / BEST)) / 3)
        return [answer(row["text"]) if _draw(row["text"], seed) < quality else "neither" for row in asked]

    def save(self, place: Path, seed: int) -> None:
        """What is kept: a file that names its seed."""
        place.mkdir(parents=True, exist_ok=True)
        (place / "kept.json").write_text(json.dumps({"seed": seed}))

    def peak_memory(self) -> int | None:
        """Some bytes."""
        return 2**20


def _draw(text: str, seed: int) -> float:
    return int.from_bytes(hashlib.sha256(f"{text}/{seed}".encode()).digest()[:4], "big") / 2**32


def open_learner(assignment: Assignment) -> Learner:
    """The fake learner."""
    return FakeLearner(assignment)


def open_slow(assignment: Assignment) -> Learner:
    """One that takes its time: 1.2 seconds for a cell of BUDGET."""
    return FakeLearner(assignment, pause=0.05)


def open_long(assignment: Assignment) -> Learner:
    """One that takes 5 seconds for a cell of BUDGET."""
    return FakeLearner(assignment, pause=0.2)


def open_endless(assignment: Assignment) -> Learner:
    """One that takes far too long for the model called "endless"."""
    return FakeLearner(assignment, pause=60.0 if assignment.model.name == "endless" else 0.0)


class FullDisk(FakeLearner):
    """One whose models cannot be written."""

    def save(self, place: Path, seed: int) -> None:
        """Fail half-way."""
        super().save(place, seed)
        raise StoreError("no room for the model")


def open_on_full_disk(assignment: Assignment) -> Learner:
    """One whose models cannot be written."""
    return FullDisk(assignment)


def open_moody(assignment: Assignment) -> Learner:
    """One that does what the name of its model says."""
    match assignment.model.name:
        case "unsupported":
            raise UnsupportedError("fake cannot serve this model")
        case "broken":
            raise ValueError("sizes do not match")
        case "hungry":
            raise MemoryError("no room for 2 GiB")
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "wild":
            return FakeLearner(assignment, limit=0.0)
    return FakeLearner(assignment)


_HOARD: list[bytes] = []


class Weighed(FakeLearner):
    """One that tells how large its process has been."""

    def peak_memory(self) -> int | None:
        """See `bench.learner.Learner`."""
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def open_hoarding(assignment: Assignment) -> Learner:
    """One whose model named `hoarder` leaves 200 MiB behind in its process."""
    if assignment.model.name == "hoarder":
        _HOARD.append(b"x" * (200 * 2**20))
    return Weighed(assignment)


def open_logged(assignment: Assignment) -> Learner:
    """One that writes down each cell that is made, and takes a pause at every evaluation, as the environment says."""
    with Path(os.environ["BENCH_TEST_LOG"]).open("a") as file:
        file.write(f"{assignment.model.name}\n")
    return FakeLearner(assignment, pause=float(os.environ["BENCH_TEST_PAUSE"]))


class Seen(FakeLearner):
    """One that writes down when it began, when it was done, and which GPUs it was shown."""

    def __init__(self, assignment: Assignment) -> None:
        super().__init__(assignment, pause=0.05)
        self.note("began")

    def peak_memory(self) -> int | None:
        """Some bytes, asked for when the cell's work is done."""
        self.note("done")
        return super().peak_memory()

    def note(self, what: str) -> None:
        """A line of the log."""
        with Path(os.environ["BENCH_TEST_LOG"]).open("a") as file:
            file.write(f"{time.time()} {self.assignment.model.name} {what} {os.environ['CUDA_VISIBLE_DEVICES']}\n")


def open_seen(assignment: Assignment) -> Learner:
    """One that writes down when it began, when it was done, and which GPUs it was shown."""
    return Seen(assignment)


class Stuck(FakeLearner):
    """One that hangs in its third training."""

    def fit(self, rate: float | None, *arguments: Any, **named: Any) -> Fitted:
        """Train, twice."""
        if len(self.fits) == 2:
            time.sleep(60.0)
        return super().fit(rate, *arguments, **named)


def open_stuck(assignment: Assignment) -> Learner:
    """One that hangs in its third training."""
    return Stuck(assignment)


def open_dying(assignment: Assignment) -> Learner:
    """One whose process ends as the name of its model says, or does not end when it is asked to."""
    match assignment.model.name:
        case "segfault":
            ctypes.string_at(0)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            os._exit(3)
        case "abort":
            os.abort()
        case "deaf":
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM, signal.SIGTERM])
            time.sleep(60.0)
        case "once":
            mark = Path(assignment.model.path) / "died"
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
    return FakeLearner(assignment)


TIMES = frozenset({"provenance", "cost", "train_seconds", "evaluate_seconds", "seconds"})


def lasting(record: Record) -> Any:
    """A record as JSON without what differs between two equal runs: times and provenance."""
    return _without_times(to_json(record))


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_times(entry) for name, entry in value.items() if name not in TIMES}
    return [_without_times(entry) for entry in value] if isinstance(value, list) else value
