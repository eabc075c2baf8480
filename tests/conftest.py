"""What every test may rely on, however the suite was started, and what the tests of networks share."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_configure() -> None:
    """Ctrl-C can be pressed by tests: a shell that starts the suite in the background makes it deaf to that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a module's tests keep the checkpoints that they share."""
    return tmp_path_factory.mktemp("tiny")


@pytest.fixture(scope="module")
def float32() -> Iterator[None]:
    """Networks run in float32: bfloat16 rounds differently in batches of different shapes."""
    from bench.learn import device

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device, "CPU_BFLOAT16_WIDTH", 10**9)
        yield
