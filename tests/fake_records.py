"""Plausible records of a small grid, with every outcome, made up from a seed. Knows no learner and no file."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bench.record import Checkpoint, Cost, Data, Health, Outcome, Parameters, Point, Record, Training

TASKS = {
    "sentiment": ("classify", "accuracy", ("macro_f1",), {"majority": 52.4}, 92.0),
    "ner": ("tag", "entity_f1", ("precision", "recall"), {"all_outside": 0.0, "most_frequent_tag": 31.7}, 84.0),
    "qa": ("span", "squad_f1", ("exact_match",), {"first_sentence": 14.2, "whole_context": 6.1}, 71.0),
    "translation": ("generate", "bleu", ("chrf", "length_ratio"), {"copy_source": 3.9, "commonest": 0.6}, 58.0),
    "summarization": ("generate", "rougeL", ("rouge1", "rouge2", "rougeLsum", "length_ratio"), {"lead_1": 33.8}, 52.0),
}
MODELS = {"bert-mini": "encoder", "gpt2-mini": "decoder", "t5-mini": "encoder-decoder"}
METHODS = {"full": 1.0, "head_only": 0.004, "freeze": 0.46, "lora[r=8]": 0.021, "scratch": 1.0}
GAINS = {"full": 0.0, "head_only": -18.0, "freeze": -4.0, "lora[r=8]": -1.0, "scratch": -9.0}
LEANS = {"bert-mini": 2.0, "gpt2-mini": -6.0, "t5-mini": 0.0}
BUDGET: Mapping[str, Any] = {"trials": 4, "seeds": [1, 2, 3], "epochs": 3, "batch_size": 32, "train_size": None}
TOTAL = 2_310_000

FAILURES = {
    ("qa", "gpt2-mini", "lora[r=8]"): (Outcome.DIVERGED, "the loss of seed 2 is not finite at step 41 (rate 3.2e-3)"),
    ("qa", "t5-mini", "head_only"): (Outcome.UNSUPPORTED, "head_only has no head to train in a text-to-text model"),
    ("translation", "bert-mini", "scratch"): (Outcome.OUT_OF_MEMORY, "CUDA out of memory: tried to allocate 2.0 GiB"),
    ("summarization", "bert-mini", "full"): (Outcome.TIMED_OUT, "no result after 600 s"),
    ("summarization", "gpt2-mini", "freeze"): (
        Outcome.FAILED, 'RuntimeError: sizes do not match\n  File "loop.py", line 7, in step\n    a @ b'),
}


def records() -> list[Record]:
    """Five tasks, three models, five methods; one cell was never run."""
    grid = [record(t, m, x) for t in TASKS for m in MODELS for x in METHODS]
    return [r for r in grid if r.key != "ner/t5-mini/scratch"]


def curve(task: str, model: str, method: str, *sizes: int) -> list[Record]:
    """One method at several training-set sizes: the fewer rows, the lower its score."""
    return [_sized(record(task, model, method), size) for size in sizes]


def _sized(made: Record, size: int) -> Record:
    lost = 400 / size**0.7
    data = None if made.data is None else replace(made.data, train=size)
    made = replace(made, train_size=size, budget={**BUDGET, "train_size": size}, data=data)
    if made.score is None or made.low is None or made.high is None:
        return made
    return replace(made, score=made.score - lost, low=made.low - lost, high=made.high - lost)


def record(task: str, model: str, method: str) -> Record:
    """One cell; always the same for the same names."""
    draw = random.Random(f"{task}/{model}/{method}")
    failure = FAILURES.get((task, model, method))
    base = _base(task, model, method)
    return _failed(base, *failure) if failure else _scored(base, draw)


def _base(task: str, model: str, method: str) -> Record:
    head, metric, _, floors, _ = TASKS[task]
    return Record(
        task=task, model=model, method=method, source="bundled", family=MODELS[model], head=head, fingerprint="f" * 64,
        outcome=Outcome.OK, metric=metric, floors={name: {metric: value} for name, value in floors.items()},
        data=Data("bundled", f"tasks.corpora.{task}", "ab" * 32, None, 1500, 300, 600, synthetic=True),
        checkpoint=Checkpoint(f"bench/checkpoints/{model}", None, "cd" * 32), budget=BUDGET,
        provenance={
            "command": "python -m bench run --suite glue-lite", "started": "2031-05-04T10:00:00Z", "python": "3.12.4",
            "packages": {"torch": "2.13.0", "transformers": "5.23.0"}, "cpu": "a processor with 2 cores",
        },
    )


def _failed(base: Record, outcome: Outcome, reason: str) -> Record:
    if outcome is Outcome.UNSUPPORTED:
        return replace(base, outcome=outcome, reason=reason, floors={}, data=None)
    cost = Cost(31.0, 20.0, 5.0, 410.0, 9800.0, None)
    return replace(base, outcome=outcome, reason=reason, cost=cost, parameters=_parameters(base.method))


def _scored(base: Record, draw: random.Random) -> Record:
    level = max(1.0, TASKS[base.task][4] + GAINS[base.method] + LEANS[base.model] + draw.gauss(0, 2))
    if base.key == "summarization/gpt2-mini/head_only":
        level = 30.5
    scores = [min(100.0, level + draw.gauss(0, 1.1)) for _ in range(3)]
    rate = 10 ** draw.uniform(-4, -2.5)
    finals = tuple(_final(base, seed, score, rate, draw) for seed, score in enumerate(scores, start=1))
    mean = sum(scores) / 3
    seconds = draw.uniform(9, 40) * (1.6 if base.head == "generate" else 1)
    return replace(
        base, score=mean, low=mean - draw.uniform(1.5, 2.8), high=mean + draw.uniform(1.5, 2.8),
        scores={name: sum((t.scores or {})[name] for t in finals) / 3 for name in finals[0].scores or {}}, rate=rate,
        rate_at_edge=base.key == "ner/gpt2-mini/full",
        trials=tuple(_trial(n, rate * 3 ** (n - 1), level - 2 * n, draw) for n in range(4)), finals=finals,
        cost=Cost(seconds, seconds * 0.8, seconds * 0.2, draw.uniform(200, 2200), 30000.0, int(draw.uniform(4e8, 9e8))),
        parameters=_parameters(base.method),
    )


def _parameters(method: str) -> Parameters:
    trainable = int(TOTAL * METHODS[method])
    return Parameters(trainable, trainable - 5000, 5000, TOTAL, trainable * 4)


def _trial(number: int, rate: float, value: float, draw: random.Random) -> Training:
    state = "PRUNED" if number == 3 and draw.random() < 0.5 else "COMPLETE"
    curve = (Point(47, 1.0, 0.7, value - 5, 1.0), Point(141, 3.0, 0.4, value, 3.0))
    return Training(number, rate, 0, state, value, 141, curve, 141, 4500, 90000, 3.1, 0.4)


def _final(base: Record, seed: int, score: float, rate: float, draw: random.Random) -> Training:
    others = {name: 1.04 if name.endswith("ratio") else score * draw.uniform(0.8, 1.0) for name in TASKS[base.task][2]}
    capped = draw.randrange(4) if base.head == "generate" else 0
    truncated = 12 if base.task == "summarization" else 0
    collapsed = base.key == "sentiment/gpt2-mini/head_only"
    health = Health(truncated=truncated, capped=capped, distinct=1 if collapsed else 40)
    return Training(seed, rate, seed, "COMPLETE", score + 1, 141, (), 141, 4500, 90000, 3.1, 0.4,
                    scores={base.metric: score, **others}, health=health)
