"""How each bundled mini model is made: shape, objective and schedule as a `Recipe`, and the network it describes.

Knows nothing of texts, files or the training loop.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch

from bench.spec import Family

WORLDS = ("sentiment", "ner", "qa", "summarization", "translation")
"""The modules of `tasks.corpora` whose `texts` are read, each for an equal share of the tokens."""


@dataclass(frozen=True)
class Recipe:
    """Everything that the weights of one mini model depend on, apart from the texts and the versions of libraries.

    `layers` are those of the encoder and, for an encoder-decoder, of the decoder too. `length` is where documents are
    cut (tokens), `positions` how long an input the finished model takes. `batch_tokens` counts padding. `mask_share`
    is the share of tokens to predict (encoder: in whole words; encoder-decoder: in spans of `span` tokens on average).
    `decay_to` is the last learning rate as a share of `peak_rate`; with `relative_rates`, each tensor has its own
    rate: that one times the root mean square of its first weights. With a `matrix_rate`, Muon updates the matrices
    inside the layers at that peak rate with the weight decay `matrix_decay`, and AdamW the rest (0: AdamW updates
    all). Without decay matrices grow, and what they make is hard to fine-tune. `dropout` acts while pretraining; the
    finished configuration says `tuning_dropout`. Every `contrast_every`th step matches halves of documents instead of
    predicting tokens (0: none); every `onward_every`th of the others reads on from left to right (see
    `objectives.make_batch`; 0: none). `init` is the standard deviation of the first weights where the architecture
    leaves it open: transformers' 0.02 suits a width of 768; here it is scaled by the square root of the widths' ratio.
    `position_scale` makes an encoder's first position embeddings sinusoids of that amplitude (0: random).
    `chunk_tokens` is how much text is drawn, tokenized and sorted at a time.
    """

    name: str
    family: Family
    layers: int = 3
    hidden: int = 128
    heads: int = 4
    feed_forward: int = 512
    positions: int = 256
    vocabulary: int = 4096
    tokenizer_documents: int = 60_000
    length: int = 128
    steps: int = 8000
    batch_tokens: int = 2048
    peak_rate: float = 2e-3
    warmup: int = 300
    decay_to: float = 0.02
    relative_rates: bool = False
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.98)
    clip: float = 1.0
    mask_share: float = 0.15
    span: float = 3.0
    dropout: float = 0.0
    tuning_dropout: float = 0.0
    precision: str = "bfloat16"
    chunk_tokens: int = 1_000_000
    worlds: tuple[str, ...] = WORLDS
    held_out_documents: int = 200
    checkpoint_every: int = 500
    seed: int = 0
    init: float = 0.05
    contrast_every: int = 4
    onward_every: int = 0
    matrix_rate: float = 0.0
    matrix_decay: float = 0.0
    position_scale: float = 0.0

    def rate(self, step: int) -> float:
        """Learning rate of `step` (from 0): linear warmup, then linear decay to `decay_to` times the peak."""
        if step < self.warmup:
            return self.peak_rate * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.peak_rate * (1 - (1 - self.decay_to) * done)


RECIPES: dict[str, Recipe] = {
    "bert-mini": Recipe(
        "bert-mini",
        Family.ENCODER,
        steps=4500,
        mask_share=0.25,
        matrix_rate=4e-3,
        matrix_decay=0.1,
        position_scale=0.1,
    ),
    "gpt2-mini": Recipe("gpt2-mini", Family.DECODER, steps=4500),
    # T5 starts with weights of very different sizes (embeddings 1, queries 1/64): one rate for all fits none of them.
    "t5-mini": Recipe(
        "t5-mini",
        Family.ENCODER_DECODER,
        steps=8500,
        mask_share=0.25,
        peak_rate=2e-2,
        relative_rates=True,
        weight_decay=0.0,
        contrast_every=8,
        onward_every=2,
        matrix_rate=4e-3,
    ),
}
"""The recipes of the bundled checkpoints by model name."""


def build_network(recipe: Recipe, tokenizer: Any) -> Any:
    """The network of `recipe` with random weights drawn from its seed; `tokenizer` gives size and special tokens."""
    torch.manual_seed(recipe.seed)
    return _BUILDERS[recipe.family](recipe, tokenizer)


def _bert(recipe: Recipe, tokenizer: Any) -> Any:
    from transformers import BertConfig, BertForMaskedLM

    network = BertForMaskedLM(
        BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=recipe.hidden,
            num_hidden_layers=recipe.layers,
            num_attention_heads=recipe.heads,
            intermediate_size=recipe.feed_forward,
            max_position_embeddings=recipe.positions,
            hidden_dropout_prob=recipe.dropout,
            attention_probs_dropout_prob=recipe.dropout,
            pad_token_id=tokenizer.pad_token_id,
            initializer_range=recipe.init,
            attn_implementation="eager",
        )
    )
    if recipe.position_scale:
        table = network.bert.embeddings.position_embeddings.weight
        with torch.no_grad():
            table.copy_(recipe.position_scale * sinusoids(*table.shape))
    return network


def sinusoids(positions: int, width: int) -> torch.Tensor:
    """(positions, width): sines and cosines of geometrically falling frequencies (Vaswani et al. 2017).

    A step to the left or right is the same rotation everywhere, which lets attention find neighbours at once.
    """
    frequencies = torch.exp(-math.log(10_000) * torch.arange(0, width, 2) / width)
    angles = torch.arange(positions)[:, None] * frequencies
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


def _gpt2(recipe: Recipe, tokenizer: Any) -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=len(tokenizer),
            n_embd=recipe.hidden,
            n_layer=recipe.layers,
            n_head=recipe.heads,
            n_inner=recipe.feed_forward,
            n_positions=recipe.positions,
            resid_pdrop=recipe.dropout,
            embd_pdrop=recipe.dropout,
            attn_pdrop=recipe.dropout,
            activation_function="gelu_pytorch_tanh",  # the formula of GPT-2's gelu_new, in one kernel
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            initializer_range=recipe.init,
            attn_implementation="eager",
        )
    )


def _t5(recipe: Recipe, tokenizer: Any) -> Any:
    from transformers import T5Config, T5ForConditionalGeneration

    return T5ForConditionalGeneration(
        T5Config(
            vocab_size=len(tokenizer),
            d_model=recipe.hidden,
            d_kv=recipe.hidden // recipe.heads,
            d_ff=recipe.feed_forward,
            num_layers=recipe.layers,
            num_decoder_layers=recipe.layers,
            num_heads=recipe.heads,
            dropout_rate=recipe.dropout,
            feed_forward_proj="relu",
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            decoder_start_token_id=tokenizer.pad_token_id,
            attn_implementation="eager",
        )
    )


_BUILDERS = {Family.ENCODER: _bert, Family.DECODER: _gpt2, Family.ENCODER_DECODER: _t5}

_DROPOUTS = {
    Family.ENCODER: ("hidden_dropout_prob", "attention_probs_dropout_prob"),
    Family.DECODER: ("resid_pdrop", "embd_pdrop", "attn_pdrop"),
    Family.ENCODER_DECODER: ("dropout_rate", "classifier_dropout"),
}


def set_tuning_dropout(network: Any, recipe: Recipe) -> None:
    """Write the dropout for fine-tuning into the configuration of `network` (its modules keep what they have)."""
    for name in _DROPOUTS[recipe.family]:
        setattr(network.config, name, recipe.tuning_dropout)
