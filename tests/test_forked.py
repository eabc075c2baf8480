"""A call in a fork: its answer, its errors, and that neither process is left behind by the other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from bench import forked
from bench.errors import StoreError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends a fork with its parent")


class StubbornError(Exception):
    """Cannot be sent: what makes it anew lacks an argument."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} {other}")


def fails(error: BaseException) -> NoReturn:
    raise error


def test_an_answer_comes_from_another_process_and_nothing_that_it_changed() -> None:
    seen: list[int] = []

    def work() -> tuple[int, bytes]:
        seen.append(1)
        return os.getpid(), b"x" * 10**6

    process, sent = forked.call(work)
    assert process != os.getpid()
    assert len(sent) == 10**6
    assert seen == []


def test_an_error_is_raised_again_as_what_it_is() -> None:
    with pytest.raises(StoreError, match=r"^no such place$"):
        forked.call(lambda: fails(StoreError("no such place")))


@pytest.mark.parametrize("end", [SystemExit("no licence"), KeyboardInterrupt("now")])
def test_what_would_end_the_fork_without_a_word_is_raised_again_too(end: BaseException) -> None:
    with pytest.raises(type(end), match=str(end)):
        forked.call(lambda: fails(end))


def test_an_error_that_cannot_be_sent_is_told_in_words() -> None:
    with pytest.raises(RuntimeError, match="StubbornError: one other"):
        forked.call(lambda: fails(StubbornError("one", "other")))


def test_an_answer_that_cannot_be_sent_is_an_error() -> None:
    with pytest.raises((TypeError, AttributeError), match="pickle"):
        forked.call(threading.Lock)


@pytest.mark.parametrize(
    ("death", "code"),
    [("os.kill(os.getpid(), 9)", -9), ("os.kill(os.getpid(), 11)", -11), ("os.abort()", -6), ("os._exit(3)", 3)],
)
def test_a_fork_that_dies_takes_its_parent_along_in_the_same_way(death: str, code: int) -> None:
    script = f"import os\nfrom bench import forked\nforked.call(lambda: {death})"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert ended.returncode == code


@pytest.mark.parametrize(("end", "code"), [("return 5", 5), ("os.kill(os.getpid(), 9)", -9)])
def test_what_a_fork_leaves_behind_is_not_waited_for(end: str, code: int) -> None:
    """A helper that it has started has all its files open, and may outlive it."""
    script = f"""
import os, sys, time
from bench import forked
def work():
    if os.fork() == 0:
        time.sleep(600)
        os._exit(0)
    {end}
sys.exit(forked.call(work))
"""
    parent = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
    try:
        assert parent.wait(timeout=60) == code
    finally:
        os.killpg(parent.pid, signal.SIGKILL)


def test_a_fork_that_hangs_in_a_library_ends_with_its_parent(tmp_path: Path) -> None:
    script = f"""
import ctypes, os, pathlib
from bench import forked
def hang():
    pathlib.Path({str(tmp_path / "pid")!r}).write_text(str(os.getpid()))
    ctypes.PyDLL(None).sleep(600)  # keeps the interpreter's lock, so that no thread can end it
forked.call(hang)
"""
    parent = subprocess.Popen([sys.executable, "-c", script])
    wait_for(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()))
    parent.kill()
    parent.wait()
    pid = int((tmp_path / "pid").read_text())
    wait_for(lambda: not running(pid))


def running(pid: int) -> bool:
    """Whether there is such a process that has not ended, though nobody may have asked how yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until it is true, at most 20 seconds."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
