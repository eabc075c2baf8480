"""`doctor`: what this machine has, and whether that is enough. Changes nothing and stays within a few seconds."""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import platform
import shutil
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bench import models, pool, provenance, quiet, track
from bench.errors import UnavailableError
from bench.screen import Screen, columns
from leaderboard import figures

PYTHON = (3, 11)
NEEDED = ("torch", "transformers", "tokenizers", "datasets", "evaluate", "peft", "optuna")
SECONDS = 3.0
"""How long the hub may take to answer."""

LITTLE = 2_000_000_000
"""Bytes of free disk below which a run of hub models may not fit."""

TOO_LITTLE = 50_000_000
"""Bytes of free disk below which not even records are safe."""


WIDTHS = ("hidden_size", "n_embd", "d_model")
"""What a config.json may call the width of its model."""


class State(StrEnum):
    """What a finding means."""

    GOOD = "ok"
    LACKING = "note"
    BROKEN = "BROKEN"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. LACKING narrows what can be done, BROKEN ends it."""

    name: str
    value: str
    state: State = State.GOOD


def main(arguments: argparse.Namespace, screen: Screen) -> int:
    """Show all findings; 1 if something essential is broken."""
    quiet.hush()
    findings = [finding for look in LOOKS for finding in look()]
    screen.say(columns([(str(f.state), f.name, f.value) for f in findings]))
    broken = [f.name for f in findings if f.state is State.BROKEN]
    if broken:
        screen.fail(f"broken: {', '.join(broken)}. See the README for the installation.")
    return 1 if broken else 0


def _python() -> Iterator[Finding]:
    enough = sys.version_info >= PYTHON
    yield Finding("python", platform.python_version(), State.GOOD if enough else State.BROKEN)
    installed = provenance.versions()
    missing = [name for name in NEEDED if name not in installed]
    yield Finding("packages", " ".join(f"{name} {installed[name]}" for name in NEEDED if name in installed))
    if missing:
        yield Finding("packages missing", " ".join(missing), State.BROKEN)


def _machine() -> Iterator[Finding]:
    from bench.learn import device

    found = device.pick_device()
    yield Finding("device", "GPU (cuda)" if found.type == "cuda" else f"processor: {provenance.processor()}")
    threads = f"{pool.default_workers()} by default with one thread each; {provenance.cores()} cores"
    yield Finding("workers", threads)
    free = shutil.disk_usage(Path.cwd()).free
    state = State.BROKEN if free < TOO_LITTLE else State.LACKING if free < LITTLE else State.GOOD
    yield Finding("free disk", figures.size(free), state)
    if not os.access(Path.cwd(), os.W_OK):
        yield Finding("this directory", "cannot be written: give runs another place with --out", State.LACKING)


def _models() -> Iterator[Finding]:
    """The bundled checkpoints and the packaged one: there or not, whole or not, and the precision they will run in."""
    for model in models.MODELS:
        if model.package is None and models.HUB_ID.fullmatch(model.path):
            continue
        try:
            place = models.directory(model)
        except UnavailableError as error:
            yield Finding(model.name, str(error), State.LACKING)
        else:
            if place is not None:
                yield _checkpoint(model.name, place)


def _checkpoint(name: str, place: Path) -> Finding:
    weights = place / "model.safetensors"
    if not weights.is_file():
        return Finding(name, f"{weights} is missing. Rebuild it: python -m bench pretrain {name}", State.BROKEN)
    with weights.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    card = place / "pretraining.json"
    if card.is_file() and json.loads(card.read_text(encoding="utf-8")).get("sha256") != sha256:
        return Finding(name, f"{weights} is not the file that {card.name} tells of. Fetch it again.", State.BROKEN)
    return Finding(name, f"weights {sha256[:12]}, {figures.size(weights.stat().st_size)}; {_precision(place)}")


def _precision(place: Path) -> str:
    """The precision that a checkpoint trains in here, and why."""
    from bench.learn import device

    config = json.loads((place / "config.json").read_text(encoding="utf-8"))
    width = next((int(config[key]) for key in WIDTHS if key in config), 0)
    found = device.pick_device()
    chosen = device.pick_precision(found, width)
    if found.type == "cuda":
        return f"{chosen}: the GPU has {'' if chosen == 'bfloat16' else 'no '}bfloat16"
    if chosen == "bfloat16":
        return f"bfloat16: the processor has it, and it pays at width {width}"
    if width < device.CPU_BFLOAT16_WIDTH:
        return f"float32: bfloat16 does not pay below width {device.CPU_BFLOAT16_WIDTH}, this is {width}"
    return "float32: the processor has no bfloat16"


def _hub() -> Iterator[Finding]:
    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
        yield Finding("hub", "offline (HF_HUB_OFFLINE): only what the cache holds", State.LACKING)
        return
    answer = _within(SECONDS, lambda: _ask(endpoint))
    if answer is None:
        late = f"{endpoint} gave no answer within {SECONDS:g} s: --source hub will not work"
        yield Finding("hub", late, State.LACKING)
    else:
        yield Finding("hub", f"{endpoint} {answer[1]}", State.GOOD if answer[0] else State.LACKING)


def _ask(endpoint: str) -> tuple[bool, str]:
    """Whether a server answers there, whatever its answer, and what to say of it."""
    try:
        with urllib.request.urlopen(urllib.request.Request(endpoint, method="HEAD"), timeout=SECONDS):
            return True, "answers"
    except urllib.error.HTTPError as error:
        return True, f"answers (HTTP {error.code})"
    except (OSError, ValueError, http.client.HTTPException) as error:
        return False, f"cannot be reached: {getattr(error, 'reason', error)}. --source hub will not work"


def _within(seconds: float, ask: Callable[[], tuple[bool, str]]) -> tuple[bool, str] | None:
    """What `ask` returns, or None when it takes longer: looking a name up in vain knows no timeout of its own."""
    answers: list[tuple[bool, str]] = []
    thread = threading.Thread(target=lambda: answers.append(ask()), daemon=True)
    thread.start()
    thread.join(seconds)
    return answers[0] if answers else None


def _tracking() -> Iterator[Finding]:
    yield Finding("W&B", track.mode())


LOOKS: tuple[Callable[[], Iterator[Finding]], ...] = (_python, _machine, _models, _hub, _tracking)
