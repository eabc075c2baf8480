"""The memory that a process needs: a fork's is counted as if it were a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bench import forked, resident

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

MIB = 2**20

TWICE = """
import os, sys
import numpy, pyarrow.parquet
from bench import forked, resident
def used():
    if {told}:
        resident.inherit(parent)
    resident.forget_peak()
    return resident.peak()
parent = os.getpid()
resident.forget_peak()
print(resident.peak(), forked.call(used), forked.call(lambda: forked.call(used)))
"""
"""What a process takes that has loaded libraries, a fork of it, and a fork of a fork."""


def peaks(*, told: bool) -> list[int]:
    ended = subprocess.run([sys.executable, "-c", TWICE.format(told=told)], text=True, capture_output=True, check=True)
    return [int(each) for each in ended.stdout.split()]


def test_a_fork_takes_what_a_process_of_its_own_would_take_libraries_included() -> None:
    alone, once, twice = peaks(told=True)
    assert abs(once - alone) < 0.05 * alone
    assert abs(twice - alone) < 0.05 * alone


def test_without_being_told_of_its_parent_a_fork_would_leave_out_most_libraries() -> None:
    alone, once, _ = peaks(told=False)
    assert once < alone - 20 * MIB


def test_what_a_fork_needs_beside_counts_once() -> None:
    def used() -> list[int | None]:
        resident.inherit(parent)
        resident.peak()  # which takes something itself, the first time
        resident.forget_peak()
        before = resident.peak()
        held = b"x" * (64 * MIB)
        return [before, resident.peak(), len(held)]

    parent = os.getpid()
    before, after, held = forked.call(used)
    assert before is not None
    assert after is not None
    assert held is not None
    assert abs(after - before - held) < 8 * MIB
