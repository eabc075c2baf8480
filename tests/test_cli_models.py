"""Keeping, exporting and using models through the command line: choose a cell on the board, get the model."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from bench import cli, keep
from bench.errors import StoreError
from bench.learn.keep import write_tensors
from bench.spec import Head
from bench.store import Store
from tests import tiny
from tests.fakes import MODEL
from tests.test_cli import write_rows

torch.set_num_threads(1)

Capture = pytest.CaptureFixture[str]
METHODS = "full,lora,p_tuning[length=4],few_shot[k=2]"
RUN = (
    "run --source files --data-dir data --tasks sentiment --models ./little-bert --trials 1 --seeds 2 --epochs 1 "
    "--workers 0 --no-track --quiet"
)
CELL = "sentiment/little-bert"


def bench(line: str) -> int:
    return cli.main(line.split())


def complaint(capsys: Capture, line: str) -> str:
    """The one message on stderr of a command that fails."""
    capsys.readouterr()
    assert bench(line) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert "Traceback" not in said
    return said


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working directory with a finished run that kept its models."""
    place = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        tiny.checkpoint(MODEL.family, place / "little-bert")
        for split in ("train", "validation", "test"):
            write_rows(place / "data" / "sentiment" / f"{split}.jsonl", tiny.rows(Head.CLASSIFY))
        assert bench(f"{RUN} --methods {METHODS} --out kept --keep-models") == 0
        yield place


def run_predictions(method: str, seed: int) -> list[Any]:
    """What the run itself answered."""
    rows = Store(Path("kept")).read_predictions(("sentiment", "little-bert", method))
    return [json.loads(row["prediction"]) for row in rows if row["seed"] == seed]


def predictions(path: Path) -> list[Any]:
    return [json.loads(line)["prediction"] for line in path.read_text().splitlines()]


@pytest.mark.parametrize("method", METHODS.split(","))
def test_an_exported_model_answers_as_the_run_did(method: str, tmp_path: Path) -> None:
    out, answers = tmp_path / "model", tmp_path / "answers.jsonl"
    assert bench(f"export kept {CELL}/{method} {out} --seed 2") == 0
    assert bench(f"predict {out} data/sentiment/test.jsonl --out {answers}") == 0
    assert predictions(answers) == run_predictions(method, 2)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_merged_export_answers_as_the_run_did(method: str, tmp_path: Path) -> None:
    out, answers = tmp_path / "model", tmp_path / "answers.jsonl"
    assert bench(f"export kept {CELL}/{method} {out} --seed 1 --merged") == 0
    assert {"config.json", "model.safetensors", "tokenizer.json", keep.HEAD, "README.md"} <= set(names(out))
    assert bench(f"predict {out} data/sentiment/test.jsonl --out {answers}") == 0
    assert predictions(answers) == run_predictions(method, 1)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize("method", METHODS.split(","))
def test_only_what_the_record_says_is_stored_is_kept(method: str) -> None:
    store, cell = Store(Path("kept")), ("sentiment", "little-bert", method)
    record = store.read_record(cell)
    assert record is not None
    assert record.parameters is not None
    for seed in (1, 2):
        stored = safetensors.torch.load_file(store.model(cell, seed) / keep.TENSORS)
        assert sum(tensor.nbytes for tensor in stored.values()) == record.parameters.stored_bytes
        assert names(store.model(cell, seed)) == [keep.ABOUT, keep.TENSORS]


def test_an_export_stands_alone(tmp_path: Path) -> None:
    """The checkpoint is in it, so that it works where neither the run nor the checkpoint is."""
    assert bench(f"export kept {CELL}/lora {tmp_path}/model") == 0
    Path("little-bert").rename("elsewhere")
    try:
        assert bench(f"predict {tmp_path}/model data/sentiment/test.jsonl --out {tmp_path}/answers.jsonl") == 0
    finally:
        Path("elsewhere").rename("little-bert")
    assert "little-bert/" not in (tmp_path / "model" / keep.ABOUT).read_text()


def test_without_a_seed_the_one_that_was_best_on_validation_rows_is_taken(tmp_path: Path) -> None:
    record = Store(Path("kept")).read_record(("sentiment", "little-bert", "full"))
    assert record is not None
    best = max(record.finals, key=lambda final: final.value or 0.0)
    assert bench(f"export kept {CELL}/full {tmp_path}/model") == 0
    assert keep.read(tmp_path / "model").seed == best.seed


def test_the_card_says_what_the_model_is_and_how_it_scored(tmp_path: Path) -> None:
    assert bench(f"export kept {CELL}/lora {tmp_path}/model --seed 1") == 0
    card = (tmp_path / "model" / "README.md").read_text()
    record = Store(Path("kept")).read_record(("sentiment", "little-bert", "lora"))
    assert record is not None
    assert "# sentiment/little-bert/lora, seed 1" in card
    assert f"{record.score:.1f}, 95% interval [{record.low:.1f}, {record.high:.1f}], 2 seeds" in card
    assert "majority 50.0" in card


def test_rows_need_no_labels_and_may_be_csv(tmp_path: Path, capsys: Capture) -> None:
    assert bench(f"export kept {CELL}/full {tmp_path}/model --seed 1") == 0
    with (tmp_path / "rows.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["text", "id"], ["anna was happy.", "7"]])
    capsys.readouterr()
    assert bench(f"predict {tmp_path}/model {tmp_path}/rows.csv") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {"text": "anna was happy.", "id": "7", "prediction": json.loads(line)["prediction"]}
    assert json.loads(line)["prediction"] in ("good", "bad")


def test_a_run_without_the_option_keeps_nothing_and_one_with_it_trains_only_the_final_seeds(capsys: Capture) -> None:
    small = f"{RUN} --methods head_only --out later"
    assert bench(small) == 0
    assert not Path("later/models").exists()
    assert "was not kept. Run the same command again with --keep-models" in complaint(
        capsys, f"export later {CELL}/head_only model"
    )
    store, cell = Store(Path("later")), ("sentiment", "little-bert", "head_only")
    trials, before = store.study(cell).read_text().count('"training"'), store.read_predictions(cell)
    assert bench(f"{small} --keep-models") == 0
    assert store.model(cell, 1).is_dir()
    assert store.model(cell, 2).is_dir()
    assert store.study(cell).read_text().count('"training"') == trials == 1
    assert store.read_predictions(cell) == before
    stamp = store.model(cell, 1).stat().st_mtime_ns
    assert bench(f"{small} --keep-models") == 0
    assert store.model(cell, 1).stat().st_mtime_ns == stamp
    assert list(Path("later").rglob("*.tmp")) == []


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        (f"export kept {CELL}/ful model", "unknown cell 'sentiment/little-bert/ful'. Did you mean"),
        (f"export kept {CELL}/full model --seed 7", "has no seed 7, only 1, 2. Choose one of them."),
        (f"export kept {CELL}/full data", "data is there already and not empty. Choose another directory"),
        (f"export kept {CELL}/p_tuning[length=4] model --merged", "p_tuning cannot be merged: what it adds"),
        (f"export kept {CELL}/few_shot[k=2] model --merged", "few_shot trains nothing, so there is nothing to merge"),
        ("export nowhere a/b/c model", "there is no run in nowhere"),
        ("predict data data/sentiment/test.jsonl", "there is no kept model in data: it has no kept.json"),
    ],
)
def test_what_cannot_be_exported_or_used_is_one_sentence(capsys: Capture, line: str, advice: str) -> None:
    assert advice in complaint(capsys, line)
    assert not Path("model").exists()


@pytest.fixture(scope="module")
def model(place: Path) -> Path:
    """An exported model."""
    assert bench(f"export kept {CELL}/lora exported --seed 1") == 0
    return place / "exported"


@pytest.mark.parametrize("line", ["", " --merged"])
def test_a_place_that_cannot_be_written_is_told(capsys: Capture, tmp_path: Path, line: str) -> None:
    (tmp_path / "file").write_text("taken")
    said = complaint(capsys, f"export kept {CELL}/full {tmp_path}/file/model{line}")
    assert f"{tmp_path}/file: File exists. Check the path" in said


def test_tensors_that_cannot_be_written_are_told_with_the_reason(tmp_path: Path) -> None:
    """As on a full disk: the file system's words, and what to do."""
    (tmp_path / "file").write_text("taken")
    with pytest.raises(StoreError, match=r"the model cannot be kept \(.*Not a directory.*\)\. Make room"):
        write_tensors(tmp_path / "file" / "tensors.safetensors", {"head.weight": torch.zeros(2)})


def damaged(model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model, tmp_path / "damaged"))


def test_a_damaged_file_is_told(capsys: Capture, model: Path, tmp_path: Path) -> None:
    path = damaged(model, tmp_path) / keep.TENSORS
    path.write_bytes(path.read_bytes()[:-100])
    said = complaint(capsys, f"predict {path.parent} data/sentiment/test.jsonl")
    assert "tensors.safetensors: not readable as safetensors" in said


def test_a_pickle_is_not_read(capsys: Capture, model: Path, tmp_path: Path) -> None:
    path = damaged(model, tmp_path) / keep.TENSORS
    torch.save({"head.weight": torch.zeros(2, 32)}, path)
    assert "not readable as safetensors" in complaint(capsys, f"predict {path.parent} data/sentiment/test.jsonl")


def test_tensors_of_another_method_are_told(capsys: Capture, model: Path, tmp_path: Path) -> None:
    path = damaged(model, tmp_path) / keep.TENSORS
    safetensors.torch.save_file({"head.weight": torch.zeros(2, 32)}, path)
    said = complaint(capsys, f"predict {path.parent} data/sentiment/test.jsonl")
    assert "does not hold the tensors of this method on this model" in said


def test_another_checkpoint_is_told(capsys: Capture, model: Path, tmp_path: Path) -> None:
    place = damaged(model, tmp_path)
    weights = place / keep.CHECKPOINT / "model.safetensors"
    tensors = safetensors.torch.load_file(weights)
    safetensors.torch.save_file({name: tensor + 1 for name, tensor in tensors.items()}, weights, {"format": "pt"})
    said = complaint(capsys, f"predict {place} data/sentiment/test.jsonl")
    assert "is not the one that the model in" in said


@pytest.mark.parametrize(("entry", "told"), [('"probe": [', "gives other numbers"), ('"layout": 1', "has layout 9")])
def test_a_network_that_would_answer_otherwise_is_told(
    capsys: Capture, model: Path, tmp_path: Path, entry: str, told: str
) -> None:
    """As when a library draws the fixed projections of a method in another way."""
    path = damaged(model, tmp_path) / keep.ABOUT
    about = json.loads(path.read_text())
    changed = {"probe": [number + 1 for number in about["probe"]]} if "probe" in entry else {"layout": 9}
    path.write_text(json.dumps({**about, **changed}))
    assert told in complaint(capsys, f"predict {path.parent} data/sentiment/test.jsonl")


@pytest.mark.parametrize(
    ("name", "content", "advice"),
    [
        ("rows.jsonl", '{"txt": "fine."}\n', "line 1: no column 'text'; the row has 'txt'. Rename 'txt' to 'text'."),
        ("rows.jsonl", "", "there are no rows"),
        ("rows.txt", "fine.", "not a kind of file that is read"),
    ],
)
def test_rows_that_cannot_be_read_are_told_before_the_model_is_loaded(
    capsys: Capture, model: Path, tmp_path: Path, name: str, content: str, advice: str
) -> None:
    (tmp_path / name).write_text(content)
    assert advice in complaint(capsys, f"predict {model} {tmp_path / name}")
    assert "no such file" in complaint(capsys, f"predict {model} {tmp_path}/nothing.jsonl")
