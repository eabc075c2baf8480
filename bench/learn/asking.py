"""How the hub is asked: for a bounded time, again where that may help, and with an error that says what to do.

Knows HTTP and the errors of the two libraries that use it; not what is asked for. The library's own retries are left
out: they are as long as a server likes (a `Retry-After` of a day is a day) and say nothing.
"""

from __future__ import annotations

import errno
import functools
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

import httpx2
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, stop_before_delay, wait_random

from bench.errors import UnavailableError
from bench.redact import redact

ATTEMPTS = 5
"""How often the hub is asked for one thing."""

PATIENCE = 120.0
"""Seconds after which a failure is not tried again, waits included."""

FIRST_WAIT, LONGEST_WAIT = 0.5, 8.0
"""Seconds before the second attempt, doubled for each later one, where the hub does not say when to come back."""

SILENCE = 20.0
"""Seconds without a byte after which an answer is given up."""

SLOWEST, SLOW_AFTER = 1_000.0, 30.0
"""Bytes a second below which, after so many seconds, an answer is as good as none: a server may send one at a time."""

HEAD = 60.0
"""Seconds until the head of an answer must be there, redirects included. SILENCE is between two bytes of it."""

BREAKS = 10
"""How often the body of one address may break off before it counts as a failure; libraries go on where it did."""

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""What a server answers when the same request may be answered well a little later."""

log = logging.getLogger("bench.hub")

T = TypeVar("T")


class BusyError(httpx2.RequestError):
    """The hub failed in a way that may pass. `after` are the seconds that it asks to wait, None where it does not say.

    No kind of error that `huggingface_hub` would retry, or take for a reason to use what its cache holds.
    """

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class DamagedError(OSError):
    """A file is not what the hub says it is, so that it is worth while to fetch it once more."""


def patiently(kind: str, what: str, ask: Callable[[], T]) -> T:
    """What `ask` gives, asked again while it fails in a way that may pass. `kind` and `what` name it in messages.

    Raises UnavailableError where the hub does not have it, refuses it or fails for too long.
    """
    use_bounded_client()
    attempts = Retrying(
        retry=retry_if_exception(_may_pass), stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(PATIENCE),
        wait=_wait, before_sleep=functools.partial(_note, kind, what), reraise=True,
    )  # fmt: skip
    with _reported(kind, what):
        return attempts(ask)


def offline() -> bool:
    """Whether HF_HUB_OFFLINE forbids asking."""
    from huggingface_hub import constants

    return constants.is_offline_mode()


def instead(kind: str) -> str:
    """What else a user may do who cannot get something of this kind."""
    return "Or run with `--source files`, or `--source bundled` for tasks that have it." if kind == "data set" else ""


@functools.cache
def use_bounded_client() -> None:
    """Let all that asks the hub through `huggingface_hub`, in this process, do so within the limits above."""
    from huggingface_hub import constants, set_client_factory

    if "HF_HUB_DISABLE_XET" not in os.environ:
        constants.HF_HUB_DISABLE_XET = True  # its transfers are made by a library that knows none of these limits
    set_client_factory(lambda: BoundedClient(follow_redirects=True))


class BoundedClient(httpx2.Client):
    """Raises BusyError for whatever may pass, and ends answers that stall or trickle."""

    def __init__(self, *, follow_redirects: bool) -> None:
        super().__init__(follow_redirects=follow_redirects, timeout=SILENCE)
        self.breaks: dict[str, int] = {}

    def send(self, request: httpx2.Request, *, stream: bool = False, **options: object) -> httpx2.Response:
        """See httpx2. A body that is streamed is watched while it is read."""
        _refuse_offline()
        _bound(request)
        sent = super().send
        try:
            response = _in_time(lambda: sent(request, stream=True, **options))  # type: ignore[arg-type]
        except httpx2.TransportError as error:
            raise BusyError(f"{str(error) or 'no answer'} ({type(error).__name__})") from error
        if response.status_code in PASSING:
            response.close()
            raise BusyError(f"HTTP {response.status_code} from {request.url.host}", _retry_after(response))
        response.stream = _Watched(response, self.breaks)
        if not stream:
            _read(response)
        return response


class _Watched(httpx2.SyncByteStream):
    """A body that ends with BusyError where it comes too slowly, or broke off too often."""

    def __init__(self, response: httpx2.Response, breaks: dict[str, int]) -> None:
        assert isinstance(response.stream, httpx2.SyncByteStream)
        self.inner, self.address, self.breaks = response.stream, str(response.request.url), breaks

    def __iter__(self) -> Iterator[bytes]:
        began, received = time.monotonic(), 0
        try:
            for chunk in self.inner:
                received += len(chunk)
                seconds = time.monotonic() - began
                if seconds > SLOW_AFTER and received < SLOWEST * seconds:
                    raise BusyError(f"only {received} bytes in {seconds:.0f} s")
                yield chunk
        except httpx2.TransportError as error:
            self.breaks[self.address] = self.breaks.get(self.address, 0) + 1
            if self.breaks[self.address] > BREAKS:
                raise BusyError(f"its answer broke off {BREAKS} times ({error})") from error
            raise

    def close(self) -> None:
        self.inner.close()


def _in_time(ask: Callable[[], T]) -> T:
    """What `ask` gives, asked in a thread of its own, which is left alone with a server that does not end."""
    answer: Future[T] = Future()

    def work() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is waited for
            answer.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        return answer.result(HEAD)
    except TimeoutError:
        raise BusyError(f"no whole answer in {HEAD:.0f} s") from None


def _refuse_offline() -> None:
    if offline():
        from huggingface_hub.errors import OfflineModeIsEnabled

        raise OfflineModeIsEnabled("HF_HUB_OFFLINE is set")


def _bound(request: httpx2.Request) -> None:
    """No part of a request may wait longer than SILENCE, whatever the library asked for."""
    asked = request.extensions.get("timeout", {})
    bounded = {part: min(asked.get(part) or SILENCE, SILENCE) for part in ("connect", "read", "write", "pool")}
    request.extensions = {**request.extensions, "timeout": bounded}


def _read(response: httpx2.Response) -> None:
    """Read a body that is wanted whole."""
    try:
        response.read()
    except httpx2.TransportError as error:
        response.close()
        raise BusyError(f"{str(error) or 'its answer broke off'} ({type(error).__name__})") from error
    except BaseException:
        response.close()
        raise


def _retry_after(response: httpx2.Response) -> float | None:
    """The seconds that a server asks to wait; a date is as good as nothing, since clocks differ."""
    told = response.headers.get("Retry-After", "")
    return float(told) if told.isdecimal() else None


def _may_pass(error: BaseException) -> bool:
    told = isinstance(error, UnavailableError)  # by a question within this one, which was asked often enough
    return not told and any(isinstance(e, (BusyError, DamagedError, httpx2.TransportError)) for e in _chain(error))


def _wait(state: RetryCallState) -> float:
    """What the hub asked for, else ever longer, and not the same for all who wait."""
    after = next((e.after for e in _chain(_failure(state)) if isinstance(e, BusyError)), None)
    growing = min(FIRST_WAIT * 2 ** (state.attempt_number - 1), LONGEST_WAIT)
    return growing + wait_random(0, 0.25)(state) if after is None else after


def _note(kind: str, what: str, state: RetryCallState) -> None:
    """One line, when the first attempt has failed."""
    if state.attempt_number == 1:
        cause = redact(_cause(_failure(state)))
        log.warning("note: the hub does not give %s %s yet: %s. Trying again for a while.", kind, what, cause)


def _failure(state: RetryCallState) -> BaseException:
    assert state.outcome is not None
    error = state.outcome.exception()
    assert error is not None
    return error


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came from: libraries wrap what the client raised."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _cause(error: BaseException) -> str:
    """What happened in the first place, in one line."""
    known = (e for e in _chain(error) if isinstance(e, (BusyError, DamagedError, httpx2.TransportError)))
    first = next(known, error)
    return (str(first) or type(first).__name__).partition("\n")[0].rstrip(".")


@contextmanager
def _reported(kind: str, what: str) -> Iterator[None]:
    """Turns what the two libraries raise for a thing that cannot be had into UnavailableError."""
    from datasets.exceptions import DatasetsError

    try:
        yield
    except UnavailableError:
        raise
    except (OSError, httpx2.HTTPError, DatasetsError, ValueError) as error:
        refused = _refused(kind, what, error)
        if refused is None:
            refused = (
                f"cannot get {kind} {what} from the hub: {_cause(error)}. Check the connection (HF_ENDPOINT names a "
                "mirror), or set HF_HOME to a cache that holds it and HF_HUB_OFFLINE=1; then try again."
            )
        raise UnavailableError(f"{refused} {instead(kind)}".rstrip()) from error


def _refused(kind: str, what: str, error: BaseException) -> str | None:
    """What to say where asking again is of no use; None where it may be."""
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HfUriError,
        HFValidationError,
        RemoteEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    chain = list(_chain(error))
    status = next((e.response.status_code for e in chain if isinstance(e, HfHubHTTPError)), None)
    if any(isinstance(e, GatedRepoError) for e in chain) or status == 403:
        return (
            f"the hub does not let you have {kind} {what}: it is gated. Ask for access on its page, then log in with "
            "`hf auth login`."
        )
    if any(isinstance(e, RevisionNotFoundError) for e in chain):
        return (
            f"the hub no longer has this revision of {kind} {what}. Pin a commit that it has (its page lists them "
            "under History); records of the old one stay readable."
        )
    absent = (RepositoryNotFoundError, RemoteEntryNotFoundError, HFValidationError, HfUriError)
    if any(isinstance(e, absent) for e in chain) or status in (401, 404):
        return (
            f"the hub has no {kind} {what}, or it is private. Check the name (organisation/name); for a private one "
            "log in with `hf auth login`."
        )
    full = next((e for e in chain if isinstance(e, OSError) and e.errno in LOCAL), None)
    if full is not None:
        return (
            f"cannot keep {kind} {what} in the hub's cache: {full.strerror} ({full.filename or 'see HF_HOME'}). Make "
            "room, or set HF_HOME to a directory that can be written."
        )
    return None


LOCAL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})
"""What is wrong with this machine's disk and not with the hub."""
