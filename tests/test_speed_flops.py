"""The operations in matrix products are counted over all that a cell does."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bench import catalog, plan
from bench.commands.request import with_budget
from benchmarks.speed import flops
from tests import tiny

torch.set_num_threads(1)


@pytest.mark.usefixtures("float32")
def test_training_all_layers_takes_several_times_the_products_of_reading_with_them(tmp_path: Path) -> None:
    """One pass forward over each row where the layers are frozen; backward passes, and more of them, where not."""
    model = tiny.checkpoint("encoder", tmp_path)
    changes = {"train_size": 8, "validation_size": 4, "test_size": 4, "trials": 1, "seeds": (1,), "epochs": 1,
               "search_epochs": 1, "batch_size": 8, "evaluations": 1}
    suite = with_budget(catalog.suite("smoke"), changes)
    request = plan.Request(tasks=("sentiment",), models=(model.path,), methods=("full", "head_only"))
    full, head = (flops.count(cell) for cell in plan.make(suite, request).cells)
    assert full["precision"] == "float32"
    assert full["flop"] > 3 * head["flop"] > 0
