"""The models of the accelerator's page: known sizes with random weights, and the rows that they are trained on.

A tokenizer of one of our own small models stands in for the real one: it reads the first words of a table that is as
large as the real one's. So nothing is fetched from a hub.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import catalog, models, sources
from bench.spec import Budget, Head, Task
from benchmarks.speed.single import LOADED, Shape

MINIATURE_SIDES = ("ours", "peer_bfloat16")
SIDES = (*MINIATURE_SIDES, LOADED)
ROWS, VALIDATION, ROUNDS = 1500, 2, 5
SHORTEST = 4
"""Tokens that a row has at the least."""


@dataclass(frozen=True)
class Known:
    """A model of the usual sort: `make` gives it random weights, given a tokenizer and whether it is a miniature."""

    name: str
    tokenizer: str
    task: str
    make: Callable[[Any, bool], Any]


def _bert(tokenizer: Any, miniature: bool) -> Any:
    from transformers import BertConfig, BertModel

    small = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    return BertModel(BertConfig(
        vocab_size=len(tokenizer) if miniature else 30_522, pad_token_id=tokenizer.pad_token_id,
        **(small if miniature else {}),
    ))


def _t5(tokenizer: Any, miniature: bool) -> Any:
    from transformers import T5Config, T5ForConditionalGeneration

    small = {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 1, "num_heads": 2}
    return T5ForConditionalGeneration(T5Config(
        vocab_size=len(tokenizer) if miniature else 32_128, pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id, decoder_start_token_id=tokenizer.pad_token_id,
        **(small if miniature else {}),
    ))


def _gpt2(tokenizer: Any, miniature: bool) -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(GPT2Config(
        vocab_size=len(tokenizer) if miniature else 50_257, pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.eos_token_id, eos_token_id=tokenizer.eos_token_id,
        **({"n_embd": 32, "n_layer": 1, "n_head": 2} if miniature else {}),
    ))


KNOWN = (
    Known("bert-base", "bert-mini", "sentiment", _bert),
    Known("t5-small", "t5-mini", "translation", _t5),
    Known("gpt2", "gpt2-mini", "sentiment", _gpt2),
)
"""The libraries' default configurations of BERT, T5 and GPT-2 are these three."""


def shapes(place: Path, *, miniature: bool) -> list[Shape]:
    """Every model on rows as they come and on rows as long as its task reads, its files under `place`."""
    found = []
    for known in KNOWN:
        checkpoint = _save(known, place / known.name, miniature)
        task = catalog.task(known.task)
        for long in (False, True):
            data = _write_rows(task, place / f"rows-{'long' if long else 'short'}", long=long)
            length = f"{task.input_tokens} tokens" if long else "short rows"
            found.append(Shape(
                f"{known.name}, {known.task}, {length}", path=str(checkpoint), data_dir=str(data), task=known.task,
                rows=8 if miniature else ROWS, batch_size=4 if miniature else Budget().batch_size,
                rounds=1 if miniature else ROUNDS, validation=VALIDATION, evaluations=1,
                sides=MINIATURE_SIDES if miniature else SIDES,
            ))
    return found


def _save(known: Known, place: Path, miniature: bool) -> Path:
    import torch
    from transformers import AutoTokenizer, logging

    logging.disable_progress_bar()
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(models.ROOT / "bench/checkpoints" / known.tokenizer)
    known.make(tokenizer, miniature).save_pretrained(place)
    tokenizer.save_pretrained(place)
    return place


def _write_rows(task: Task, place: Path, *, long: bool) -> Path:
    """The synthetic rows as a user's files: each as it comes, or with the texts of those after it behind its own."""
    together = -(-task.input_tokens // SHORTEST) if long else 1
    own = sources.load(task, "bundled", budget=Budget())
    (place / task.name).mkdir(parents=True, exist_ok=True)
    for name, rows in (("train", own.train), ("validation", own.validation), ("test", own.test())):
        lines = (json.dumps(_joined(task, rows, number, together)) for number in range(len(rows)))
        (place / task.name / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return place


def _joined(task: Task, rows: Sequence[Any], number: int, together: int) -> dict[str, Any]:
    """A row whose texts are those of so many rows from `number` on; what is no text is its own."""
    chosen = list(itertools.islice(itertools.cycle(rows), number, number + together))
    texts = [*task.inputs, *([task.reference] if task.head is Head.GENERATE else [])]
    return {task.reference: rows[number][task.reference], **{t: " ".join(str(r[t]) for r in chosen) for t in texts}}
