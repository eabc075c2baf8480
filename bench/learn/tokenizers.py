"""The tokenizers of the bundled mini models, trained on plain documents.

Knows the conventions of the three families; knows nothing of where documents come from or of the networks.
"""

from __future__ import annotations

import math
import string
from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from bench.spec import Family

LATIN = "áéíóúüñàèìòùâêîôûäöëïçãõåøæœß¿¡°·«»€£"
DASHES_AND_QUOTES = "\u2013\u2014\u2018\u2019\u201c\u201d\u2026"
ALPHABET = sorted(set(string.printable.strip() + LATIN + DASHES_AND_QUOTES))
"""Characters that every tokenizer knows, so that words it never saw fall into letters and not into `unknown`."""

SENTINELS = 32
_WORD = "▁"
"""Marks the start of a word while pieces are sought, as SentencePiece does."""
SEPARATOR = "<|sep|>"


def train_tokenizer(family: Family, documents: Iterable[str], vocabulary: int, longest: int) -> Any:
    """A fast tokenizer with at most `vocabulary` entries; `longest` (tokens) is the longest input of its model.

    BERT's is WordPiece over lower-case text (accents kept: the corpora have Spanish), GPT-2's byte-level BPE, T5's
    a unigram model (Kudo 2018) with `SENTINELS` sentinels.
    """
    make = {Family.ENCODER: _wordpiece, Family.DECODER: _byte_pairs, Family.ENCODER_DECODER: _unigram}[family]
    tokenizer, options = make(documents, vocabulary)
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=longest, clean_up_tokenization_spaces=False, **options
    )


def _wordpiece(documents: Iterable[str], vocabulary: int) -> tuple[Tokenizer, dict[str, Any]]:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=False)
    words = pre_tokenizers.BertPreTokenizer()
    pieces = _word_pieces(documents, normalizer, words, vocabulary - len(special))
    entries = {piece: number for number, piece in enumerate(special + pieces)}
    tokenizer = Tokenizer(models.WordPiece(entries, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, words
    tokenizer.add_special_tokens(special)
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")],
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), special, strict=True))
    return tokenizer, names | {"model_input_names": ["input_ids", "token_type_ids", "attention_mask"]}


def _word_pieces(documents: Iterable[str], normalizer: Any, words: Any, size: int) -> list[str]:
    """At most `size` WordPiece entries: single characters, then what byte-pair merges find, most frequent first.

    `trainers.WordPieceTrainer` numbers its continuations in the order of a hash map: each process makes another one.
    """
    pairs = Tokenizer(models.BPE())
    pairs.normalizer = normalizer
    marked = pre_tokenizers.Metaspace(replacement=_WORD, prepend_scheme="always", split=False)
    pairs.pre_tokenizer = pre_tokenizers.Sequence([words, marked])
    letters = sorted({letter.lower() for letter in ALPHABET})
    singles = letters + [f"##{letter}" for letter in letters if letter.isalnum()]
    _train_pairs(pairs, documents, size, letters)
    merged = [token[1:] if token[0] == _WORD else f"##{token}" for token in _in_order(pairs) if token != _WORD]
    return list(dict.fromkeys(singles + merged))[:size]


def _train_pairs(tokenizer: Tokenizer, documents: Iterable[str], size: int, letters: list[str]) -> None:
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=[_WORD, *letters], show_progress=False)
    tokenizer.train_from_iterator(documents, trainer)


def _in_order(tokenizer: Tokenizer) -> list[str]:
    return sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)


def _byte_pairs(documents: Iterable[str], vocabulary: int) -> tuple[Tokenizer, dict[str, Any]]:
    end, pad = "<|endoftext|>", "<|pad|>"
    tokenizer = Tokenizer(models.BPE())
    # A space before the first word: then a word is the same token wherever it stands, also in a list of words.
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[end, pad, SEPARATOR],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    names = {"bos_token": end, "eos_token": end, "unk_token": end, "pad_token": pad, "sep_token": SEPARATOR}
    return tokenizer, names | {"add_prefix_space": True, "model_input_names": ["input_ids", "attention_mask"]}


def _unigram(documents: Iterable[str], vocabulary: int) -> tuple[Tokenizer, dict[str, Any]]:
    special = ["<pad>", "</s>", "<unk>"]
    sentinels = [f"<extra_id_{number}>" for number in range(SENTINELS)]
    documents = list(documents)
    pieces = _pieces_by_use(documents, vocabulary - len(special) - SENTINELS)
    tokenizer = _metaspace(Tokenizer(models.Unigram([(token, 0.0) for token in special] + pieces, unk_id=2)))
    tokenizer.add_special_tokens(special + sentinels)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", tokenizer.token_to_id("</s>"))]
    )
    names: dict[str, Any] = dict(zip(("pad_token", "eos_token", "unk_token"), special, strict=True))
    return tokenizer, names | {
        "extra_special_tokens": sentinels,
        "model_input_names": ["input_ids", "attention_mask"],
    }


def _pieces_by_use(documents: list[str], size: int) -> list[tuple[str, float]]:
    """Pieces that byte-pair merges find, with the logarithm of their share in the documents.

    `trainers.UnigramTrainer` seeds its pieces from a list of distinct words, so a word without relatives is never one
    piece, however frequent: on these corpora it needs twice as many tokens.
    """
    pairs = _metaspace(Tokenizer(models.BPE()))
    _train_pairs(pairs, documents, size, ALPHABET)
    used: Counter[str] = Counter()
    for start in range(0, len(documents), 1000):
        used.update(chain.from_iterable(line.tokens for line in pairs.encode_batch(documents[start : start + 1000])))
    return [(piece, math.log((used[piece] or 0.1) / used.total())) for piece in _in_order(pairs)]


def _metaspace(tokenizer: Tokenizer) -> Tokenizer:
    tokenizer.normalizer = normalizers.NFKC()
    # Words and punctuation apart, as SentencePiece keeps them: else pieces such as "lovely," eat up the vocabulary.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Metaspace(replacement=_WORD, prepend_scheme="always", split=True),
            pre_tokenizers.Punctuation(),
        ]
    )
    tokenizer.decoder = decoders.Metaspace(replacement=_WORD, prepend_scheme="always", split=True)
    return tokenizer
