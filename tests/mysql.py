"""A MySQL server of its own for tests: Debian's MariaDB on a temporary directory, loopback only."""

from __future__ import annotations

import getpass
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.postgres import PASSWORD, USER, free_port

SECONDS = 60
"""How long the server may take to come up."""


def programs() -> bool:
    """Whether the server's programs are there."""
    return all(map(shutil.which, ("mariadbd", "mariadb-install-db", "mariadb")))


@contextmanager
def server(place: Path) -> Iterator[str]:
    """The URL of a running server with an empty database, password included."""
    port, socket, data = free_port(), place / "s", place / "data"
    as_user = [f"--user={'mysql' if getpass.getuser() == 'root' else getpass.getuser()}"]
    if getpass.getuser() == "root":  # the server refuses to be run by root
        for path in (place, *place.parents[:3]):
            path.chmod(path.stat().st_mode | 0o755)
        shutil.chown(place, "mysql")
    subprocess.run(
        ["mariadb-install-db", "--no-defaults", *as_user, f"--datadir={data}", "--skip-test-db"], check=True,
        capture_output=True, timeout=120,
    )
    running = subprocess.Popen(
        ["mariadbd", "--no-defaults", *as_user, f"--datadir={data}", f"--port={port}", f"--socket={socket}",
         "--bind-address=127.0.0.1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        _when_up(socket, f"CREATE DATABASE bench; CREATE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'; "
                         f"GRANT ALL ON bench.* TO {USER}@'%';")
        yield f"mysql://{USER}:{PASSWORD}@127.0.0.1:{port}/bench"
    finally:
        running.kill()
        running.wait()


def _when_up(socket: Path, statements: str) -> None:
    """Run the statements as soon as the server answers."""
    command = ["mariadb", "--no-defaults", f"--socket={socket}", "-e", statements]
    until = time.monotonic() + SECONDS
    while subprocess.run(command, capture_output=True, timeout=SECONDS).returncode:
        if time.monotonic() > until:
            raise TimeoutError(f"MariaDB is not up after {SECONDS} s")
        time.sleep(0.2)
