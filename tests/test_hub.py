"""The hub is read by the real libraries, in a process of its own, from a small server on the loopback interface."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hub_server import COMMIT, serving

ROOT = Path(__file__).parent.parent

WRITE = """
import sys
from datasets import ClassLabel, Dataset, Features, List, Value

root = sys.argv[1]
string, number = Value("string"), Value("int32")
tags = ClassLabel(names=["O", "B-PER", "I-PER"])
labels = ClassLabel(names=["negative", "positive"])
sentences = [{"id": str(i), "tokens": ["ann", "lee", "sat"], "ner_tags": [1, 2, 0]} for i in range(6)]
ner = Dataset.from_list(sentences, features=Features({"id": string, "tokens": List(string), "ner_tags": List(tags)}))
rows = [{"sentence": f"line {i}", "label": i % 2, "idx": i} for i in range(9)]
rows.append({"sentence": " ", "label": 0, "idx": 9})
glue = Dataset.from_list(rows, features=Features({"sentence": string, "label": labels, "idx": number}))
same = ClassLabel(names=["not_equivalent", "equivalent"])
two = {"sentence1": string, "sentence2": string, "idx": number}
both = [{"sentence1": f"line {i}", "sentence2": f"row {i}", "label": i % 2, "idx": i} for i in range(9)]
mrpc = Dataset.from_list(both, features=Features({**two, "label": same}))
scored = [{**row, "label": i * 0.7} for i, row in enumerate(both)]
stsb = Dataset.from_list(scored, features=Features({**two, "label": Value("float32")}))
pairs = [{"id": str(i), "translation": {"en": f"day {i}", "es": f"día {i}"}} for i in range(6)]
for split in ("train", "validation", "test"):
    ner.to_parquet(f"{root}/ner/data/{split}-00000-of-00001.parquet")
    glue.to_parquet(f"{root}/glue/sst2/{split}-00000-of-00001.parquet")
    mrpc.to_parquet(f"{root}/mrpc/mrpc/{split}-00000-of-00001.parquet")
    stsb.to_parquet(f"{root}/stsb/stsb/{split}-00000-of-00001.parquet")
Dataset.from_list(pairs).to_parquet(f"{root}/books/en-es/train-00000-of-00001.parquet")
"""

CARD = """---
configs:
- config_name: {config}
  data_files:
{files}
---
"""

READ = """
import json, sys
from dataclasses import asdict, replace
from bench import sources
from bench.errors import BenchError
from bench.learn import hub
from bench.spec import Budget, Hub
from tasks.ner import TASK as NER
from tasks.paraphrase import TASK as PARAPHRASE
from tasks.sentiment import TASK as SENTIMENT
from tasks.similarity import TASK as SIMILARITY
from tasks.translation import TASK as TRANSLATION

def at(task, id, config, splits, revision):
    source = replace(task.sources["hub"], id=id, config=config, splits=splits, revision=revision)
    return replace(task, sources={"hub": source})

def error(call):
    try:
        return f"no error: {call()}"
    except BenchError as e:
        return f"{type(e).__name__}: {e}"

SLICES = {"train": "train[:4]", "validation": "validation[-3:]", "test": "test"}
"""


def _card(config: str, splits: dict[str, str]) -> str:
    files = "\n".join(f"  - split: {split}\n    path: {path}" for split, path in splits.items())
    return CARD.format(config=config, files=files)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A hub with sentences and pairs of them with class labels or numbers, tagged tokens, and nested translations."""
    root = tmp_path_factory.mktemp("hub")
    for name in ("ner/data", "glue/sst2", "mrpc/mrpc", "stsb/stsb", "books/en-es"):
        (root / name).mkdir(parents=True)
    _python(WRITE, str(root), environment={})
    three = ("train", "validation", "test")
    for name, config in (("glue", "sst2"), ("mrpc", "mrpc"), ("stsb", "stsb")):
        (root / name / "README.md").write_text(_card(config, {split: f"{config}/{split}-*" for split in three}))
    (root / "books/README.md").write_text(_card("en-es", {"train": "en-es/train-*"}))
    (root / "model").mkdir()
    (root / "model" / "config.json").write_text('{"model_type": "bert"}')
    with serving({f"org/{name}": root / name for name in ("glue", "mrpc", "stsb", "ner", "books", "model")}) as hub:
        yield hub.url


def _python(code: str, *arguments: str, environment: dict[str, str]) -> str:
    """What `code` prints in a fresh interpreter: the libraries read their settings when they are imported."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    clean |= {"PYTHONPATH": str(ROOT), "HF_HUB_DISABLE_XET": "1"} | environment
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=clean, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def _read(code: str, endpoint: str, home: Path, **environment: str) -> Any:
    printed = _python(READ + code, environment={"HF_ENDPOINT": endpoint, "HF_HOME": str(home), **environment})
    return json.loads(printed.splitlines()[-1])


@pytest.fixture(scope="module")
def loaded(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """All data sets loaded in one process."""
    return _read(
        """
out = {"commit": hub.resolve_dataset("org/ner"), "config": hub.model_config("org/model")}
out["model"] = hub.resolve_model("org/model")
spread = {"train": "train[:2]+train[3:4]", "validation": "train[4:5]", "test": "train[5:]"}
for task in (
    at(SENTIMENT, "org/glue", "sst2", SLICES, hub.resolve_dataset("org/glue")),
    at(PARAPHRASE, "org/mrpc", "mrpc", PARAPHRASE.sources["hub"].splits | {"train": "train[:-4]"}, None),
    at(SIMILARITY, "org/stsb", "stsb", spread, None),
    at(NER, "org/ner", None, SLICES, None),
    at(TRANSLATION, "org/books", "en-es", spread, None),
):
    sources.check(task, "hub")
    splits = sources.load(task, "hub", budget=Budget(validation_size=2))
    out[task.name] = {"train": splits.train, "test": splits.test(), "data": asdict(splits.data)}
    out[task.name]["labels"] = sources.labels(task, splits)
print(json.dumps(out))
""",
        endpoint,
        tmp_path_factory.mktemp("home"),
    )


def test_class_numbers_become_names_and_columns_the_tasks_own(loaded: Any) -> None:
    assert loaded["sentiment"]["train"][:2] == [
        {"text": "line 0", "label": "negative"},
        {"text": "line 1", "label": "positive"},
    ]


def test_a_pair_of_texts_comes_with_the_name_of_its_label(loaded: Any) -> None:
    """From slices that count from the end, as the task declares them."""
    assert len(loaded["paraphrase"]["train"]) == 5
    assert loaded["paraphrase"]["train"][1] == {"sentence1": "line 1", "sentence2": "row 1", "label": "equivalent"}
    assert loaded["paraphrase"]["labels"] == ["equivalent", "not_equivalent"]


def test_a_pair_of_texts_comes_with_its_number(loaded: Any) -> None:
    rows = loaded["similarity"]["train"]
    assert [row["score"] for row in rows] == pytest.approx([0, 0.7, 2.1])
    assert set(rows[0]) == {"sentence1", "sentence2", "score"}
    assert loaded["similarity"]["labels"] == []


def test_class_numbers_inside_lists_become_names_too(loaded: Any) -> None:
    assert loaded["ner"]["train"][0] == {"tokens": ["ann", "lee", "sat"], "tags": ["B-PER", "I-PER", "O"]}
    assert loaded["ner"]["labels"] == ["O", "B-PER", "I-PER"]


def test_nested_translations_become_source_and_target_over_spread_slices(loaded: Any) -> None:
    assert [row["target"] for row in loaded["translation"]["train"]] == ["día 0", "día 1", "día 3"]
    assert loaded["translation"]["test"] == [{"source": "day 5", "target": "día 5"}]


def test_blank_rows_of_a_public_set_are_left_out_and_not_counted(loaded: Any) -> None:
    assert len(loaded["sentiment"]["test"]) == 9
    assert loaded["sentiment"]["data"]["test"] == 9


def test_the_record_of_the_data_names_the_commit_that_an_unpinned_set_was_resolved_to(loaded: Any) -> None:
    data = loaded["ner"]["data"]
    assert loaded["commit"] == data["revision"] == COMMIT
    assert (data["source"], data["origin"], data["train"], data["validation"]) == ("hub", "org/ner", 4, 2)


def test_a_model_is_known_by_its_commit_and_its_config(loaded: Any) -> None:
    assert (loaded["model"], loaded["config"]) == (COMMIT, {"model_type": "bert"})


def test_what_the_hub_lacks_is_named_with_what_to_do(endpoint: str, tmp_path: Path) -> None:
    """A data set, a commit, a slice and a column that are not there."""
    errors = _read(
        """
none = at(SENTIMENT, "org/glue", "sst2", SLICES, "0" * 40)
split = at(SENTIMENT, "org/glue", "sst2", SLICES | {"train": "training"}, None)
column = Hub("org/glue", "sst2", {"text": "text"}, SLICES)
print(json.dumps([
    error(lambda: hub.resolve_dataset("org/nothing")),
    error(lambda: sources.check(none, "hub")),
    error(lambda: sources.check(split, "hub")),
    error(lambda: hub.load_split(column, "train", hub.resolve_dataset("org/glue"))),
    error(lambda: hub.resolve_model("org/no-model")),
    error(lambda: hub.model_config("org/no-model")),
    error(lambda: hub.model_config("org/glue")),
]))
""",
        endpoint,
        tmp_path,
    )
    expected = [
        ("data set org/nothing", "organisation/name", "--source bundled"),
        ("org/glue", "0" * 40, "--source files"),
        ("org/glue", "training", "--source files"),
        ("org/glue", "no column 'text'", "Correct `columns`"),
        ("model org/no-model", "organisation/name"),
        ("model org/no-model", "config.json", "organisation/name"),
        ("the hub has no model org/glue (config.json)",),
    ]
    for message, parts in zip(errors, expected, strict=True):
        assert message.startswith("UnavailableError"), message
        assert all(part in message for part in parts), message


def test_an_unreachable_hub_is_reported_at_once_with_what_to_do(tmp_path: Path) -> None:
    errors = _read(
        """
pinned = at(SENTIMENT, "org/glue", "sst2", SLICES, "0" * 40)
print(json.dumps([error(lambda: hub.resolve_dataset("org/glue")), error(lambda: sources.check(pinned, "hub"))]))
""",
        "http://127.0.0.1:9",
        tmp_path,
    )
    for message in errors:
        assert message.startswith("UnavailableError"), message
        assert all(part in message for part in ("org/glue", "HF_ENDPOINT", "HF_HOME", "--source bundled")), message


def test_a_cache_serves_without_a_connection_in_offline_mode(endpoint: str, tmp_path: Path) -> None:
    """The commit that the cache holds is the one that an unpinned set is resolved to."""
    code = """
task = at(SENTIMENT, "org/glue", "sst2", SLICES, None)
splits = sources.load(task, "hub", budget=Budget())
print(json.dumps([len(splits.train), error(lambda: hub.resolve_dataset("org/nothing"))]))
"""
    _read(code, endpoint, tmp_path)
    rows, message = _read(code, "http://127.0.0.1:9", tmp_path, HF_HUB_OFFLINE="1")
    assert rows == 4
    assert all(part in message for part in ("org/nothing", "HF_HUB_OFFLINE"))
