"""One training of ours against one of Trainer: `python -m benchmarks.speed.single SHAPES.json RESULTS.json`.

Both in this one process on one thread, in turn: the same rows, rate, epochs, batches and evaluations; on the GPU where
there is one. The process has the environment of our workers (`bench.work.ENVIRONMENT`), and the peer has it with us.

What is timed is the same on both sides: a copy of a network that is loaded and on the device already, and the training
of it with its evaluations. No imports, no tokenising, no loading of a checkpoint and no making of a Trainer. Ours also
keeps the best state that it has seen, and ends with it.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import catalog, models, plan, work
from bench.commands.request import with_budget
from bench.plan import Cell
from benchmarks.speed import process

SIDES = ("ours", "peer", "peer_bfloat16")
"""Ours in the precision that it picks, and the peer in either."""

LOADED = "peer_bfloat16_loaded"
"""The peer with processes that make its batches: what it gains on a GPU, which would wait for them."""

LOADERS = 2


@dataclass(frozen=True)
class Shape:
    """A model: `path` of a checkpoint, or None for an encoder with random weights of this size.

    `data_dir` holds rows of the `task`; without it they are the synthetic ones. `sides` are some of SIDES and LOADED.
    """

    name: str
    hidden: int = 0
    layers: int = 0
    path: str | None = None
    data_dir: str | None = None
    rows: int = 256
    batch_size: int = 16
    rounds: int = 2
    task: str = "sentiment"
    validation: int = 100
    evaluations: int = 2
    sides: tuple[str, ...] = SIDES


SHAPES = (Shape("64 x 2", 64, 2), Shape("128 x 3", 128, 3), Shape("256 x 4", 256, 4), Shape("384 x 6", 384, 6))


def minilm(data_dir: str) -> Shape:
    """The real model of the catalog on real rows."""
    row = next(model for model in models.MODELS if model.name == "minilm")
    return Shape("MiniLM (384 x 6), SST-2", path=str(models.directory(row)), data_dir=data_dir)


def main(source: Path, target: Path) -> None:
    """Measure all shapes that the file lists, one after another."""
    import torch

    torch.set_num_threads(1)
    found = []
    for fields in json.loads(source.read_text()):
        with tempfile.TemporaryDirectory() as place:
            found.append(_measured(Shape(**fields), Path(place)))
    target.write_text(json.dumps(found))


def _measured(shape: Shape, place: Path) -> dict[str, Any]:
    """Time the sides in turn, the first of their rounds for nothing."""
    from bench.learn.device import pick_device
    from benchmarks.speed.kernels import counted
    from benchmarks.speed.turns import alternate

    cell = _cell(shape, place)
    facts: dict[str, Any] = {}

    def ours() -> Callable[[], object]:
        train, found = _ours(cell)
        facts.update(found, kernels=asdict(counted(train)[1]))
        return train

    known: dict[str, Callable[[], Callable[[], object]]] = {
        "ours": ours,
        "peer": lambda: _peer(cell, place, bfloat16=False),
        "peer_bfloat16": lambda: _peer(cell, place, bfloat16=True),
        LOADED: lambda: _peer(cell, place, bfloat16=True, loaders=LOADERS),
    }
    turns = alternate({name: known[name] for name in shape.sides}, shape.rounds, pick_device())
    rounds = {name: [(turn.wall, turn.processor) for turn in found] for name, found in turns.items()}
    memory = {name: max((t.memory for t in found if t.memory), default=None) for name, found in turns.items()}
    return {"shape": _public(shape), "rounds": rounds, "memory": memory, **facts}


def _public(shape: Shape) -> dict[str, Any]:
    """A shape for results that are published: not where files lay on this machine."""
    return {name: value for name, value in asdict(shape).items() if name not in ("path", "data_dir")}


def measure(groups: Sequence[Sequence[Shape]], place: Path) -> list[dict[str, Any]]:
    """What `main` finds of the shapes, each group in a fresh process; files go to `place`."""
    source, target = place / "shapes.json", place / "results.json"
    found: list[dict[str, Any]] = []
    for group in groups:
        source.write_text(json.dumps([asdict(shape) for shape in group]))
        process.run(["benchmarks.speed.single", str(source), str(target)], {**work.ENVIRONMENT, **one_gpu()})
        found += json.loads(target.read_text())
    return found


def one_gpu() -> dict[str, str]:
    """The environment that shows one GPU, the first that may be used: Trainer would split its batches over several."""
    return {"CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]}


def _cell(shape: Shape, place: Path) -> Cell:
    path = shape.path or _random(shape, place / "checkpoint")
    changes = {"train_size": shape.rows, "validation_size": shape.validation, "test_size": 100, "epochs": 1,
               "trials": 1, "seeds": (1,), "batch_size": shape.batch_size, "search_epochs": 1,
               "evaluations": shape.evaluations}
    suite = with_budget(catalog.suite("glue-lite"), changes)
    files = {"source": "files", "data_dir": Path(shape.data_dir)} if shape.data_dir else {}
    request = plan.Request(tasks=(shape.task,), models=(path,), methods=("full",), **files)  # type: ignore[arg-type]
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
    """A training of ours, and the work in it; it raises RuntimeError that names the cell unless it reaches its end."""
    from bench import sources
    from bench.learn.fit import ModelLearner
    from bench.learner import Assignment
    from bench.material import Material
    from bench.score import metric_named

    splits = sources.load(cell.task, cell.source, data_dir=cell.data_dir, budget=cell.budget)
    material, metric = Material(cell.task, splits), metric_named(cell.task.metric)
    learner = ModelLearner(Assignment(
        task=cell.task, model=cell.model, method=cell.method, options=cell.options, budget=cell.budget,
        train=splits.train, validation=splits.validation, labels=material.labels,
    ))
    references, epochs = material.validation_references, cell.budget.epochs

    steps = epochs * math.ceil(len(learner.train_examples) / cell.budget.batch_size)

    def train() -> object:
        fitted = learner.fit(
            1e-4, 1, lambda found: metric.compute(predictions=found, references=references)[metric.name],
            lambda point: True, epochs,
        )
        require_complete(fitted, steps, cell.key)
        return fitted

    return train, {"precision": learner.precision, "flop": epochs * _epoch(learner),
                   "examples": epochs * len(learner.train_examples)}


def require_complete(fitted: Any, steps: int, name: str) -> None:
    """Raise RuntimeError unless the training took all its steps: one that diverged ends early, and would look fast."""
    if fitted.state != "COMPLETE" or fitted.steps != steps:
        raise RuntimeError(f"{name}: {fitted.state}: {fitted.reason or f'{fitted.steps} of {steps} steps'}")


def _epoch(learner: Any) -> int:
    """Operations: six a parameter of the layers, and of a projection onto the vocabulary, and token that it reads."""
    encoder, *decoder = (sum(p.numel() for p in stack.parameters()) for stack in learner.template.stacks())
    work: int = encoder * sum(learner.train_set.lengths)
    if learner.head.writes:
        written = sum(label >= 0 for example in learner.train_examples for label in example["labels"])
        work += (sum(decoder) + learner.template.projection().weight.numel()) * written
    return 6 * work


def _peer(cell: Cell, place: Path, *, bfloat16: bool, loaders: int = 0) -> Callable[[], object]:
    """A training by Trainer, with so many processes that make its batches.

    Every call of its `train` begins with a copy of the network that it was made with, which is on the device already.
    """
    import copy
    import dataclasses

    from benchmarks.peer import handed as told
    from benchmarks.peer.__main__ import Cell as PeerCell
    from benchmarks.speed import grid

    handed = told.read(grid.hand_out(cell, place, threads=1))
    peer = PeerCell(dataclasses.replace(handed, bfloat16=bfloat16), place / "out")
    trainer = peer.trainer(cell.budget.epochs, 1, 1e-4, keep_best=False)
    trainer.args.dataloader_num_workers = loaders
    loaded = trainer.model
    trainer.model_init = lambda: copy.deepcopy(loaded)
    train: Callable[[], object] = trainer.train
    return train


if __name__ == "__main__":
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    main(Path(sys.argv[1]), Path(sys.argv[2]))
