"""Plain documents from several worlds into batches of token numbers, in an order that a chunk's number decides.

Knows nothing of objectives or networks. Text comes in chunks: chunk k reads every world's stream anew from a seed of
its own, so any place in the text is reached again by drawing one chunk.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np

from bench.learn.recipes import Recipe
from bench.spec import Family

Texts = Callable[[int], Iterator[str]]
"""From a seed to an endless stream of documents."""

Batches = list[list[list[int]]]
"""Batches of documents of token numbers."""

_SEEDS_A_RECIPE = 1_000_000
_HELD_OUT, _TOKENIZER = 900_000, 900_001
_POOL = 1024
_SLICE = 256


@dataclass(frozen=True)
class Place:
    """The next batch to train on: `batch` of chunk `chunk`, both from 0."""

    chunk: int = 0
    batch: int = 0


def world_texts(worlds: tuple[str, ...]) -> dict[str, Texts]:
    """The `texts` of the named modules of `tasks.corpora`."""
    return {world: importlib.import_module(f"tasks.corpora.{world}").texts for world in worlds}


def text_seeds(recipe: Recipe, chunks: int) -> dict[str, int]:
    """The seeds of the worlds' streams: of the tokenizer, of the held-out documents, first and last of training."""
    base = recipe.seed * _SEEDS_A_RECIPE
    return {
        "tokenizer": base + _TOKENIZER,
        "held_out": base + _HELD_OUT,
        "training_first": base,
        "training_last": base + chunks - 1,
    }


def tokenizer_documents(recipe: Recipe, streams: Mapping[str, Texts]) -> Iterator[str]:
    """The documents that the tokenizer is trained on, the worlds in turn."""
    seed = text_seeds(recipe, 1)["tokenizer"]
    turns = zip(*(texts(seed) for texts in streams.values()), strict=True)
    return islice(chain.from_iterable(turns), recipe.tokenizer_documents)


def held_out(recipe: Recipe, streams: Mapping[str, Texts], tokenizer: Any) -> dict[str, list[list[int]]]:
    """Documents by world that no step trains on (other than by a chance repetition in the world's own stream)."""
    seed = text_seeds(recipe, 1)["held_out"]
    return {
        world: encode(recipe, tokenizer, list(islice(texts(seed), recipe.held_out_documents)))
        for world, texts in streams.items()
    }


def encode(recipe: Recipe, tokenizer: Any, documents: list[str]) -> list[list[int]]:
    """Token numbers of each document, cut at `recipe.length`, with the ends that its family's objective expects."""
    encoder = recipe.family is Family.ENCODER
    room = recipe.length if encoder else recipe.length - 1
    found = tokenizer(
        documents,
        add_special_tokens=encoder,
        truncation=True,
        max_length=room,
        return_attention_mask=False,
        return_token_type_ids=False,
    )["input_ids"]
    if recipe.family is Family.DECODER:
        found = [[*ids, tokenizer.eos_token_id] for ids in found]
    return [ids for ids in found if len(ids) > 2]


def batches_from(
    place: Place, recipe: Recipe, streams: Mapping[str, Texts], tokenizer: Any
) -> Iterator[tuple[Place, list[list[int]]]]:
    """Endless batches from `place` on, each with the place after it."""
    while True:
        found = chunk(place.chunk, recipe, streams, tokenizer)
        for number in range(place.batch, len(found)):
            yield Place(place.chunk, number + 1), found[number]
        place = Place(place.chunk + 1, 0)


def chunk(number: int, recipe: Recipe, streams: Mapping[str, Texts], tokenizer: Any) -> Batches:
    """The batches of one chunk: equal shares of tokens from every world, similar lengths together, in random order.

    A batch is of one world, so that matching the halves of its documents is not settled by the world they come from.
    """
    rng = np.random.default_rng([recipe.seed, number])
    seed = text_seeds(recipe, 1)["training_first"] + number
    share = recipe.chunk_tokens // len(streams)
    found: Batches = []
    for texts in streams.values():
        documents = _worth(share, texts(seed), recipe, tokenizer)
        mixed = [documents[i] for i in rng.permutation(len(documents))]
        for start in range(0, len(mixed), _POOL):
            found += by_length(mixed[start : start + _POOL], recipe)
    return [found[i] for i in rng.permutation(len(found))]


def _worth(tokens: int, texts: Iterator[str], recipe: Recipe, tokenizer: Any) -> list[list[int]]:
    """The first documents of a stream that have `tokens` tokens together."""
    found: list[list[int]] = []
    while tokens > 0:
        for ids in encode(recipe, tokenizer, list(islice(texts, _SLICE))):
            if tokens > 0:
                found.append(ids)
                tokens -= len(ids)
    return found


def by_length(documents: list[list[int]], recipe: Recipe) -> Batches:
    """Documents sorted by length and cut where a padded batch would exceed `recipe.batch_tokens`."""
    found: Batches = []
    batch: list[list[int]] = []
    for ids in sorted(documents, key=len):
        if batch and (len(batch) + 1) * len(ids) > recipe.batch_tokens:
            found.append(batch)
            batch = []
        batch.append(ids)
    return [*found, batch] if batch else found
