"""Where a result came from: versions, processor, commit, time. Never user names, environment variables or secrets."""

from __future__ import annotations

import datetime
import functools
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from bench import VERSION

PACKAGES = (
    "torch", "transformers", "tokenizers", "datasets", "evaluate", "peft", "optuna", "numpy", "pyarrow",
    "sacrebleu", "rouge-score", "safetensors", "huggingface_hub", "wandb",
)
"""Packages whose version may change a result or the way it is kept."""


def now() -> str:
    """The present time in UTC, ISO 8601, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


@functools.cache
def environment() -> dict[str, Any]:
    """What stays the same while a process lives: versions, machine and commit."""
    return {
        "harness": VERSION,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "cores": cores(),
        "packages": versions(),
        "commit": commit(Path(__file__).parent),
    }


def versions() -> dict[str, str]:
    """The installed version of each of PACKAGES; what is not installed is left out."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> str:
    """The processor's model name."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def commit(directory: Path) -> dict[str, Any] | None:
    """The git commit of the code in `directory` and whether it was changed since; None where git does not track it."""
    if _git(directory, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    sha = _git(directory, "rev-parse", "HEAD")
    changes = _git(directory, "status", "--porcelain", "--untracked-files=no", ":/")
    return None if sha is None else {"sha": sha, "dirty": bool(changes)}


def _git(directory: Path, *arguments: str) -> str | None:
    """The output of a git command, None where it fails or git is missing."""
    command = ["git", "-C", str(directory), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
