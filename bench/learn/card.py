"""What a finished mini model leaves on disk: weights, tokenizer, `pretraining.json` and a model card.

Knows file layouts and words; knows nothing of how the weights came about beyond the report it is handed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bench.learn.recipes import Recipe
from bench.learn.resume import Progressed, describe
from bench.learn.stream import text_seeds
from bench.spec import Family

FLOAT32_LIMIT = 8_000_000
"""Bytes of float32 weights from which the file is written in float16."""


@dataclass(frozen=True)
class Report:
    """How a training went: what it cost, and the held-out loss of each world (nats a predicted token)."""

    recipe: Recipe
    done: Progressed
    held_out: dict[str, float]
    device: str


def write_model(out: Path, network: Any, tokenizer: Any, report: Report) -> None:
    """Write everything that `out` must hold; a card that is there already keeps its section on transfer."""
    parameters = sum(p.numel() for p in network.parameters())
    half = 4 * parameters > FLOAT32_LIMIT
    network.to("cpu", torch.float16 if half else torch.float32).save_pretrained(out)
    tokenizer.save_pretrained(out)
    facts = _facts(out, report, parameters, len(tokenizer))
    (out / "pretraining.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    card = out / "README.md"
    transfer = _transfer(card.read_text(encoding="utf-8")) if card.exists() else _NOT_MEASURED
    card.write_text(_card(report, facts) + transfer, encoding="utf-8")


def _facts(out: Path, report: Report, parameters: int, vocabulary: int) -> dict[str, Any]:
    import transformers

    done = report.done
    return {
        "recipe": describe(report.recipe),
        "parameters": parameters,
        "vocabulary": vocabulary,
        "steps": done.step,
        "tokens": done.tokens,
        "seconds": round(done.seconds, 1),
        "device": report.device,
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "text_seeds": text_seeds(report.recipe, done.place.chunk + 1),
        "held_out_loss": report.held_out,
        "loss_curve": [list(point) for point in done.curve],
        "sha256": hashlib.sha256((out / "model.safetensors").read_bytes()).hexdigest(),
    }


_HEADING = "## Transfer\n"
_NOT_MEASURED = f"{_HEADING}\nNot measured yet.\n"


def _transfer(card: str) -> str:
    place = card.find(_HEADING)
    return card[place:] if place >= 0 else _NOT_MEASURED


_OBJECTIVES = {
    Family.ENCODER: "masked language modelling over whole words (Devlin et al. 2019): {share:.0%} of the words are "
    "chosen; of their tokens 80% become `[MASK]`, 10% another token, 10% stay",
    Family.DECODER: "causal language modelling (Radford et al. 2019): every token from those before it, each document "
    "closed by `<|endoftext|>`",
    Family.ENCODER_DECODER: "span corruption (Raffel et al. 2020): {share:.0%} of the tokens are missing, in spans of "
    "{span:g} on average",
}

_LAYERS = {
    Family.ENCODER: "{0} layers",
    Family.DECODER: "{0} layers",
    Family.ENCODER_DECODER: "{0} encoder and {0} decoder layers",
}


def _matching(recipe: Recipe) -> str:
    if not recipe.contrast_every:
        return ""
    return (
        f"Every {recipe.contrast_every}th step instead matches the two halves of each document among the others of its "
        "batch, over mean-pooled hidden states (a contrastive loss as in DeCLUTR, Giorgi et al. 2021).\n"
    )


def _onward(recipe: Recipe) -> str:
    if not recipe.onward_every or recipe.family is Family.DECODER:
        return ""
    how = {
        Family.ENCODER: "predicts every token from those before it, under a left-to-right mask (as in UniLM, "
        "Dong et al. 2019)",
        Family.ENCODER_DECODER: "reads the beginning of each document and writes the rest (prefix language modelling, "
        "as in UL2, Tay et al. 2023)",
    }
    return f"Every {_ordinal(recipe.onward_every)} of the other steps {how[recipe.family]}.\n"


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")


def _optimizer(recipe: Recipe) -> str:
    relative = " times the size of each tensor's first weights" if recipe.relative_rates else ""
    adamw = f"AdamW {recipe.betas}, weight decay {recipe.weight_decay:g}, peak rate {recipe.peak_rate:g}{relative}"
    if not recipe.matrix_rate:
        return adamw
    return (
        f"Muon (Jordan et al. 2024) for the matrices inside the layers, peak rate {recipe.matrix_rate:g}, "
        f"weight decay {recipe.matrix_decay:g};\n{adamw}"
    )


def _card(report: Report, facts: dict[str, Any]) -> str:
    recipe, seeds = report.recipe, facts["text_seeds"]
    layers = _LAYERS[recipe.family].format(recipe.layers)
    machine = "one processor thread" if report.device == "cpu" else "a GPU"
    losses = "\n".join(f"| {world} | {loss:.2f} |" for world, loss in report.held_out.items())
    return f"""---
language: en
tags: [synthetic, mini]
---
# {recipe.name}

A mini model for trying out fine-tuning methods without a network: {layers}, hidden size {recipe.hidden},
{recipe.heads} heads, {facts["parameters"]:,} parameters, {facts["vocabulary"]:,} tokens, {recipe.positions} positions.
It was trained from random weights on synthetic English (and a little Spanish) that `tasks/corpora` generates:
{", ".join(recipe.worlds)}, an equal share of tokens each. The corpora keep the texts of the labelled rows out of it;
their words are in it, also those that only test rows use, as web text has the words of a benchmark.

## How it was made

Objective: {_OBJECTIVES[recipe.family].format(share=recipe.mask_share, span=recipe.span)}.
{_matching(recipe)}{_onward(recipe)}{facts["steps"]:,} steps of up to {recipe.batch_tokens:,} tokens,
{facts["tokens"] / 1e6:.1f} million tokens in all,
{facts["seconds"] / 60:.0f} minutes on {machine}. {_optimizer(recipe)}
after {recipe.warmup} steps of warmup, then linear decay.
Text seeds: {seeds["training_first"]} to {seeds["training_last"]} (training), {seeds["held_out"]} (held out),
{seeds["tokenizer"]} (tokenizer). `pretraining.json` has the whole recipe, the loss curve and the hash of the weights.

Rebuild it:

```
python -m bench pretrain {recipe.name}
```

Held-out loss in nats a predicted token:

| world | loss |
|---|---|
{losses}

## What it cannot do

It knows a few thousand words and the sentence patterns of five small invented worlds. It does not know real English,
facts, or people; it has no use outside of tests and comparisons of methods; its scores say nothing of larger models.

"""
