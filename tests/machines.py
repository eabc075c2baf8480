"""Two machines on one shared directory, for tests: namespaces of this machine on mounts of a real network file system.

The file system is GlusterFS, served on loopback. Each machine has its own name, its own processes and its own mount,
which can be lost as with a power cut. What they share has the same path on both. Needs root.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.postgres import free_port

MISSING = "needs root, FUSE and GlusterFS (Debian: apt-get install glusterfs-server glusterfs-client)"
SECONDS = 30
"""How long a server or a mount may take to come up."""

APART = ("unshare", "--uts", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
"""What gives a command its own name, processes and mounts; not everywhere allowed, in a container or a chroot."""

SERVER = """
volume files
  type storage/posix
  option directory {files}
end-volume
volume locks
  type features/locks
  subvolumes files
end-volume
volume server
  type protocol/server
  option transport-type tcp
  option transport.socket.listen-port {port}
  option transport.socket.bind-address 127.0.0.1
  option auth.addr.locks.allow 127.0.0.1
  subvolumes locks
end-volume
"""

CLIENT = """
volume client
  type protocol/client
  option transport-type tcp
  option remote-host 127.0.0.1
  option remote-port {port}
  option remote-subvolume locks
end-volume
"""

BOOT = 'hostname "$0" && mount --bind "$1" "$2" && cd "$3" && shift 3 && exec "$@"'


def programs() -> bool:
    """Whether such machines can be had."""
    needed = ("glusterfs", "glusterfsd", "unshare", "mount", "umount", "hostname")
    if os.geteuid() != 0 or not all(map(shutil.which, needed)):
        return False
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError:
        return False
    return subprocess.run([*APART, "true"], check=False, capture_output=True).returncode == 0


@dataclass
class Machine:
    """One machine: its name, where its own mount lies, and where it sees what is shared."""

    name: str
    mount: Path
    shared: Path
    client: subprocess.Popen[bytes]

    def start(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> subprocess.Popen[str]:
        """A command of this machine, begun in `folder`."""
        boot = ["sh", "-c", BOOT, self.name, str(self.mount), str(self.shared), str(folder)]
        return subprocess.Popen(
            [*APART, *boot, *command], env={**os.environ, **environment}, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def lose(self, running: subprocess.Popen[str]) -> None:
        """Cut its power: neither its processes nor its mount say good-bye."""
        self.client.send_signal(signal.SIGKILL)
        running.kill()
        running.communicate()


@contextmanager
def machines(place: Path, names: Sequence[str]) -> Iterator[list[Machine]]:
    """Machines that share `place`/shared."""
    port, files, shared = free_port(), place / "files", place / "shared"
    for folder in (files, shared):
        folder.mkdir()
    server = _daemon("glusterfsd", place / "server", SERVER.format(files=files, port=port))
    made: list[Machine] = []
    try:
        for name in names:
            mount = place / name
            mount.mkdir()
            client = _daemon("glusterfs", place / f"{name}-client", CLIENT.format(port=port), str(mount))
            made.append(Machine(name, mount, shared, client))
            _wait_for_mount(mount)
        yield made
    finally:
        for machine in made:
            subprocess.run(["umount", "--lazy", str(machine.mount)], check=False, capture_output=True)
            machine.client.kill()
            machine.client.wait()
        server.kill()
        server.wait()


def _daemon(program: str, place: Path, description: str, *more: str) -> subprocess.Popen[bytes]:
    place.with_suffix(".vol").write_text(description)
    given = ["--no-daemon", "-f", str(place.with_suffix(".vol")), "-l", str(place.with_suffix(".log"))]
    given += ["-p", str(place.with_suffix(".pid"))]
    return subprocess.Popen([program, *given, *more], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _wait_for_mount(mount: Path) -> None:
    until = time.monotonic() + SECONDS
    while not _works(mount):
        if time.monotonic() > until:
            raise TimeoutError(f"{mount} is no mount after {SECONDS} s; see the logs beside it")
        time.sleep(0.1)


def _works(mount: Path) -> bool:
    try:
        next(mount.iterdir(), None)
    except OSError:  # the server is not up yet
        return False
    return mount.is_mount()
