"""What a worker did before is not counted as the memory of its next cell."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bench.work import ENVIRONMENT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

MANY_SHAPES = """
import torch
from bench.learn import device
torch.set_num_threads(1)
processor = torch.device("cpu")
weight = torch.randn(256, 256, dtype=torch.bfloat16)
def multiply(rows):
    return torch.randn(rows, 256, dtype=torch.bfloat16) @ weight
for rows in range(1, 40):
    multiply(rows)
device.reset_peak_memory(processor)
before = device.peak_memory(processor)
for rows in range(40, 840):
    multiply(rows)
print(device.peak_memory(processor) - before)
"""

MANY_TENSORS = """
import torch
from bench.learn import device, memory
processor = torch.device("cpu")
device.reset_peak_memory(processor)
before = device.peak_memory(processor)
tensors = [torch.ones(2**18) for _ in range(200)]
del tensors
memory.release()
device.reset_peak_memory(processor)
print(device.peak_memory(processor) - before)
"""


def grown(script: str) -> float:
    """MiB by which a process with a worker's environment has grown by its own account."""
    ended = subprocess.run([sys.executable, "-c", script], env={**os.environ, **ENVIRONMENT}, text=True,
                           capture_output=True, check=True)
    return int(ended.stdout) / 2**20


def test_a_worker_does_not_grow_with_the_number_of_lengths_that_it_meets() -> None:
    assert grown(MANY_SHAPES) < 120


def test_memory_that_an_earlier_cell_gave_back_is_not_of_the_next_one() -> None:
    assert grown(MANY_TENSORS) < 20
