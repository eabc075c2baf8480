"""The network of a training: the Auto class of the task, and what the method lets train."""

from __future__ import annotations

import re
from typing import Any

from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForQuestionAnswering,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    EncoderDecoderConfig,
    EncoderDecoderModel,
)

from benchmarks.peer.handed import Handed

AUTO = {
    "classify": AutoModelForSequenceClassification,
    "tag": AutoModelForTokenClassification,
    "span": AutoModelForQuestionAnswering,
}
PEFT = {"classify": "SEQ_CLS", "tag": "TOKEN_CLS", "span": "QUESTION_ANS"}
NEW = re.compile(
    r"(^|\.)(classifier|pooler|score|qa_outputs|classification_head|lm_head|decoder\.cls|crossattention)\."
)
"""Parameters that a method never freezes: heads, and what the checkpoint of an encoder lacks as a decoder. The minis
have no pooler, which lies between BERT and its classifier: transformers makes a random one, and says it must train.
"""


def build(handed: Handed, tokenizer: Any) -> Any:
    """A fresh network, ready to train."""
    model = _load(handed, tokenizer)
    if handed.method == "lora":
        return _with_lora(model, handed)
    if handed.method in ("freeze", "head_only"):
        _untie(model)
        _freeze(model, everything=handed.method == "head_only")
    return model


def _load(handed: Handed, tokenizer: Any) -> Any:
    place, labels = handed.checkpoint, handed.labels
    if handed.head == "generate":
        return _writer(handed, tokenizer)
    auto = AUTO[handed.head]
    options = {"num_labels": len(labels)} if labels else {}
    config = AutoConfig.from_pretrained(place, pad_token_id=tokenizer.pad_token_id, **options)
    return auto.from_pretrained(place, config=config) if handed.pretrained else auto.from_config(config)


def _writer(handed: Handed, tokenizer: Any) -> Any:
    place = handed.checkpoint
    if handed.family != "encoder":
        auto = AutoModelForCausalLM if handed.family == "decoder" else AutoModelForSeq2SeqLM
        return auto.from_pretrained(place) if handed.pretrained else auto.from_config(AutoConfig.from_pretrained(place))
    if handed.pretrained:
        model = EncoderDecoderModel.from_encoder_decoder_pretrained(place, place)
    else:
        config = AutoConfig.from_pretrained(place)
        both = EncoderDecoderConfig.from_encoder_decoder_configs(config, AutoConfig.from_pretrained(place))
        model = EncoderDecoderModel(config=both)
    for config in (model.config, model.generation_config):
        config.decoder_start_token_id = tokenizer.cls_token_id
        config.eos_token_id, config.pad_token_id = tokenizer.sep_token_id, tokenizer.pad_token_id
    return model


def _with_lora(model: Any, handed: Handed) -> Any:
    """peft's LoRA; heads that it would silently leave frozen are named to it."""
    from peft import LoraConfig, get_peft_model

    two_encoders = handed.head == "generate" and handed.family == "encoder"
    kinds = {"encoder": None, "decoder": "CAUSAL_LM", "encoder-decoder": "SEQ_2_SEQ_LM"}
    modules = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    heads = sorted(modules & {"classification_head", "pooler"}) or None
    config = LoraConfig(
        task_type=PEFT.get(handed.head, kinds[handed.family]),
        r=8,
        lora_alpha=16,
        lora_dropout=0.0,
        target_modules=["query", "value"] if two_encoders else None,
        modules_to_save=heads,
    )
    wrapped = get_peft_model(model, config)
    if two_encoders:  # its cross-attention is new: LoRA on random weights learns nothing
        for name, parameter in wrapped.named_parameters():
            parameter.requires_grad_(parameter.requires_grad or ".crossattention." in name)
    return wrapped


def _untie(model: Any) -> None:
    """A projection onto the vocabulary of its own, which can train where the embeddings do not."""
    if getattr(model, "lm_head", None) is not None:
        model.lm_head.weight = nn.Parameter(model.lm_head.weight.detach().clone())
        model.config.tie_word_embeddings = False


def _freeze(model: Any, *, everything: bool) -> None:
    """Leave the head; of the rest nothing, or the upper half of the layers."""
    layer = re.compile(r"\.(?:layer|block|h)\.(\d+)\.")
    layers = 1 + max(int(found.group(1)) for name, _ in model.named_parameters() if (found := layer.search(name)))
    for name, parameter in model.named_parameters():
        found = layer.search(name)
        upper = found is not None and int(found.group(1)) >= max(1, layers // 2)
        parameter.requires_grad_(bool(NEW.search(name)) or (upper and not everything))
