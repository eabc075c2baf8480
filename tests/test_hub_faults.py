"""The hub failing in every way that it has, on the loopback interface: what helps is done again, what does not is told.

One process asks for a checkpoint of a repository for each fault, with waits cut short; the real command line then runs
one cell whose model and data come from the hub.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.spec import Family
from bench.store import Store
from tests import tiny
from tests.hub_server import COMMIT, Hub, answers, breaks_off, lies, never_begins, serving, trickles
from tests.test_hub import CARD

torch.set_num_threads(1)

ROOT = Path(__file__).parent.parent
GLUE = "nyu-mll/glue"
FAULTS = (
    "busy", "limited", "day", "down", "broken", "short", "lying", "liar", "slow", "mute", "endless", "gone", "gated",
    "private", "damaged", "hopeless", "coded",
)  # fmt: skip
"""Repositories, each with a fault of its own."""

ASK = """
import json, sys, time
from bench.errors import BenchError
from bench.learn import asking, cached

asking.ATTEMPTS, asking.FIRST_WAIT, asking.SLOW_AFTER, asking.SILENCE = 3, 0.01, 0.5, 1.0
asking.HEAD = 3.0
told = {}
for name in sys.argv[2:]:
    began = time.monotonic()
    try:
        place = cached.checkpoint(f"org/{name}", sys.argv[1])
        told[name] = sorted(path.name for path in place.iterdir())
    except BenchError as error:
        told[name] = f"{type(error).__name__}: {error}"
    told[name] = [told[name], time.monotonic() - began]
print(json.dumps(told))
"""


def ask(hub: Hub, home: Path, *names: str, revision: str = COMMIT, **environment: str) -> tuple[Any, str]:
    """What a fresh process gets of the repositories, with the seconds that each took, and what it writes to stderr."""
    done = python(["-c", ASK, revision, *names], hub.url, home, **environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout), done.stderr


def python(arguments: list[str], url: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    clean |= {"PYTHONPATH": str(ROOT), "HF_ENDPOINT": url, "HF_HOME": str(home)} | environment
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=clean, capture_output=True, text=True, timeout=200, check=False)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint as it may lie at the hub: beside it a pickle, code, and files for other frameworks."""
    place = tmp_path_factory.mktemp("hub") / "model"
    tiny.checkpoint(Family.ENCODER, place)
    config = json.loads((place / "config.json").read_text())
    config["auto_map"] = {"AutoModel": "modeling.Mine", "AutoConfig": "modeling.MyConfig"}
    (place / "config.json").write_text(json.dumps(config))
    (place / "modeling.py").write_text("import pathlib; pathlib.Path('executed').touch()")
    (place / "pytorch_model.bin").write_bytes(b"no pickle")
    (place / "onnx").mkdir()
    (place / "onnx" / "model.safetensors").write_bytes(b"of no use here")
    return place


@pytest.fixture(scope="module")
def hub(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with serving({f"org/{name}": model for name in FAULTS}) as running:
        yield running


@pytest.fixture(scope="module")
def told(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, str]:
    """What became of every repository, and the notes about them."""
    weights = "/resolve/" + COMMIT + "/model.safetensors"
    hub.fail("org/busy/", answers(503), times=2)
    hub.fail("org/limited/", answers(429, Retry_After="1"), times=1)
    hub.fail("org/day/", answers(429, Retry_After="86400"))
    hub.fail("org/down/", answers(500))
    hub.fail("org/broken" + weights, breaks_off, times=1)
    hub.fail("org/short" + weights, breaks_off)
    hub.fail("org/lying" + weights, lies, times=1)
    hub.fail("org/liar" + weights, lies)
    hub.fail("org/slow" + weights, trickles)
    hub.fail("org/mute/", lambda handler, content: time.sleep(2))
    hub.fail("org/endless/", never_begins)
    hub.fail("org/gated/", answers(403, X_Error_Code="GatedRepo"))
    hub.fail("org/private/", answers(401))
    names = [name for name in FAULTS if name not in ("gone", "damaged", "hopeless", "coded")]
    return ask(hub, tmp_path_factory.mktemp("home"), *names)


WHOLE = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]


@pytest.mark.parametrize("name", ["busy", "limited", "broken", "lying"])
def test_a_fault_that_passes_is_one_note_and_then_forgotten(told: tuple[Any, str], name: str) -> None:
    """503 twice, 429 with a Retry-After, a body that breaks off, and one with other bytes than promised."""
    answers, notes = told
    assert answers[name][0] == WHOLE
    lines = [line for line in notes.splitlines() if f"org/{name} " in line]
    assert len(lines) == (0 if name == "broken" else 1), "huggingface_hub goes on where a body broke off"


def test_the_wait_that_the_hub_asks_for_is_kept(told: tuple[Any, str]) -> None:
    assert 1.0 <= told[0]["limited"][1] < 10


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("day", ["HTTP 429", "HF_HUB_OFFLINE=1"]),
        ("down", ["HTTP 500", "HF_ENDPOINT"]),
        ("short", ["org/short", "Check the connection"]),
        ("liar", ["model.safetensors is not what the hub says it is"]),
        ("slow", ["bytes in", "Check the connection"]),
        ("mute", ["org/mute", "Check the connection"]),
        ("endless", ["no whole answer in 3 s", "Check the connection"]),
        ("gated", ["it is gated", "hf auth login"]),
        ("private", ["or it is private", "hf auth login"]),
    ],
)
def test_a_fault_that_stays_is_told_with_the_id_and_what_to_do(
    told: tuple[Any, str], name: str, parts: list[str]
) -> None:
    message, seconds = told[0][name]
    assert message.startswith("UnavailableError"), message
    assert all(part in message for part in [f"org/{name} (commit {COMMIT})", *parts]), message
    assert seconds < 60


def test_what_does_not_help_is_not_tried_again(told: tuple[Any, str], hub: Hub) -> None:
    for name in ("day", "gated", "private"):
        assert len([line for line in hub.requests if f"org/{name}/" in line]) <= 2, hub.requests
    assert not [line for line in told[1].splitlines() if "gated" in line or "private" in line]


def test_neither_code_nor_pickles_are_fetched(told: tuple[Any, str], hub: Hub) -> None:
    assert not [line for line in hub.requests if ".py" in line or ".bin" in line or "onnx" in line]


def test_a_revision_that_is_gone_is_named(hub: Hub, tmp_path: Path) -> None:
    told, _ = ask(hub, tmp_path, "gone", revision="0" * 40)
    assert "no longer has this revision" in told["gone"][0]
    assert "org/gone" in told["gone"][0]
    assert "Pin a commit" in told["gone"][0]


def test_a_damaged_file_of_the_cache_is_fetched_again_and_offline_refused(hub: Hub, tmp_path: Path) -> None:
    """The bytes are looked at once in each process; an undamaged cache needs no hub at all."""
    ask(hub, tmp_path, "damaged")
    (weights,) = tmp_path.glob("hub/models--org--damaged/snapshots/*/model.safetensors")
    blob = weights.resolve()
    good = blob.read_bytes()
    blob.write_bytes(good[:-1] + b"?")
    told, _ = ask(hub, tmp_path, "damaged", HF_HUB_OFFLINE="1")
    assert str(blob) in told["damaged"][0]
    assert "Delete it" in told["damaged"][0]
    told, _ = ask(hub, tmp_path, "damaged")
    assert told["damaged"][0] == WHOLE
    assert blob.read_bytes() == good
    before = len(hub.requests)
    told, _ = ask(hub, tmp_path, "damaged")
    assert told["damaged"][0] == WHOLE
    assert [line for line in hub.requests[before:] if "damaged" in line] == []


@pytest.mark.faults
def test_a_full_cache_is_told_as_such(hub: Hub, tmp_path: Path) -> None:
    """Needs root, to make a small disk."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here: that takes root")
    try:
        told, _ = ask(hub, tmp_path, "coded")
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)
    message, seconds = told["coded"]
    assert all(part in message for part in ("org/coded", "hub's cache", "No space left on device", "HF_HOME")), message
    assert seconds < 30


# The command line


@pytest.fixture(scope="module")
def glue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SST-2 as the hub has it, with lines of our own."""
    place = tmp_path_factory.mktemp("hub") / "glue"
    (place / "sst2").mkdir(parents=True)
    write = """
import sys
from datasets import ClassLabel, Dataset, Features, Value
features = Features({"sentence": Value("string"), "label": ClassLabel(names=["negative", "positive"])})
for split, count in (("train", 4000), ("validation", 8)):
    rows = [{"sentence": f"{'happy' if i % 2 else 'dreadful'} {split} {i}", "label": i % 2} for i in range(count)]
    Dataset.from_list(rows, features=features).to_parquet(f"{sys.argv[1]}/sst2/{split}-00000-of-00001.parquet")
"""
    subprocess.run([sys.executable, "-c", write, str(place)], check=True, capture_output=True)
    files = "\n".join(f"  - split: {split}\n    path: sst2/{split}-*" for split in ("train", "validation"))
    (place / "README.md").write_text(CARD.format(config="sst2", files=files))
    return place


RUN = (
    "-m bench run --source hub --tasks sentiment --models org/tiny --methods full --trials 1 --seeds 1 --epochs 1 "
    "--train-size 16 --validation-size 8 --test-size 8 --workers 0 --no-track --out out"
)


def test_one_cell_from_the_hub_to_the_board_and_again_from_the_cache(
    model: Path, glue: Path, tmp_path: Path
) -> None:
    """All faults of the first run pass. The second finds all in the cache but a table that was changed there."""
    from tasks.sentiment import TASK

    pin = getattr(TASK.sources["hub"], "revision")  # noqa: B009 - a Source has none, a Hub has
    run = ["-c", "import os, sys, runpy; os.chdir(sys.argv.pop(1)); runpy.run_module('bench', run_name='__main__')"]
    run += [str(tmp_path), *RUN.split()[2:]]
    home = tmp_path / "home"
    with serving({"org/tiny": model, GLUE: glue}, {GLUE: pin}) as hub:
        hub.fail("/model.safetensors", lies, times=1)
        hub.fail("/train-00000-of-00001.parquet", lies, times=1)
        hub.fail(f"/api/datasets/{GLUE}", answers(503), times=1)
        done = python(run, hub.url, home)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr.count("note: ") == 3, done.stderr
        (record,) = Store(tmp_path / "out").records()
        assert record.checkpoint is not None
        assert record.checkpoint.revision == COMMIT
        assert record.data is not None
        assert (record.data.revision, record.data.train) == (pin, 16)
        assert not (tmp_path / "executed").exists()
        (table,) = home.glob("datasets/*/*/*/*/glue-train.arrow")
        kept = table.read_bytes()
        table.write_bytes(kept.replace(b"happy train 1", b"happy train 7"))
        again = python([*run[:-2], "--out", "again"], hub.url, home)
        assert again.returncode == 0, again.stderr
        assert table.read_bytes() == kept
    (other,) = Store(tmp_path / "again").records()
    assert (other.score, other.fingerprint) == (record.score, record.fingerprint)
