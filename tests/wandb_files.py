"""Reads what W&B wrote offline, and plays a server that never answers. For tests only."""

from __future__ import annotations

import json
import socket
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BLOCK = 32 * 1024
HEADER = struct.Struct("<IHB")
FILE_HEADER = 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


@dataclass
class WandbRun:
    """One run as its transaction log tells it."""

    folder: Path
    run: Any = None
    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    artifacts: list[Any] = field(default_factory=list)
    metrics: list[Any] = field(default_factory=list)
    alerts: list[Any] = field(default_factory=list)
    exit_code: int | None = None

    def table(self, name: str) -> dict[str, Any]:
        """The content of a logged table: its `columns` and `data`."""
        place = next(row[f"{name}/path"] for row in self.history if f"{name}/path" in row)
        content: dict[str, Any] = json.loads((self.folder / "files" / place).read_text())
        return content


def runs(run_dir: Path) -> dict[str, WandbRun]:
    """All runs kept offline in a run's directory, by their name. Fails where one name is there twice."""
    found: dict[str, WandbRun] = {}
    for path in sorted(run_dir.glob("wandb/offline-run-*/*.wandb")):
        read = read_run(path)
        assert read.run.display_name not in found, f"{read.run.display_name} is there twice"
        found[read.run.display_name] = read
    return found


def read_run(path: Path) -> WandbRun:
    """The run in a .wandb file."""
    from wandb.proto import wandb_internal_pb2

    read = WandbRun(path.parent)
    for chunk in _records(path.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(chunk)
        _take(read, record)
    return read


def _take(read: WandbRun, record: Any) -> None:
    kind = record.WhichOneof("record_type")
    if kind == "run":
        read.run = record.run
        read.config |= _items(record.run.config.update)
    elif kind == "config":
        read.config |= _items(record.config.update)
    elif kind == "history":
        read.history.append(_items(record.history.item))
    elif kind == "summary":
        read.summary |= _items(record.summary.update)
    elif kind == "artifact":
        read.artifacts.append(record.artifact)
    elif kind == "alert":
        read.alerts.append(record.alert)
    elif kind == "metric":
        read.metrics.append(record.metric)
    elif kind == "exit":
        read.exit_code = record.exit.exit_code


def _items(items: Any) -> dict[str, Any]:
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}


def _records(data: bytes) -> Iterator[bytes]:
    """The records of a file in LevelDB's log format: blocks of 32 KiB, records cut where a block ends."""
    assert data.startswith(b":W&B")
    position, parts = FILE_HEADER, b""
    while position + HEADER.size <= len(data):
        room = BLOCK - position % BLOCK
        if room < HEADER.size:
            position += room
            continue
        checksum, length, kind = HEADER.unpack_from(data, position)
        body = data[position + HEADER.size : position + HEADER.size + length]
        assert zlib.crc32(body, zlib.crc32(bytes([kind]))) == checksum
        position += HEADER.size + length
        parts = body if kind in (FULL, FIRST) else parts + body
        if kind in (FULL, LAST):
            yield parts


@contextmanager
def silent_server() -> Iterator[str]:
    """The address of a server that takes every connection and never says a word."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_take_all, args=(server, taken), daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    for connection in taken:
        connection.close()


def _take_all(server: socket.socket, taken: list[socket.socket]) -> None:
    while True:
        try:
            taken.append(server.accept()[0])
        except OSError:  # the server was closed
            return
