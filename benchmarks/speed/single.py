"""One training of ours against one of Trainer: `python -m benchmarks.speed.single SPEC.json RESULT.json`.

Both in this one process on one thread, as a worker has it, in turn: the same rows, rate, epochs, batches and
evaluations. Only the training is timed, its evaluations included: no imports, no tokenising.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import catalog, models, plan
from bench.commands.request import with_budget
from bench.plan import Cell


@dataclass(frozen=True)
class Shape:
    """An encoder: `path` of a checkpoint, or None for random weights of this size. `data_dir` holds rows of a task."""

    name: str
    hidden: int = 0
    layers: int = 0
    path: str | None = None
    data_dir: str | None = None
    rows: int = 256
    batch_size: int = 16
    rounds: int = 2


SHAPES = (Shape("64 x 2", 64, 2), Shape("128 x 3", 128, 3), Shape("256 x 4", 256, 4), Shape("384 x 6", 384, 6))


def minilm(data_dir: str) -> Shape:
    """The real model of the catalog on real rows."""
    row = next(model for model in models.MODELS if model.name == "minilm")
    return Shape("MiniLM (384 x 6), SST-2", path=str(models.directory(row)), data_dir=data_dir)


def main(source: Path, target: Path) -> None:
    """Time both sides in turn, the first of them once for nothing."""
    import torch

    torch.set_num_threads(1)
    shape = Shape(**json.loads(source.read_text()))
    with tempfile.TemporaryDirectory() as place:
        cell = _cell(shape, Path(place))
        ours, facts = _ours(cell)
        sides = {
            "ours": ours,
            "peer": _peer(cell, Path(place), bfloat16=False),
            "peer_bfloat16": _peer(cell, Path(place), bfloat16=True),
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
        for _ in range(shape.rounds + 1):
            for name, train in sides.items():
                taken[name].append(_timed(train))
    rounds = {name: times[1:] for name, times in taken.items()}
    target.write_text(json.dumps({"shape": asdict(shape), "rounds": rounds, **facts}))


def _timed(train: Callable[[], object]) -> tuple[float, float]:
    """Seconds of wall and of processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    train()
    return time.perf_counter() - wall, time.process_time() - processor


def _cell(shape: Shape, place: Path) -> Cell:
    path = shape.path or _random(shape, place / "checkpoint")
    changes = {"train_size": shape.rows, "validation_size": 100, "test_size": 100, "epochs": 1, "trials": 1,
               "seeds": (1,), "batch_size": shape.batch_size, "search_epochs": 1}
    suite = with_budget(catalog.suite("glue-lite"), changes)
    files = {"source": "files", "data_dir": Path(shape.data_dir)} if shape.data_dir else {}
    request = plan.Request(tasks=("sentiment",), models=(path,), methods=("full",), **files)  # type: ignore[arg-type]
    return plan.make(suite, request).cells[0]


def _random(shape: Shape, place: Path) -> str:
    """A BERT of this size with random weights and the tokenizer of our smallest."""
    from transformers import AutoTokenizer, BertConfig, BertModel

    tokenizer = AutoTokenizer.from_pretrained(models.ROOT / "bench/checkpoints/bert-mini")
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=shape.hidden, num_hidden_layers=shape.layers,
        num_attention_heads=max(2, shape.hidden // 32), intermediate_size=4 * shape.hidden,
        max_position_embeddings=256, pad_token_id=tokenizer.pad_token_id,
    )
    BertModel(config).save_pretrained(place)
    tokenizer.save_pretrained(place)
    return str(place)


def _ours(cell: Cell) -> tuple[Callable[[], object], dict[str, Any]]:
    """A training of ours, and the work in it: parameters of the layers times tokens."""
    from bench import sources
    from bench.learn.fit import open_learner
    from bench.learner import Assignment
    from bench.material import Material
    from bench.score import metric_named

    splits = sources.load(cell.task, cell.source, data_dir=cell.data_dir, budget=cell.budget)
    material, metric = Material(cell.task, splits), metric_named(cell.task.metric)
    learner = open_learner(Assignment(
        task=cell.task, model=cell.model, method=cell.method, options=cell.options, budget=cell.budget,
        train=splits.train, validation=splits.validation, labels=material.labels,
    ))
    references = material.validation_references

    def train() -> object:
        return learner.fit(1e-4, 1, lambda found: metric.compute(predictions=found, references=references)[metric.name],
                           lambda point: True, cell.budget.epochs)

    fitted: Any = train()
    layers = sum(p.numel() for name, p in learner.network.named_parameters() if "embeddings" not in name)  # type: ignore[union-attr]
    return train, {"precision": learner.precision, "flop": 6 * layers * fitted.tokens, "examples": fitted.examples}


def _peer(cell: Cell, place: Path, *, bfloat16: bool) -> Callable[[], object]:
    import dataclasses

    from benchmarks.peer import handed as told
    from benchmarks.peer.__main__ import Cell as PeerCell
    from benchmarks.speed import grid

    handed = told.read(grid.hand_out(cell, place, threads=1))
    peer = PeerCell(dataclasses.replace(handed, bfloat16=bfloat16), place / "out")
    return lambda: peer.trainer(cell.budget.epochs, 1, 1e-4, keep_best=False).train()


if __name__ == "__main__":
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    main(Path(sys.argv[1]), Path(sys.argv[2]))
