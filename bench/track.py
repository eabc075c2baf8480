"""Mirrors a run to Weights & Biases without ever failing or stalling it.

All W&B work is done by one child process (`bench.wandb_child`), which is told where finished records lie. The run waits
for it once, at the end, for a bounded time. Must not import wandb.
"""

from __future__ import annotations

import configparser
import multiprocessing
import netrc
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

from bench import wandb_child
from bench.wandb_child import Closing, Finished, Judged, Message, Mode

WAIT = 8.0
"""Seconds that the child gets to end when a run is over; what it misses it catches up on in the next run."""

INTERRUPTED_WAIT = 1.0
"""The same when the run was interrupted: the user wants the prompt."""

GRACE = 0.5
"""Seconds for a terminated, then for a killed child to be gone."""

SERVERS = ("api.wandb.ai", "api.forge.coreweave.com")
"""Hosts under which `wandb login` keeps the key of the public server."""

CATCHES_UP = "Records are not affected; the next run in this directory goes on with the mirror."

Warn = Callable[[str], None]


def mode() -> Literal["online", "offline", "disabled"]:
    """`online`, `offline` or `disabled`, by the user's own W&B settings (environment, settings files, netrc).

    Offline unless the user asked for online or has a key: a run must not publish what nobody meant to publish.
    """
    settings = _settings()
    chosen = (os.environ.get("WANDB_MODE") or settings.get("mode") or "").strip().lower()
    if chosen == "disabled" or os.environ.get("WANDB_DISABLED", "").strip().lower() in ("1", "true"):
        return "disabled"
    if chosen and chosen not in ("online", "run", "shared"):
        return "offline"  # a word that W&B does not know, too: nothing is sent that was not clearly asked for
    return "online" if chosen or _has_key(settings) else "offline"


class NullTracker:
    """Mirrors nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self, run_dir: Path, name: str, warn: Warn) -> None:
        """Begin the run of that name in its directory. `warn` takes a sentence for the user."""

    def finished(self, record_path: Path) -> None:
        """A record was written there."""

    def judged(self, verdict_path: Path) -> None:
        """The run was compared with its base, and the verdict was written there as JSON."""

    def close(self, published: Sequence[Path] = ()) -> None:
        """The run is over, and its board was published in these files."""


class Tracker(NullTracker):
    """Mirrors a run as one W&B run a cell and one for the board, in the mode that `mode` tells.

    Files go to the folder wandb/ of the run's directory. No method raises for anything that W&B does. Only `close`
    waits, at most WAIT and twice GRACE. `warn` is called from within the methods, once for each problem.
    """

    def __init__(self) -> None:
        self._child: _Child | None = None
        self._warn: Warn = lambda text: None
        self._said: set[str] = set()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._warn = lambda text: None  # what ended the run is told; the mirror is not what matters then
        self._close((), WAIT if kind is None else INTERRUPTED_WAIT)

    def start(self, run_dir: Path, name: str, warn: Warn) -> None:
        """Begin the run of that name; where W&B is disabled, or there can be no process, do nothing from now on."""
        self._warn = warn
        chosen = mode()
        if chosen == "disabled":
            return
        try:
            self._child = _Child(run_dir.resolve(), name, chosen)
        except OSError as error:
            self._say(f"no W&B mirror: its process cannot be started ({error}). Records are not affected.")

    def finished(self, record_path: Path) -> None:
        """A record was written there. Returns at once."""
        self._look()
        if self._child is not None:
            self._child.send(Finished(record_path.resolve()))

    def judged(self, verdict_path: Path) -> None:
        """The verdict on the run was written there. Returns at once."""
        self._look()
        if self._child is not None:
            self._child.send(Judged(verdict_path.resolve()))

    def close(self, published: Sequence[Path] = ()) -> None:
        """The run is over, and its board was published in these files. Waits for the child as long as WAIT."""
        self._close(published, WAIT)

    def _close(self, published: Sequence[Path], seconds: float) -> None:
        self._look()
        child, self._child = self._child, None
        if child is None:
            return
        try:
            child.send(Closing(tuple(path.resolve() for path in published)))
            child.wait(seconds)
        finally:
            late = child.stop()
        self._pass_on(child)
        if late:
            self._say(f"the W&B mirror was stopped after {seconds:g} s. {CATCHES_UP}")
        else:
            self._report_end(child)

    def _look(self) -> None:
        """Pass on what the child has to say, and let go of it where it has died."""
        child = self._child
        if child is None:
            return
        self._pass_on(child)
        if not child.alive():
            self._child = None
            child.stop()
            self._report_end(child)

    def _pass_on(self, child: _Child) -> None:
        for text in child.notes():
            self._say(text)

    def _report_end(self, child: _Child) -> None:
        how = child.ending()
        if how is not None:
            self._say(f"the W&B mirror {how}; see {child.log}. {CATCHES_UP}")

    def _say(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._warn(text)


class _Child:
    """The process, the queue to it and the pipe from it."""

    def __init__(self, run_dir: Path, name: str, chosen: Mode) -> None:
        context = multiprocessing.get_context("spawn")
        self.log = run_dir / wandb_child.FOLDER / wandb_child.LOG
        self._queue: multiprocessing.Queue[Message] = context.Queue()
        # Without this, the interpreter would wait at its end for a child that no longer reads.
        self._queue.cancel_join_thread()
        self._reader, writer = context.Pipe(duplex=False)
        arguments = (run_dir, name, chosen, self._queue, writer)
        self._process: BaseProcess = context.Process(target=wandb_child.serve, args=arguments, daemon=True)
        self._process.start()
        writer.close()

    def alive(self) -> bool:
        return self._process.is_alive()

    def send(self, message: Message) -> None:
        """Put the message in line; a thread of the queue's own carries it over."""
        self._queue.put(message)

    def notes(self) -> list[str]:
        """What the child has said since the last call."""
        said = []
        try:
            while self._reader.poll():
                said.append(self._reader.recv_bytes().decode())
        except (EOFError, OSError):
            pass  # it has ended, which `ending` tells
        return said

    def wait(self, seconds: float) -> None:
        self._process.join(seconds)

    def stop(self) -> bool:
        """End the process if it still lives, and say whether it did."""
        late = self.alive()
        for end in (self._process.terminate, self._process.kill):
            if self.alive():
                end()
                self._process.join(GRACE)
        self._queue.close()
        return late

    def ending(self) -> str | None:
        """How the process ended, None where all was well."""
        code = self._process.exitcode
        if not code:
            return None
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _settings() -> dict[str, str]:
    """What W&B's settings files say: the user's, and over it that of the present directory."""
    home = Path(os.environ.get("WANDB_CONFIG_DIR") or Path.home() / ".config" / "wandb")
    here = Path(os.environ.get("WANDB_DIR") or Path.cwd()) / "wandb"
    found: dict[str, str] = {}
    for path in (home / "settings", here / "settings"):
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue  # as W&B does, which also tells the user
        found.update(parser["default"] if parser.has_section("default") else {})
    return found


def _has_key(settings: Mapping[str, str]) -> bool:
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE") or settings.get("api_key"):
        return True
    server = os.environ.get("WANDB_BASE_URL") or settings.get("base_url")
    hosts = (urlsplit(server).netloc,) if server else SERVERS
    try:
        known = netrc.netrc(os.environ.get("NETRC") or Path.home() / ".netrc")
    except (OSError, netrc.NetrcParseError):
        return False
    return any(known.authenticators(host) for host in hosts)
