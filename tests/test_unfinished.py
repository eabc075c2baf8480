"""A training that was cut off goes on from its last evaluation, to the very same end, whatever its method."""

from __future__ import annotations

import dataclasses
import os
import random
import resource
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bench import catalog
from bench.learn import loop, unfinished
from bench.learn.fit import ModelLearner
from bench.learn.unfinished import Unfinished
from bench.learner import Assignment, Fitted
from bench.record import Point
from bench.spec import Family, Head
from tests import tiny

torch.set_num_threads(1)

pytestmark = pytest.mark.usefixtures("float32")

METHODS = [name for name, method in catalog.methods().items() if method.rates is not None]
PLACES = [(Head.TAG, Family.ENCODER), (Head.CLASSIFY, Family.DECODER), (Head.SPAN, Family.ENCODER_DECODER)]
CELLS = [
    pytest.param(method, *place, marks=[] if (number + turn) % len(PLACES) == 0 else [pytest.mark.slow])
    for number, method in enumerate(METHODS)
    for turn, place in enumerate(PLACES)
    if (method, place[1]) != ("bitfit", Family.ENCODER_DECODER)
]
"""Every method in one of the places, and with the slow proofs in all."""

BUDGET = {"batch_size": 2, "epochs": 3, "evaluations": 4, "patience": 9}
RATE = 5e-3


class Interrupted(BaseException):
    """Stands for a kill: nothing in between may handle it."""


@pytest.fixture(autouse=True)
def _at_every_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfinished, "EVERY", 0.0)


def assignment(root: Path, method: str, head: Head, family: Family, place: Path | None) -> Assignment:
    settings = {
        "distill": f"teacher={tiny.teacher(root / 'teacher')}", "domain_adaptive": "steps=3", "lora": "dropout=0.2",
        "p_tuning": "encoder=mlp",
    }
    named = f"{method}[{settings[method]}]" if method in settings else method
    model = tiny.checkpoint(family, root / str(family))
    return dataclasses.replace(tiny.assignment(head, model, named, **BUDGET), halfway=place, fingerprint="a cell")


@dataclasses.dataclass
class Attempt:
    """A learner of its own, as a new process has it, whose trainings die at their evaluation number `dies_at`."""

    learner: ModelLearner
    dies_at: int | None = None
    validated: int = 0
    reported: list[Point] = dataclasses.field(default_factory=list)

    def fit(self, rate: float = RATE, seed: int = 3, choice: Any = None) -> Fitted:
        random.seed(), np.random.seed(None), torch.seed()  # whatever a new process starts from
        return self.learner.fit(rate, seed, self.validate, self.report, 3, choice or {})

    def validate(self, predictions: Sequence[Any]) -> float:
        """A score that is best in the middle, and drawn from a generator that training must not notice."""
        self.validated += 1
        if len(self.reported) + 1 == self.dies_at:
            raise Interrupted
        torch.rand(7)
        return -abs(len(self.reported) - 1.5)

    def report(self, point: Point) -> bool:
        self.reported.append(point)
        return True


def lasting(fitted: Fitted) -> Any:
    """What may not differ between a straight training and one that was cut off."""
    curve = [dataclasses.replace(point, seconds=0.0) for point in fitted.curve]
    return fitted.state, fitted.value, fitted.best_step, curve, fitted.steps, fitted.examples, fitted.tokens


def tensors(learner: ModelLearner) -> dict[str, torch.Tensor]:
    network = learner.network
    return {**dict(network.named_parameters()), **dict(network.named_buffers())}


@pytest.mark.parametrize(("method", "head", "family"), CELLS)
def test_a_training_that_was_cut_off_twice_ends_as_a_straight_one(
    root: Path, method: str, head: Head, family: Family, tmp_path: Path
) -> None:
    choices = catalog.method(method)[0].choices
    choice = {name: values[1] for name, values in choices.items()}
    straight = Attempt(ModelLearner(assignment(root, method, head, family, None)))
    expected = straight.fit(choice=choice)
    for dies_at in (2, 4):
        with pytest.raises(Interrupted):
            Attempt(ModelLearner(assignment(root, method, head, family, tmp_path)), dies_at).fit(choice=choice)
    resumed = Attempt(ModelLearner(assignment(root, method, head, family, tmp_path)))
    found = resumed.fit(choice=choice)
    assert resumed.validated == 1
    assert len(resumed.reported) == 4
    assert lasting(found) == lasting(expected)
    assert expected.best_step == 6
    ours, theirs = tensors(resumed.learner), tensors(straight.learner)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []
    assert found.predict(tiny.rows(head)).predictions == expected.predict(tiny.rows(head)).predictions


@pytest.fixture
def begun(root: Path, tmp_path: Path) -> Path:
    """The state of a training that was cut off at its last evaluation."""
    with pytest.raises(Interrupted):
        attempt(root, tmp_path, dies_at=4).fit()
    (found,) = tmp_path.iterdir()
    return found


def attempt(root: Path, place: Path | None, dies_at: int | None = None, method: str = "lora") -> Attempt:
    return Attempt(ModelLearner(assignment(root, method, Head.CLASSIFY, Family.DECODER, place)), dies_at)


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage", [lambda content: content[: len(content) // 2], lambda content: content[:5], lambda content: b"", flipped]
)
def test_a_damaged_state_counts_as_none(root: Path, begun: Path, damage: Callable[[bytes], bytes]) -> None:
    begun.write_bytes(damage(begun.read_bytes()))
    again, straight = attempt(root, begun.parent), attempt(root, None)
    assert lasting(again.fit()) == lasting(straight.fit())
    assert again.validated == 4


@pytest.mark.parametrize("change", [{"rate": 1e-3}, {"seed": 4}])
def test_the_state_of_another_training_is_not_taken_up(root: Path, begun: Path, change: dict[str, Any]) -> None:
    again, straight = attempt(root, begun.parent), attempt(root, None)
    assert lasting(again.fit(**change)) == lasting(straight.fit(**change))
    assert again.validated == 4


@pytest.mark.parametrize("change", [{"fingerprint": "another cell"}, {"method": catalog.method("dora")[0]}])
def test_the_state_of_another_cell_is_not_taken_up_even_by_its_name(
    root: Path, begun: Path, change: dict[str, Any]
) -> None:
    wanted = dataclasses.replace(assignment(root, "lora", Head.CLASSIFY, Family.DECODER, begun.parent), **change)
    again = Attempt(ModelLearner(wanted))
    identity = {"rate": RATE, "seed": 3, "epochs": 3, "choice": {}}
    theirs = again.learner.unfinished(**identity)
    assert theirs is not None
    begun.rename(theirs.path)
    again.fit()
    assert again.validated == 4


def test_a_state_is_read_without_running_what_it_holds(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "sprung"),)

    kept = Unfinished(tmp_path, {"seed": 1})
    kept.save({"trap": Trap()})
    assert kept.path.exists()
    assert kept.load() is None
    assert not (tmp_path / "sprung").exists()


def test_what_is_saved_comes_back_and_is_forgotten(tmp_path: Path) -> None:
    kept = Unfinished(tmp_path / "new", {"seed": 1, "rate": 1e-3})
    assert kept.load() is None
    state = {"tensor": torch.randn(5), "nested": {"numbers": [1, 2.5, None], "word": "a"}, "random": random.getstate()}
    kept.save(state)
    found = Unfinished(tmp_path / "new", {"rate": 1e-3, "seed": 1}).load()
    assert found is not None
    assert torch.equal(found.pop("tensor"), state.pop("tensor"))  # type: ignore[arg-type]
    assert found == state
    kept.forget()
    assert list((tmp_path / "new").iterdir()) == []


@pytest.fixture
def little_room() -> Iterator[None]:
    """Files of this process cannot grow beyond 10 kB, as on a disk that fills up while one is written."""
    before, deaf = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, deaf)


def test_a_full_disk_stops_no_training_and_spoils_no_earlier_state(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    kept = Unfinished(tmp_path, {"seed": 1})
    kept.save({"number": 1})
    request.getfixturevalue("little_room")
    kept.save({"number": 2, "tensor": torch.zeros(100_000)})
    assert kept.load() == {"number": 1}
    assert [path.suffix for path in tmp_path.iterdir()] == [".state"]


def test_a_place_that_cannot_be_written_stops_no_training(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    found = attempt(root, tmp_path / "file" / "halfway").fit()
    assert lasting(found) == lasting(attempt(root, None).fit())


def test_a_short_training_writes_nothing(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfinished, "EVERY", 60.0)
    assert attempt(root, tmp_path).fit().state == "COMPLETE"
    assert list(tmp_path.iterdir()) == []


def test_the_state_stays_until_the_result_is_kept_elsewhere(root: Path, tmp_path: Path) -> None:
    fitted = attempt(root, tmp_path).fit()
    again = attempt(root, tmp_path)
    assert lasting(again.fit()) == lasting(fitted)
    assert again.validated == 0
    fitted.forget()
    assert list(tmp_path.iterdir()) == []


def test_a_finished_teacher_is_not_trained_again(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = attempt(root, tmp_path, method="distill")
    (state,) = tmp_path.iterdir()
    written = state.stat().st_mtime_ns
    monkeypatch.setattr(Unfinished, "save", lambda *_: pytest.fail("the teacher trained again"))
    second = attempt(root, tmp_path, method="distill")
    for one, other in zip(first.learner.train_examples, second.learner.train_examples, strict=True):
        assert torch.equal(one["soft"], other["soft"])
    assert state.stat().st_mtime_ns == written


# -- What comes before all trainings of a cell --


def prepared(root: Path, method: str, place: Path | None) -> ModelLearner:
    random.seed(), np.random.seed(None), torch.seed()
    return ModelLearner(assignment(root, method, Head.CLASSIFY, Family.ENCODER, place))


@pytest.mark.parametrize("method", ["domain_adaptive[steps=6,batch=2]", "distill"])
def test_what_comes_before_all_trainings_goes_on_where_it_was_cut_off(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """Continued pretraining, and the training of a teacher: to the very same weights and answers."""
    straight = prepared(root, method, None)
    steps: list[int] = []
    step = loop._Updates.step

    def counted(updates: Any, number: int, batch: Any) -> torch.Tensor:
        if len(steps) == 4:
            steps.append(number)
            raise Interrupted
        steps.append(number)
        return step(updates, number, batch)

    monkeypatch.setattr(loop._Updates, "step", counted)
    with pytest.raises(Interrupted):
        prepared(root, method, tmp_path)
    resumed = prepared(root, method, tmp_path)
    assert steps[5] >= 3, "the first step of the second attempt"
    ours, theirs = (dict(made.template.named_parameters()) for made in (resumed, straight))
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []
    for one, other in zip(resumed.train_examples, straight.train_examples, strict=True):
        assert one.keys() == other.keys()
        assert "soft" not in one or torch.equal(one["soft"], other["soft"])
