"""Weights that are a pickle: refused unless the model is named, and even then nothing but tensors is taken from it."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from bench import cli, models
from bench.errors import RequestError, UnavailableError
from bench.learn.checkpoint import load_body
from bench.plan import Request, make
from bench.spec import Family, Model
from bench.suite import Suite
from tests import tiny

torch.set_num_threads(1)


@pytest.fixture
def pickled(tmp_path: Path) -> Model:
    """A tiny encoder whose weights are a pickle only."""
    model = tiny.checkpoint(Family.ENCODER, tmp_path / "model")
    weights = tmp_path / "model" / "model.safetensors"
    torch.save(load_file(weights), tmp_path / "model" / "pytorch_model.bin")
    weights.unlink()
    return model


def test_a_pickle_is_refused_by_default(pickled: Model) -> None:
    with pytest.raises(UnavailableError):
        load_body(pickled, None)


def test_a_pickle_of_a_model_that_is_named_is_read(pickled: Model) -> None:
    body = load_body(dataclasses.replace(pickled, pickled=True), None)
    stored = torch.load(Path(pickled.path) / "pytorch_model.bin", weights_only=True)
    name = next(name for name in stored if name.endswith("word_embeddings.weight"))
    assert torch.equal(body.get_input_embeddings().weight, stored[name])


class Trap:
    """Runs a command when it is read without care."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.proof}",)


def test_a_pickle_that_would_run_a_command_does_not(pickled: Model, tmp_path: Path) -> None:
    torch.save({"trap": Trap(tmp_path / "executed")}, Path(pickled.path) / "pytorch_model.bin")
    with pytest.raises(UnavailableError, match="Weights only load failed"):
        load_body(dataclasses.replace(pickled, pickled=True), None)
    assert not (tmp_path / "executed").exists()


def test_the_bytes_of_a_pickle_are_part_of_what_identifies_the_checkpoint(pickled: Model) -> None:
    allowed = dataclasses.replace(pickled, pickled=True)
    assert models.content_hash(allowed) != models.content_hash(pickled)


def test_the_command_line_refuses_it_with_what_to_do(pickled: Model, capsys: pytest.CaptureFixture[str]) -> None:
    """The suite cannot allow it: only who runs it can."""
    line = f"run --suite smoke --tasks sentiment --models {pickled.path} --methods full --no-track --workers 0"
    place = Path(pickled.path).parent
    assert cli.main([*line.split(), "--out", str(place / "out")]) == 2
    assert f"--allow-pickle {pickled.path}" in capsys.readouterr().err


def test_naming_a_model_allows_it_that_one_only(pickled: Model) -> None:
    suite = Suite("test", "", ("sentiment",), (pickled.path, "bert-mini"), ("full",))
    cells = make(suite, Request(allow_pickle=(pickled.path,))).cells
    assert [cell.model.pickled for cell in cells] == [True, False]
    with pytest.raises(RequestError, match="--allow-pickle names 'other', which is no model of this run"):
        make(suite, Request(allow_pickle=("other",)))
