"""A W&B server in miniature, on the loopback interface: it takes runs as the real one does, and remembers them."""

from __future__ import annotations

import gzip
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.loopback import listening

KEY = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Run:
    """What the server knows of a run: how often it was announced, its lines by file and number, and its end."""

    shown: str = ""
    group: str = ""
    announced: int = 0
    lines: dict[str, dict[int, str]] = field(default_factory=dict)
    exit_code: int | None = None

    @property
    def summary(self) -> dict[str, Any]:
        """The last summary."""
        lines = self.lines.get("wandb-summary.json", {})
        return dict(json.loads(lines[max(lines)])) if lines else {}


@dataclass
class Server:
    """A running server: its address, its runs by id, and how long it takes to answer."""

    url: str = ""
    runs: dict[str, Run] = field(default_factory=dict)
    delay: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def names(self) -> list[str]:
        """What the runs are called, each as often as it is there."""
        return sorted(run.shown for run in self.runs.values())


@contextmanager
def serving() -> Iterator[Server]:
    """A server without any runs."""
    running = Server()

    class Handler(_Handler):
        server_of_runs = running

    with listening(Handler) as running.url:
        yield running


class _Handler(BaseHTTPRequestHandler):
    server_of_runs = Server()

    def log_message(self, format: str, *args: Any) -> None:
        """Keeps test output quiet."""

    def do_GET(self) -> None:
        self._reply({})

    def do_PUT(self) -> None:
        self._body()
        self._reply({})

    def do_POST(self) -> None:
        body, known = self._body(), self.server_of_runs
        time.sleep(known.delay)
        with known.lock:
            if self.path.endswith("/graphql"):
                self._reply({"data": _answer(known, json.loads(body))})
            else:
                stream = re.fullmatch(r"/files/[^/]+/[^/]+/([^/]+)/file_stream", self.path)
                if stream:
                    _take(known.runs[stream[1]], json.loads(body))
                self._reply({})

    def _body(self) -> bytes:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(content) if self.headers.get("Content-Encoding") == "gzip" else content

    def _reply(self, value: Any) -> None:
        content = json.dumps(value).encode()
        try:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:  # whoever asked was killed
            self.close_connection = True


def _take(run: Run, said: dict[str, Any]) -> None:
    for name, part in said.get("files", {}).items():
        lines = run.lines.setdefault(name, {})
        for number, line in enumerate(part["content"], part["offset"]):
            lines[number] = line
    if said.get("complete"):
        run.exit_code = said.get("exitcode")


def _answer(server: Server, asked: dict[str, Any]) -> dict[str, Any]:
    found = re.search(r"(?:query|mutation)\s+(\w+)", asked["query"])
    variables = asked.get("variables") or {}
    match found and found[1]:
        case "UpsertBucket":
            return {"upsertBucket": {"bucket": _bucket(server, variables), "inserted": True}}
        case "CreateArtifact":
            made = {"id": "a", "state": "COMMITTED", "artifactSequence": {"latestArtifact": {"id": "a"}}}
            return {"createArtifact": {"artifact": made}}
        case "CreateRunFiles":
            files = [{"name": name, "uploadUrl": f"{server.url}/up/{name}"} for name in variables["files"]]
            return {"createRunFiles": {"runID": "r", "uploadHeaders": [], "files": files}}
        case "ArtifactType":
            return {"project": None}
        case "Viewer":
            return {"viewer": {"id": "v", "entity": "me", "username": "me", "flags": "{}", "teams": {"edges": []}}}
    return {}


def _bucket(server: Server, variables: dict[str, Any]) -> dict[str, Any]:
    run = server.runs.setdefault(variables["name"], Run())
    run.announced += 1
    run.shown = variables.get("displayName") or run.shown
    run.group = variables.get("groupName") or run.group
    return {
        "id": f"id-{variables['name']}", "name": variables["name"], "displayName": run.shown, "description": "",
        "config": "{}", "sweepName": None, "historyLineCount": 0,
        "project": {"id": "p", "name": variables.get("project") or "p", "entity": {"id": "e", "name": "me"}},
    }  # fmt: skip
