"""Checkpoints into tokenizers and backbones: where a model lies, what of a network it does not contain.

Knows the architectures' differences; knows nothing of tasks, methods or training.
"""

from __future__ import annotations

import functools
import hashlib
import warnings
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, cast

import torch
from torch import nn

from bench import models
from bench.errors import UnavailableError, UnsupportedError
from bench.learn.device import pick_attention
from bench.record import Checkpoint
from bench.spec import Family, Model


def quiet() -> None:
    """Silence transformers' load reports and progress bars: what matters is in the record."""
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    warnings.filterwarnings("ignore", message=".*Version v4.12.0 introduces.*", category=FutureWarning)


def location(model: Model) -> str:
    """The directory of a local or packaged checkpoint, else the hub id."""
    return str(models.directory(model) or model.path)


def place(model: Model, revision: str | None) -> Path:
    """The directory on this machine that holds the checkpoint; one of the hub is fetched if need be, and checked.

    Libraries never get a hub id: they would ask the hub in their own way, and again in every trial.
    Raises UnavailableError where it cannot be had.
    """
    here = models.directory(model)
    if here is not None:
        return here
    from bench.learn import cached, hub

    return cached.checkpoint(model.path, revision or hub.resolve_model(model.path), model.pickled)


def identity(model: Model, revision: str | None) -> Checkpoint:
    """Path, revision and, for a directory, the SHA-256 of its weights."""
    weights = Path(location(model)) / "model.safetensors"
    digest = _sha256(weights) if weights.exists() else None
    return Checkpoint(path=model.path, revision=revision, sha256=digest)


@functools.lru_cache(maxsize=64)
def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def position_limit(config: Any) -> int | None:
    """Most tokens that a network of this configuration can read; None where positions are relative."""
    config = getattr(config, "encoder", None) or config
    limit = getattr(config, "max_position_embeddings", None)
    if limit is None or config.model_type == "t5":
        return None
    offset = config.pad_token_id + 1 if config.model_type in COUNTED_FROM_PADDING else 0
    return int(limit) - offset


COUNTED_FROM_PADDING = frozenset({"roberta", "camembert", "xlm-roberta"})
"""Architectures whose first position is the padding token's number plus one."""


def load_tokenizer(model: Model, revision: str | None) -> Any:
    """The model's fast tokenizer, with a padding token."""
    from transformers import AutoTokenizer

    quiet()
    tokenizer = _from_place(AutoTokenizer, model, revision)
    if not tokenizer.is_fast:
        raise UnsupportedError(f"model {model.name!r} has no fast tokenizer: character offsets cannot be had from it")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_backbone(model: Model, revision: str | None, *, pretrained: bool, decoder: bool = False) -> nn.Module:
    """What makes hidden states of a text: the whole body without its pooler.

    Of an encoder-decoder the encoder alone, unless its `decoder` is to read as well.
    """
    body = load_body(model, revision, pretrained=pretrained)
    if model.family is Family.ENCODER_DECODER and not decoder:
        body = body.get_encoder()
    if getattr(body, "pooler", None) is not None:
        body.pooler = None  # our heads read hidden states: a pooler would be counted and never trained
    return cast(nn.Module, body)


def load_body(model: Model, revision: str | None, *, pretrained: bool = True) -> Any:
    """The whole network below any head; of an encoder-decoder both stacks."""
    from transformers import AutoModel

    quiet()
    return _load(AutoModel, model, revision, pretrained)[0]


def load_masked(model: Model, revision: str | None) -> nn.Module:
    """An encoder with the projection by which it guesses masked words.

    Raises UnsupportedError where the checkpoint has none.
    """
    from transformers import AutoModelForMaskedLM

    quiet()
    network, missing = _load(AutoModelForMaskedLM, model, revision, pretrained=True)
    if missing:
        raise UnsupportedError(
            f"the checkpoint of {model.name!r} has no head that guesses masked words (it lacks {sorted(missing)[0]}), "
            "so label words cannot be scored"
        )
    return cast(nn.Module, network)


def load_generator(
    model: Model, revision: str | None, tokenizer: Any, *, pretrained: bool
) -> tuple[nn.Module, set[str]]:
    """A network that writes text, with the names of its parameters that the checkpoint does not contain."""
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    quiet()
    if model.family is Family.ENCODER and not _is_joint(model, revision):
        return _two_encoders(model, revision, tokenizer, pretrained=pretrained)
    auto = AutoModelForCausalLM if model.family is Family.DECODER else AutoModelForSeq2SeqLM
    network, missing = _load(auto, model, revision, pretrained)
    if model.family is Family.ENCODER:  # two encoders in one checkpoint: as below, no answer is read off a pooler
        network.encoder.pooler = None
        missing = {name for name in missing if not name.startswith("encoder.pooler.")}
    if network.config.pad_token_id is None:
        network.config.pad_token_id = tokenizer.pad_token_id
    network.generation_config.pad_token_id = tokenizer.pad_token_id
    return network, missing


def load_language_model(model: Model, revision: str | None) -> nn.Module:
    """The network with its pretraining head: of masked words, of next tokens, or from text to text.

    Raises UnsupportedError for an encoder that transformers knows no such head for.
    """
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSeq2SeqLM
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

    quiet()
    if model.family is Family.ENCODER:
        kind = _from_place(AutoConfig, model, revision).model_type
        if kind not in MODEL_FOR_MASKED_LM_MAPPING_NAMES:
            raise UnsupportedError(f"transformers has no head of masked words for model type {kind!r}")
        return cast(nn.Module, _load(AutoModelForMaskedLM, model, revision, True)[0])
    auto = AutoModelForCausalLM if model.family is Family.DECODER else AutoModelForSeq2SeqLM
    return cast(nn.Module, _load(auto, model, revision, True)[0])


def _two_encoders(
    model: Model, revision: str | None, tokenizer: Any, *, pretrained: bool
) -> tuple[nn.Module, set[str]]:
    """An encoder-decoder from two copies of one encoder (Rothe et al. 2020, "Leveraging Pre-trained Checkpoints").

    Cross-attention does not exist in the checkpoint: it starts as a copy of the decoder's self-attention
    (Ma et al. 2020, XLM-T), which knows how to look for related words.
    """
    from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, EncoderDecoderConfig, EncoderDecoderModel

    config = _from_place(AutoConfig, model, revision)
    if config.model_type not in TWO_ENCODERS:
        raise UnsupportedError(
            f"transformers has no decoder for model type {config.model_type!r}: an encoder-decoder of two copies of "
            f"{model.name!r} cannot be built (it can for {', '.join(sorted(TWO_ENCODERS))})"
        )
    encoder = _load(AutoModel, model, revision, pretrained)[0]
    encoder.pooler = None
    decoder, missing = _load(
        AutoModelForCausalLM, model, revision, pretrained, is_decoder=True, add_cross_attention=True
    )
    joint = EncoderDecoderConfig.from_encoder_decoder_configs(encoder.config, decoder.config)
    joint.decoder_start_token_id = tokenizer.cls_token_id
    joint.pad_token_id, joint.eos_token_id = tokenizer.pad_token_id, tokenizer.sep_token_id
    network = EncoderDecoderModel(config=joint, encoder=encoder, decoder=decoder)
    for part in (network.generation_config, network.decoder.generation_config):
        part.decoder_start_token_id, part.bos_token_id = tokenizer.cls_token_id, tokenizer.cls_token_id
        part.eos_token_id, part.pad_token_id = tokenizer.sep_token_id, tokenizer.pad_token_id
    if pretrained:
        _copy_self_attention(network.decoder)
    return network, {f"decoder.{name}" for name in missing}


def _is_joint(model: Model, revision: str | None) -> bool:
    """Whether the checkpoint already is an encoder-decoder of two encoders: one that was merged and exported."""
    from transformers import AutoConfig

    return bool(_from_place(AutoConfig, model, revision).model_type == "encoder-decoder")


TWO_ENCODERS = frozenset({"bert", "roberta", "electra", "camembert", "xlm-roberta"})
"""Encoders that transformers can run as a decoder with cross-attention."""


def _copy_self_attention(decoder: nn.Module) -> None:
    for name, module in decoder.named_modules():
        if name.endswith(".crossattention"):
            twin = decoder.get_submodule(name.removesuffix("crossattention") + "attention")
            module.load_state_dict(twin.state_dict())


def _load(auto: Any, model: Model, revision: str | None, pretrained: bool, **changes: Any) -> tuple[Any, set[str]]:
    """A network of the `auto` class in float32, and which of its parameters the checkpoint lacks."""
    from transformers import AutoConfig

    attention = pick_attention()
    if not pretrained:
        config = _from_place(AutoConfig, model, revision)
        for name, value in changes.items():
            setattr(config, name, value)
        return auto.from_config(config, attn_implementation=attention).float(), set()
    network, report = _from_place(
        auto,
        model,
        revision,
        dtype=torch.float32,
        attn_implementation=attention,
        use_safetensors=None if model.pickled else True,
        weights_only=True,
        output_loading_info=True,
        **changes,
    )
    return network, set(report["missing_keys"])


def _from_place(auto: Any, model: Model, revision: str | None, **options: Any) -> Any:
    """`auto.from_pretrained` of a directory on this machine, with an error that says what to do."""
    directory = place(model, revision)
    try:
        return auto.from_pretrained(str(directory), trust_remote_code=False, **options)
    except (OSError, ValueError, UnpicklingError) as error:
        raise UnavailableError(
            f"model {model.name!r}: {auto.__name__} cannot load {model.path!r}"
            f"{f' at revision {revision}' if revision else ''}: {str(error).splitlines()[0]} "
            f"Check {directory}, or take a bundled model such as bert-mini."
        ) from error
