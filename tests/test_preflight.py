"""Models that options name, such as teachers, are looked for before anything trains."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from bench.commands import preflight
from bench.errors import UnavailableError
from bench.spec import Family, Pinned
from tests import fakes, tiny

torch.set_num_threads(1)


def test_a_teacher_is_looked_for_before_anything_trains(tmp_path: Path) -> None:
    """As the cell's own checkpoint is; one that no plan could find is left to the cell, which says so."""
    model = tiny.checkpoint(Family.ENCODER, tmp_path / "model")
    bare = tiny.checkpoint(Family.ENCODER, tmp_path / "bare")
    (tmp_path / "bare" / "model.safetensors").unlink()
    cell = fakes.cell(None, model="tiny")
    cell = dataclasses.replace(cell, model=model, others={"teacher": Pinned(bare)})
    preflight.check_checkpoints([cell])
    found = dataclasses.replace(cell, others={"teacher": Pinned(bare, sha256="1" * 64)})
    with pytest.raises(UnavailableError, match=f"model '{bare.name}': there is no file with its weights"):
        preflight.check_checkpoints([found])
