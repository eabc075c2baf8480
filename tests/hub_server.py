"""A Hugging Face hub in miniature: serves directories over the loopback interface, and fails on demand.

Large files (`LARGE`) are known by SHA-256 and small ones by git's name for them, as on the real one.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.loopback import listening

COMMIT = "c0ffee" * 6 + "c0de"
"""The commit of every repository here that is given none; `main` stands for it."""

LARGE = (".safetensors", ".parquet", ".bin")


@dataclass
class Fault:
    """What happens to the next `times` requests whose path contains `path`."""

    path: str
    happen: Callable[[BaseHTTPRequestHandler, bytes], None]
    times: int = 10**9


@dataclass
class Hub:
    """A running hub: its address, what goes wrong with it, and every request that it had ("GET /api/...")."""

    url: str = ""
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def fail(self, path: str, happen: Callable[[BaseHTTPRequestHandler, bytes], None], times: int = 10**9) -> None:
        """From now on, and `times` times."""
        self.faults.append(Fault(path, happen, times))

    def fault_for(self, path: str) -> Fault | None:
        """The first fault that this request meets; it is spent by that."""
        for fault in self.faults:
            if fault.path in path and fault.times > 0:
                fault.times -= 1
                return fault
        return None


@contextmanager
def serving(repositories: Mapping[str, Path], commits: Mapping[str, str] | None = None) -> Iterator[Hub]:
    """A hub that holds `repositories` ("org/name" to directory), each at its one commit."""
    running = Hub()

    class Handler(_Handler):
        held, known, hub = repositories, commits or {}, running

    with listening(Handler) as running.url:
        yield running


def answers(status: int, **headers: str) -> Callable[[BaseHTTPRequestHandler, bytes], None]:
    """A fault: a status, with headers (`Retry_After="1"`), in place of what was asked for."""

    def happen(handler: BaseHTTPRequestHandler, content: bytes) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return happen


def breaks_off(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    """A fault: half of what was promised."""
    handler.wfile.write(content[: len(content) // 2])
    handler.close_connection = True


def lies(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    """A fault: as many bytes as there should be, but others."""
    handler.wfile.write(content[:-1] + bytes([content[-1] ^ 1]))


def trickles(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    """A fault: a byte now and then."""
    try:
        for number in range(len(content)):
            handler.wfile.write(content[number : number + 1])
            time.sleep(0.1)
    except OSError:
        handler.close_connection = True


def never_begins(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    """A fault: headers, a byte now and then, without end."""
    handler.close_connection = True
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Endless: ")
        for _ in range(600):
            handler.wfile.write(b"x")
            time.sleep(0.1)
    except OSError:
        return


WITH_HEADERS = (breaks_off, lies, trickles)
"""Faults of the body: what goes before is as it should be."""


class _Handler(BaseHTTPRequestHandler):
    held: Mapping[str, Path] = {}
    known: Mapping[str, str] = {}
    hub = Hub()
    protocol_version = "HTTP/1.1"
    fault: Fault | None = None

    def do_GET(self) -> None:
        self.hub.requests.append(f"{self.command} {self.path}")
        self.fault = self.hub.fault_for(self.path) if self.command == "GET" else None
        if self.fault is not None and self.fault.happen not in WITH_HEADERS:
            self.fault.happen(self, b"")
            return
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        if parts[0] == "api":
            self._index("/".join(parts[2:4]), parts[4:])
        else:
            org, name, _resolve, commit, *path = parts[1:] if parts[0] == "datasets" else parts
            self._file(f"{org}/{name}", commit, "/".join(path))

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.hub.requests.append(f"{self.command} {self.path}")
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        root = self.held["/".join(parts[2:4])]
        self._json([_entry(root, root / path) for path in body["paths"] if (root / path).exists()])

    def log_message(self, format: str, *args: Any) -> None:
        """Keeps test output quiet."""

    def _commit(self, id: str) -> str:
        return self.known.get(id, COMMIT)

    def _index(self, id: str, what: list[str]) -> None:
        root = self.held.get(id)
        if root is None:
            self._missing("RepoNotFound")
        elif what and what[1] not in ("main", self._commit(id)):
            self._missing("RevisionNotFound")
        elif what[:1] == ["tree"]:
            below = root / "/".join(what[2:])
            self._json([_entry(root, path) for path in sorted(below.rglob("*"))])
        else:
            siblings = [{"rfilename": str(p.relative_to(root))} for p in sorted(root.rglob("*")) if p.is_file()]
            sha = self._commit(id)
            self._json({"id": id, "sha": sha, "siblings": siblings, "private": False, "gated": False, "tags": []})

    def _file(self, id: str, commit: str, name: str) -> None:
        if id not in self.held:
            self._missing("RepoNotFound")
        elif commit not in ("main", self._commit(id)):
            self._missing("RevisionNotFound")
        elif not (self.held[id] / name).is_file():
            self._missing("EntryNotFound")
        else:
            content = (self.held[id] / name).read_bytes()
            self.send_response(200)
            self.send_header("ETag", f'"{_name_of(name, content)}"')
            self.send_header("X-Repo-Commit", self._commit(id))
            self._body(content)

    def _json(self, value: Any) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self._body(json.dumps(value).encode())

    def _body(self, content: bytes) -> None:
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.fault is not None:
            self.fault.happen(self, content)
        elif self.command != "HEAD":
            self.wfile.write(content)

    def _missing(self, code: str) -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", code)
        self._body(b"")


def _name_of(path: str, content: bytes) -> str:
    if path.endswith(LARGE):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _entry(root: Path, path: Path) -> dict[str, Any]:
    name = str(path.relative_to(root))
    if path.is_dir():
        return {"type": "directory", "path": name, "oid": "0" * 40}
    content = path.read_bytes()
    entry = {"type": "file", "path": name, "size": len(content), "oid": _name_of("", content)}
    if name.endswith(LARGE):
        entry["lfs"] = {"oid": _name_of(name, content), "size": len(content), "pointerSize": 130}
    return entry
