"""What a command took is that of all the processes that it brought along, and of no others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.speed import process

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

BUSY = "import time\nwhile time.process_time() < 1: pass\n"
LEAVES = """import subprocess, sys
subprocess.Popen([sys.executable, "-c", sys.argv[1]], start_new_session=True)
"""
ALONE = """import sys
from benchmarks.speed import process
process.adopt_orphans()
print(process.run(["leaves", sys.argv[1]]).processor)
"""


@pytest.fixture
def another() -> Iterator[subprocess.Popen[bytes]]:
    """A child of this process that outlives the test."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as child:
        yield child
        child.kill()


def test_a_child_that_was_there_before_is_not_waited_for(another: subprocess.Popen[bytes]) -> None:
    assert process.run(["this"]).processor > 0
    assert another.poll() is None


def test_what_a_command_leaves_behind_is_waited_for_and_counted(tmp_path: Path) -> None:
    """In a process of its own, since to inherit orphans is for good."""
    (tmp_path / "leaves.py").write_text(LEAVES)
    command, root = [sys.executable, "-c", ALONE, BUSY], Path(__file__).resolve().parent.parent
    paths = {"PYTHONPATH": f"{root}:{tmp_path}"}
    done = subprocess.run(command, text=True, capture_output=True, check=True, env=paths)
    assert float(done.stdout) > 1


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match=r"no\.such\.module ended with 1"):
        process.run(["no.such.module"])
