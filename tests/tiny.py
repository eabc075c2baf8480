"""Tiny real checkpoints (hidden 32, 2 layers, random weights) with real tokenizers, made on the spot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import nn
from transformers import (
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from bench import catalog
from bench.learn import device
from bench.learn.network import Network
from bench.learner import Assignment
from bench.spec import Budget, Family, Head, Model, Pinned, Row, Task

TEXT = [
    "anna met oskar in berlin on monday and they were happy.",
    "the small red house is old, but we loved it.",
    "who met oskar? anna met him.",
    "la casa roja es vieja.",
    "it was dreadful and slow; stay away from it!",
    "marta works for orlan in paris. she is not unhappy.",
    "in short: the bridge was closed = el puente",
]
LETTERS = sorted({letter for text in TEXT for letter in text if not letter.isspace()})
WORDS = sorted({word for text in TEXT for word in re.findall(r"\w+", text) if len(word) > 1})
"""The pieces of the tokenizers. They are not trained: trainers break ties differently in each process."""
FAMILIES = (Family.ENCODER, Family.DECODER, Family.ENCODER_DECODER)
WRITER = "text to text"
"""A kind of tiny model beside the families: an encoder-decoder that answers every task by writing."""
SIZE = 32


def teacher(directory: Path) -> str:
    """The directory of a saved encoder that is larger than the others here."""
    torch.manual_seed(0)
    if not (directory / "config.json").exists():
        _bert(directory, layers=8)
    return str(directory)


def predict_by(monkeypatch: pytest.MonkeyPatch, tokens: int) -> None:
    """Let models answer in batches of so many tokens."""
    monkeypatch.setitem(device.READING_TOKENS, "cpu", tokens)
    monkeypatch.setitem(device.WRITING_TOKENS, "cpu", tokens)


def without_dropout(network: Network) -> Network:
    """The same network, which gives the same numbers in training as in evaluation."""
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        elif isinstance(getattr(module, "dropout", None), float):  # of T5's attention
            module.dropout = 0.0  # type: ignore[assignment]
    return network


def checkpoint(kind: str, directory: Path) -> Model:
    """A saved model of a family or WRITER, with its tokenizer, as a row of the catalog would name it."""
    torch.manual_seed(0)
    family = Family.ENCODER_DECODER if kind == WRITER else Family(kind)
    if not (directory / "config.json").exists():
        _MAKERS[family](directory)
    pooling = "last" if family is Family.DECODER else "mean"
    return Model(f"tiny-{kind}", family, str(directory), pooling=pooling, writes=kind == WRITER)


def _bert(directory: Path, layers: int = 2) -> None:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*special, *LETTERS, *(f"##{letter}" for letter in LETTERS), *WORDS]
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.decoder = decoders.WordPiece()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )
    config = BertConfig(
        hidden_size=SIZE,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=64,
        vocab_size=len(fast),
        max_position_embeddings=128,
    )
    _save(BertForMaskedLM(config), fast, directory)


def _gpt2(directory: Path) -> None:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<|endoftext|>", "<|pad|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>", pad_token="<|pad|>")
    config = GPT2Config(
        n_embd=SIZE,
        n_layer=2,
        n_head=2,
        n_positions=128,
        vocab_size=len(fast),
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=1,
    )
    _save(GPT2LMHeadModel(config), fast, directory)


def _t5(directory: Path) -> None:
    pieces = [*((f"▁{word}", -4.0) for word in WORDS), *((letter, -6.0) for letter in ("▁", *LETTERS))]
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -20.0)]
    tokenizer = Tokenizer(models.Unigram([*special, *pieces], unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens([piece for piece, _ in special])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")
    config = T5Config(
        d_model=SIZE,
        d_kv=16,
        d_ff=64,
        num_layers=2,
        num_heads=2,
        vocab_size=len(fast),
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=1,
    )
    network = T5ForConditionalGeneration(config)
    fast.add_tokens([f"<extra_id_{i}>" for i in range(8)], special_tokens=True)  # stand for missing spans, as T5's do
    network.resize_token_embeddings(len(fast), mean_resizing=False)
    _save(network, fast, directory)


_MAKERS = {Family.ENCODER: _bert, Family.DECODER: _gpt2, Family.ENCODER_DECODER: _t5}


def _save(network: Any, tokenizer: Any, directory: Path) -> None:
    network.save_pretrained(directory)
    tokenizer.save_pretrained(directory)


def _task(head: Head, inputs: tuple[str, ...], reference: str) -> Task:
    return Task(
        name=str(head),
        title=str(head),
        version=1,
        head=head,
        metric="accuracy",
        schema={},
        inputs=inputs,
        reference=reference,
        sources={},
        input_tokens=64,
        output_tokens=32,
        stride=16,
        cue=" =",
    )


TASKS = {
    Head.CLASSIFY: _task(Head.CLASSIFY, ("text",), "label"),
    Head.REGRESS: _task(Head.REGRESS, ("one", "other"), "score"),
    Head.TAG: _task(Head.TAG, ("tokens",), "tags"),
    Head.SPAN: _task(Head.SPAN, ("question", "context"), "answers"),
    Head.GENERATE: _task(Head.GENERATE, ("source",), "target"),
}
"""One for each head; that of numbers reads pairs."""

LABELS = {Head.CLASSIFY: ("bad", "good"), Head.TAG: ("O", "B-LOC", "B-PER", "I-PER")}


def rows(head: Head) -> list[Row]:
    """Eight different rows for the head, of different lengths."""
    people = ["anna", "oskar", "marta", "orlan"]
    places = ["paris", "berlin"]
    made: list[Row] = []
    for i in range(8):
        who, where, extra = people[i % 4], places[i // 4], " and they were happy" * (i % 3)
        if head is Head.CLASSIFY:
            made.append(
                {"text": f"{who} was {'happy' if i % 2 else 'slow'} in {where}{extra}.", "label": LABELS[head][i % 2]}
            )
        elif head is Head.REGRESS:
            other = f"{people[-i % 4]} was slow."
            made.append({"one": f"{who} met him in {where}{extra}.", "other": other, "score": i * 3 % 8 / 2})
        elif head is Head.TAG:
            made.append(
                {
                    "tokens": [who, "orlan", "met", where, *extra.split(), "."],
                    "tags": ["B-PER", "I-PER", "O", "B-LOC", *["O"] * len(extra.split()), "O"],
                }
            )
        elif head is Head.SPAN:
            context = f"the house is old{extra}. {who} met him in {where}."
            made.append(
                {
                    "question": "who met him?",
                    "context": context,
                    "answers": {"text": [who], "answer_start": [context.index(who)]},
                }
            )
        else:
            made.append({"source": f"{who} met him in {where}{extra}.", "target": f"{where} {who}"})
    return made


OUTPUTS = {Head.CLASSIFY: 2, Head.REGRESS: 1, Head.TAG: 4, Head.SPAN: 2}
"""Scores of each head for one vector."""


def answers(head: Head) -> list[Any]:
    """The right predictions for the rows above."""
    references = [row[TASKS[head].reference] for row in rows(head)]
    return [reference["text"][0] for reference in references] if head is Head.SPAN else references


def alike(one: Sequence[Any], other: Sequence[Any], within: float = 1e-4) -> bool:
    """Whether predictions are the same; numbers, which depend on the order of sums, nearly."""
    pairs = list(zip(one, other, strict=True))
    if all(isinstance(value, float) for pair in pairs for value in pair):
        return all(abs(a - b) <= within for a, b in pairs)
    return all(a == b for a, b in pairs)


def assignment(head: Head, model: Model, method: str, **budget: Any) -> Assignment:
    """A cell on the rows above; `method` may carry options in brackets."""
    chosen, options = catalog.method(method)
    spent = Budget(**{"epochs": 2, "batch_size": 4, "evaluations": 2, **budget})
    return Assignment(
        TASKS[head], model, chosen, options, spent, rows(head), rows(head), LABELS.get(head, ()),
        others={option: Pinned(catalog.model(options[option])) for option in chosen.models},
    )
