"""A Hugging Face hub in miniature: serves repositories from directories over the loopback interface."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" * 6 + "c0de"
"""The one commit of every repository here; `main` stands for it."""


@contextmanager
def serving(repositories: Mapping[str, Path]) -> Iterator[str]:
    """The endpoint (a URL, for HF_ENDPOINT) of a hub that holds `repositories` ("org/name" to directory)."""

    class Handler(_Handler):
        held = repositories

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    held: Mapping[str, Path] = {}

    def do_GET(self) -> None:
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        if parts[0] == "api":
            self._index("/".join(parts[2:4]), parts[4:])
        else:
            org, name, _resolve, _commit, *path = parts[1:] if parts[0] == "datasets" else parts
            self._file(f"{org}/{name}", "/".join(path))

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        root = self.held["/".join(parts[2:4])]
        self._json([_entry(root, root / path) for path in body["paths"] if (root / path).exists()])

    def log_message(self, format: str, *args: Any) -> None:
        """Keeps test output quiet."""

    def _index(self, id: str, what: list[str]) -> None:
        root = self.held.get(id)
        if root is None:
            self._missing("RepoNotFound")
        elif what and what[1] not in ("main", COMMIT):
            self._missing("RevisionNotFound")
        elif what[:1] == ["tree"]:
            below = root / "/".join(what[2:])
            self._json([_entry(root, path) for path in sorted(below.rglob("*"))])
        else:
            siblings = [{"rfilename": str(p.relative_to(root))} for p in sorted(root.rglob("*")) if p.is_file()]
            self._json({"id": id, "sha": COMMIT, "siblings": siblings, "private": False, "gated": False, "tags": []})

    def _file(self, id: str, name: str) -> None:
        if id not in self.held:
            self._missing("RepoNotFound")
            return
        path = self.held[id] / name
        if not path.is_file():
            self._missing("EntryNotFound")
            return
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self._body(content)

    def _json(self, value: Any) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self._body(json.dumps(value).encode())

    def _body(self, content: bytes) -> None:
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _missing(self, code: str) -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", code)
        self._body(b"")


def _entry(root: Path, path: Path) -> dict[str, Any]:
    name = str(path.relative_to(root))
    if path.is_dir():
        return {"type": "directory", "path": name, "oid": "0" * 40}
    return {"type": "file", "path": name, "size": path.stat().st_size, "oid": hashlib.sha1(name.encode()).hexdigest()}
