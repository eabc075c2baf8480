"""The process that mirrors a run to Weights & Biases: it takes the names of finished records and writes W&B runs.

The only module that imports wandb. It may hang or crash: nobody waits for it, nothing is read back from it but words
for the user, and what it did not get done it catches up on in the next run of the same directory.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import multiprocessing
import os
import queue
import re
import shutil
import signal
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bench import claims, mirror
from bench.errors import StoreError
from bench.mirror import Page, Table
from bench.record import Record
from bench.store import Store, read_record

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

Mode = Literal["online", "offline"]

PROJECT = "finetune-bench"
"""Where runs go unless the user's W&B settings name a project."""

FOLDER = "wandb"
"""What W&B calls its folder inside the directory it is given."""

LOG = "mirror.log"

LIMITS = {"init_timeout": 5, "finish_timeout": 15, "finish_timeout_raises": True}
"""Seconds an online run may take to begin, and to be uploaded; left alone, W&B waits 90 s, and for ever."""

QUIET = {
    "silent": True, "console": "off", "save_code": False, "disable_git": True, "x_disable_stats": True,
    "x_disable_meta": True, "x_disable_machine_info": True, "x_save_requirements": False, "host": "",
}
"""Nothing on the terminal, and nothing sent that is not in a page: no code, packages, host or user names."""

ROOM = 5_000_000
"""Bytes of free disk below which nothing is written: W&B does not say when it could not write something."""

LAST = 1.0
"""Seconds that a run which is over waits for its turn: whoever mirrors another one goes through all records."""

ELSEWHERE = "W&B: another run in this directory mirrors these cells when it ends."
"""What is said where the turn never came."""

POLL = 1.0
"""Seconds between two looks at whether the run still lives."""


@dataclass(frozen=True)
class Finished:
    """A record lies there."""

    record: Path


@dataclass(frozen=True)
class Closing:
    """No more records will come; the board was published in these files."""

    published: tuple[Path, ...]


@dataclass(frozen=True)
class Judged:
    """The verdict on the run lies there, as JSON."""

    verdict: Path


Message = Finished | Closing | Judged


def serve(run_dir: Path, name: str, mode: Mode, inbox: Queue[Message], outbox: Connection) -> None:
    """Mirror what `inbox` tells of, until it says Closing or the parent process is gone.

    `mode` is `online` or `offline`. Sentences for the user go to `outbox`, all other output to wandb/mirror.log.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):  # nobody may be listening any more
        try:
            _prepare(run_dir / FOLDER)
            messages = _messages(inbox)
            heard: list[Message] = []
            with _turn(run_dir, messages, heard) as mine:
                if mine:
                    _mirror(Mirror(run_dir, name, mode, outbox), itertools.chain(heard, messages))
                elif heard:
                    outbox.send_bytes(ELSEWHERE.encode())
        except OSError as error:
            outbox.send_bytes(_of_the_disk(error, run_dir / FOLDER).encode())


@contextlib.contextmanager
def _turn(run_dir: Path, messages: Iterator[Message], heard: list[Message]) -> Iterator[bool]:
    """Whether the mirror is this run's, asked with every message, which is put into `heard`, until the run is over.

    Of several runs in one directory one mirrors: at its end it goes through all records.
    """
    last = time.monotonic() + LAST
    while True:
        with claims.claim(run_dir / ".mirror.lock") as mine:
            closing = bool(heard) and isinstance(heard[-1], Closing)
            if mine or (closing and time.monotonic() > last):
                yield mine
                return
        if closing:
            time.sleep(LAST / 10)
            continue
        message = next(messages, None)
        if message is None:
            yield False
            return
        heard.append(message)
        last = time.monotonic() + LAST


def _mirror(mirrored: Mirror, messages: Iterable[Message]) -> None:
    for message in messages:
        if isinstance(message, Finished):
            mirrored.finished(message.record)
        elif isinstance(message, Judged):
            mirrored.judged(message.verdict)
        else:
            mirrored.close(message.published)


def _of_the_disk(error: OSError, folder: Path) -> str:
    """What to say where the mirror's own files cannot be written."""
    return (
        f"no W&B mirror from here on: {error.filename or folder}: {error.strerror or error}. Make room, or make it "
        "writable. Records are not affected; the next run in this directory goes on with the mirror."
    )


def _prepare(folder: Path) -> None:
    """Send all output to the log, keep W&B's files in the run's directory, and load wandb while cells still train."""
    folder.mkdir(parents=True, exist_ok=True)
    log = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.setdefault("WANDB_SILENT", "true")
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    os.environ.setdefault("WANDB_DATA_DIR", str(folder / "data"))
    os.environ.setdefault("WANDB_CACHE_DIR", str(folder / "cache"))
    import wandb  # noqa: F401


def _messages(inbox: Queue[Message]) -> Iterator[Message]:
    parent = multiprocessing.parent_process()
    while True:
        try:
            message = inbox.get(timeout=POLL)
        except queue.Empty:
            if parent is None or not parent.is_alive():
                return
            continue
        yield message
        if isinstance(message, Closing):
            return


class Mirror:
    """Sends pages, each once. Online until W&B fails, offline from then on."""

    def __init__(self, run_dir: Path, name: str, mode: Mode, outbox: Connection) -> None:
        self.store, self.name, self.mode, self.outbox = Store(run_dir), name, mode, outbox
        self.folder = run_dir / FOLDER
        self.ledger = self.folder / "mirrored.jsonl"
        self.sent = _read_ledger(self.ledger)

    def finished(self, path: Path) -> None:
        """Send the record in a file, with its predictions."""
        try:
            self._send_cell(read_record(path))
        except StoreError as error:
            self._say(f"W&B: a cell is not mirrored: {error}")

    def judged(self, path: Path) -> None:
        """Send the verdict in a file, with an alert where it is not that all is fine."""
        self._send(mirror.of_verdict(self.name, json.loads(path.read_text(encoding="utf-8"))))

    def close(self, published: tuple[Path, ...]) -> None:
        """Send what an earlier run left undone, then the board."""
        for record in self.store.records():
            self.finished(self.store.path("records", record.names, "json"))
        if published:
            self._send(mirror.of_board(self.name, published))

    def _send_cell(self, record: Record) -> None:
        page = mirror.of_cell(self.name, record)
        if not self._is_sent(page):
            predictions = self.store.read_predictions(record.names)
            self._send(mirror.with_predictions(page, predictions))

    def _is_sent(self, page: Page) -> bool:
        return self.sent.get(page.id) == page.digest

    def _send(self, page: Page) -> None:
        import wandb

        if self._is_sent(page):
            return
        self._check_room()
        try:
            self._write(page)
        except (wandb.Error, TimeoutError, ValueError) as error:  # the last: an answer that makes no sense
            if self.mode == "offline":
                raise
            self._go_offline(error)
            self._write(page)
        self._check_room()
        self.sent[page.id] = page.digest
        with self.ledger.open("a", encoding="utf-8") as file:
            file.write(json.dumps([page.id, page.digest]) + "\n")

    def _check_room(self) -> None:
        """Raise OSError where the disk is full, or as good as: then a page may not be whole, and does not count."""
        if shutil.disk_usage(self.folder).free < ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.folder))

    def _go_offline(self, error: Exception) -> None:
        """Give up on the server. A new service is needed: the old one holds on to the id of the run that failed."""
        import wandb

        why = str(error).partition("\n")[0]
        offline = self.folder / "offline-run-*"
        self._say(f"W&B cannot be used online ({why}). The rest is kept offline; upload it with: wandb sync {offline}")
        self.mode = "offline"
        wandb.teardown()

    def _write(self, page: Page) -> None:
        """Write one W&B run; offline it is all on disk, and online at the server, when this returns."""
        import wandb

        self._forget(page)
        run = wandb.init(
            id=page.id, name=page.name, group=self.name, job_type=page.job, tags=page.tags, config=dict(page.config),
            project=wandb.setup().settings.project or PROJECT, dir=self.store.root, mode=self.mode,
            settings=wandb.Settings(**QUIET, **LIMITS),
        )
        _log(run, page)
        if page.files:
            run.log_artifact(_artifact(self.name, page.files))
        if page.alert is not None:
            run.alert(title=page.alert.title, text=page.alert.text, level=page.alert.level)
        run.finish(exit_code=int(page.failed))

    def _forget(self, page: Page) -> None:
        """Remove an earlier copy of the page, lest `wandb sync` send both."""
        for old in self.folder.glob(f"*run-*-{page.id}"):
            shutil.rmtree(old)

    def _say(self, text: str) -> None:
        self.outbox.send_bytes(text.encode())


def _log(run: Any, page: Page) -> None:
    run.define_metric("step", summary="none")
    run.define_metric("epoch", summary="none")
    for section in page.sections:
        run.define_metric(f"{section}/*", step_metric="step", summary="none")
    for row in page.curves:
        run.log(dict(row))
    if page.tables:
        run.log({name: _table(table) for name, table in page.tables.items()})
    run.summary.update(dict(page.summary))


def _table(table: Table) -> Any:
    import wandb

    return wandb.Table(columns=list(table.columns), data=[list(row) for row in table.rows])


def _artifact(name: str, files: tuple[Path, ...]) -> Any:
    import wandb

    artifact = wandb.Artifact(f"leaderboard-{re.sub(r'[^A-Za-z0-9._-]+', '-', name)[:100]}", type="leaderboard")
    for path in files:
        artifact.add_file(str(path))
    return artifact


def _read_ledger(path: Path) -> dict[str, str]:
    """What was sent, as digests by id. A line cut off or damaged is passed over: its page is sent again."""
    sent = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else ():
        try:
            identity, digest = json.loads(line)
        except (ValueError, TypeError):
            continue
        sent[identity] = digest
    return sent
