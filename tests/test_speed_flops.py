"""The matrix products in all that a cell does are counted, and its kernels timed by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bench import catalog, plan
from bench.commands.request import with_budget
from benchmarks.speed import flops, kernels
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
    assert all(found["all"] > found["products"] > 0 for found in (full, head))


@pytest.mark.usefixtures("float32")
def test_a_plan_is_counted_in_parts_and_without_timing_as_it_is_whole(tmp_path: Path) -> None:
    changes = {"train_size": 8, "validation_size": 4, "test_size": 4, "trials": 1, "seeds": (1,), "epochs": 1,
               "search_epochs": 1, "batch_size": 8, "evaluations": 1}
    suite = with_budget(catalog.suite("smoke"), changes)
    request = plan.Request(tasks=("sentiment",), methods=("head_only",))
    planned = plan.make(suite, request)
    source = tmp_path / "plan.json"
    source.write_text(planned.dumps())
    found = flops.of_plan(source, tmp_path, 2, timed=False)
    assert set(found) == {cell.key for cell in planned.cells}
    assert len(found) > 1
    assert all(cell["flop"] > 0 and cell["products"] is cell["all"] is None for cell in found.values())


def test_products_are_counted_forward_and_backward() -> None:
    weight, rows = torch.zeros(3, 5, requires_grad=True), torch.ones(2, 3)
    _, found = kernels.counted(lambda: (rows @ weight).sum().backward())  # type: ignore[no-untyped-call]
    assert found.flop == 2 * (2 * 2 * 3 * 5)


def test_products_are_counted_where_no_gradient_is_wanted() -> None:
    """There torch asks for a whole layer at once, whose product is inside."""
    layer, rows = torch.nn.Linear(3, 5), torch.ones(2, 3)
    result, found = kernels.counted(torch.inference_mode()(lambda: layer(rows)))
    assert result.shape == (2, 5)
    assert found.flop == 2 * 2 * 3 * 5
    assert found.products is not None
    assert found.all == found.products > 0


def test_kernels_are_called_again_in_their_own_shape_strides_and_precision() -> None:
    """A bias is one row that all share; a weight is often read by its columns."""
    shared, turned = torch.ones(1, 5, dtype=torch.bfloat16).expand(4, 5), torch.ones(5, 3).T
    for tensor in (shared, turned, torch.ones(0, 3)):
        again = kernels.Operand.of(tensor).drawn()
        assert (again.shape, again.stride(), again.dtype) == (tensor.shape, tensor.stride(), tensor.dtype)
