"""A call in a fork of this process: it finds what is loaded here, and takes along what it needs of memory.

Knows processes; not what is called. For Linux alone.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
from collections.abc import Callable
from typing import BinaryIO, NoReturn, TypeVar

Answer = TypeVar("Answer")

_DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of linux/prctl.h."""


def call(function: Callable[[], Answer]) -> Answer:
    """What the function returns, which is sent by pickle, or raises.

    A fork that ends without an answer takes this process along, by the same signal or with the same exit code. One
    whose parent is gone is killed by the kernel, whatever it is doing. What the fork has started and left behind is
    not waited for.
    """
    parent = os.getpid()
    with os.fdopen(os.memfd_create("answer"), "w+b") as place:
        child = os.fork()
        if child == 0:
            _answer(function, place, parent)
        status = os.waitpid(child, 0)[1]
        place.seek(0)
        sent = place.read()
    if status or not sent:
        _end_like(status)
    answer, error = pickle.loads(sent)
    if error is not None:
        raise error
    found: Answer = answer
    return found


def _answer(function: Callable[[], object], place: BinaryIO, parent: int) -> NoReturn:
    """What the fork does: nothing of what its parent would do at its end."""
    code = 1
    try:
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() == parent:
            place.write(_outcome(function))
            place.flush()
            code = 0
    finally:
        os._exit(code)


def _outcome(function: Callable[[], object]) -> bytes:
    """What it returns and what it raises, one of the two None."""
    try:
        return pickle.dumps((function(), None))
    except BaseException as error:  # noqa: BLE001 - raised again by the parent, sys.exit() among them
        return _sendable(error)


def _sendable(error: BaseException) -> bytes:
    """The error, or if it cannot be sent what it says."""
    try:
        sent = pickle.dumps((None, error))
        pickle.loads(sent)
    except Exception:  # noqa: BLE001 - an error's own code may raise anything when it is sent
        return pickle.dumps((None, RuntimeError(f"{type(error).__name__}: {error}")))
    return sent


def _end_like(status: int) -> NoReturn:
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        if -code != signal.SIGKILL:  # which nobody may handle
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)
