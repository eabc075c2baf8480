"""A PostgreSQL server of its own for tests: Debian's programs on a temporary directory, loopback only."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER, PASSWORD = "bench", "correct-horse-battery"

WHERE = (*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/local/bin"), Path("/usr/bin"))


def programs() -> Path | None:
    """The directory of PostgreSQL's programs, None where there are none."""
    return next((place for place in WHERE if (place / "initdb").exists() and (place / "pg_ctl").exists()), None)


@contextmanager
def server(place: Path) -> Iterator[str]:
    """The URL of a running server with an empty database, password included."""
    bin_, data = programs(), place / "data"
    assert bin_ is not None
    word = place / "password"
    word.write_text(PASSWORD)
    if getpass.getuser() == "root":  # the server refuses to be run by root
        for path in (place, *place.parents[:3]):
            path.chmod(path.stat().st_mode | 0o755)
        shutil.chown(word, "postgres")
        shutil.chown(place, "postgres")
    port = free_port()
    _run(bin_ / "initdb", "-D", data, "-U", USER, "-E", "UTF8", "-A", "scram-sha-256", f"--pwfile={word}", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    _run(bin_ / "pg_ctl", "-D", data, "-w", "-l", place / "log", "-o", options, "start")
    try:
        yield f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres"
    finally:
        _run(bin_ / "pg_ctl", "-D", data, "-m", "immediate", "stop")


def _run(*command: object) -> None:
    as_user = ["runuser", "-u", "postgres", "--"] if getpass.getuser() == "root" else []
    subprocess.run(
        [*as_user, *map(str, command)], check=True, stdout=subprocess.DEVNULL, timeout=120, cwd="/",
        env={**os.environ, "LC_ALL": "C"},
    )


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
