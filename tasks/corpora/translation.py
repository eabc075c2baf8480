"""Translation from English to Spanish: a small world of people, animals, things and places.

A row is `{"source": "the boy sees the red house.", "target": "el niño ve la casa roja.", "phenomena": [...]}`. One
grammar (`translation_grammar`) builds both sides together, so each source has exactly one target. `phenomena` names
what the row probes:

- `agreement`: a Spanish adjective or participle that differs from its masculine singular;
- `word_order`: adjectives after the noun, "the aunt's dog", object pronouns, "to like";
- `negation`, `question`; `long`: nine English words or more;
- `unseen_word`: a noun, verb or adjective that the training split never shows;
- `unseen_combination`: training words in a pair (adjective and noun, verb and object) that training never shows;
- `plain`: none of these.

`texts` holds phrasebooks and stories of the same world. A sentence is either for labelled rows or for texts, decided by
its Spanish words alone (`is_for_rows`), so no text repeats either side of a row, whatever the seeds.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from tasks.corpora import draw
from tasks.corpora import translation_words as words
from tasks.corpora.draw import Corpus, Row
from tasks.corpora.translation_grammar import Pair, Phrase
from tasks.corpora.translation_lexicon import Lexicon, whole_lexicon
from tasks.corpora.translation_sentences import Drawer
from tasks.corpora.translation_texts import documents

__all__ = ["PHENOMENA", "corpus", "held_out_lemmas", "held_out_pairs", "is_for_rows", "texts"]

SIZES = {"train": 1500, "validation": 300, "test": 600}
PHENOMENA = (
    "agreement",
    "word_order",
    "negation",
    "question",
    "unseen_word",
    "unseen_combination",
    "long",
    "plain",
)
COMMON = ("have", "go")
"""Verbs that the grammar itself needs ("has to see", "is going to see"), so that none can be held out."""

JOINTS = re.compile(rf" (?:{'|'.join(words.CONJUNCTIONS.values())}) |^(?:{'|'.join(words.LINKS.values())}) ")
"""Where one clause ends and another starts; at the start of a sentence, what links it to the one before."""

UNSEEN_SHARE = 0.6
"""The share of validation and test rows with at least one word that training never shows."""


def corpus(seed: int = 0) -> Corpus:
    """The labelled rows by split."""
    return _Splits(seed).rows()


def texts(seed: int = 0) -> Iterator[str]:
    """An endless stream of phrasebook pages (about two thirds) and stories in English or in Spanish."""
    rng = draw.generator("translation", "texts", seed)
    return documents(rng, lambda phrase: not any(map(is_for_rows, _clauses(phrase.spanish))))


def is_for_rows(spanish: str) -> bool:
    """Whether a sentence is kept for labelled rows; a third of all are. Punctuation does not matter."""
    return zlib.crc32(spanish.strip("¿?.").encode()) % 3 == 0


def _clauses(spanish: str) -> list[str]:
    """The sentence and the clauses in it, each of which could be a row of its own."""
    return [spanish, *(part for part in JOINTS.split(spanish) if part)]


def held_out_lemmas(seed: int = 0) -> dict[str, list[str]]:
    """The English lemmas by the split in which they are first met: 60% train, 10% validation, 30% test."""
    lexicon = whole_lexicon()
    rng = draw.generator("translation", "lemmas", seed)
    # one English word, one fate: "open" and "closed" are adjectives and forms of verbs, "look" has two prepositions
    shared = {form: verb.lemma.split()[0] for verb in lexicon.verbs for form in (verb.base, *verb.forms())}
    verbs = list(dict.fromkeys(shared[verb.base] for verb in lexicon.verbs if verb.lemma not in COMMON))
    adjectives = [adjective.lemma for adjective in lexicon.adjectives if adjective.lemma not in shared]
    groups = [verbs, adjectives, *([noun.lemma for noun in nouns] for nouns in lexicon.kinds.values())]
    parts = [draw.hold_out(group, rng, validation=0.1, test=0.3) for group in groups]
    fates = {word: split for part in parts for split in draw.SPLITS for word in part[split]}
    lemmas: dict[str, list[str]] = {split: [] for split in draw.SPLITS}
    for lemma in lexicon.lemmas():
        lemmas[fates.get(shared.get(lemma, lemma), "train")].append(lemma)
    return lemmas


def held_out_pairs(lexicon: Lexicon, seed: int = 0) -> dict[str, list[Pair]]:
    """The pairs of `lexicon`'s words that go together, by the split in which they are first met."""
    described = [(a.lemma, n.lemma) for n in lexicon.nouns for a in lexicon.described[n.english]]
    objects = [(v.lemma, n.lemma) for v in lexicon.verbs for n in lexicon.objects[v.base]]
    rng = draw.generator("translation", "pairs", seed)
    return draw.hold_out([*described, *objects], rng, validation=0.1, test=0.2)


class _Splits:
    """Draws the rows of each split from the words and pairs that the split may show."""

    def __init__(self, seed: int) -> None:
        self.rng = draw.generator("translation", "rows", seed)
        lemmas = held_out_lemmas(seed)
        known = whole_lexicon().restrict(lemmas["train"])
        pairs = held_out_pairs(known, seed)
        self.new_lemmas = {split: frozenset(lemmas[split] if split != "train" else ()) for split in draw.SPLITS}
        self.new_pairs = {split: frozenset(pairs[split] if split != "train" else ()) for split in draw.SPLITS}
        self.known = Drawer(known, self.rng)
        self.wider = {
            split: Drawer(whole_lexicon().restrict([*lemmas["train"], *lemmas[split]]), self.rng)
            for split in ("validation", "test")
        }

    def rows(self) -> Corpus:
        return draw.draw_splits(self._row, SIZES, lambda row: row["source"])

    def _row(self, split: str) -> Row:
        unseen = split != "train" and self.rng.random() < UNSEEN_SHARE
        drawer = self.wider[split] if unseen else self.known
        while True:
            sentence = drawer.sentence()
            if unseen and self.new_lemmas[split].isdisjoint(sentence.lemmas):
                continue
            if self._fits(sentence, split):
                phenomena = _phenomena(sentence, unseen, not self.new_pairs[split].isdisjoint(sentence.pairs))
                return {"source": sentence.english, "target": sentence.spanish, "phenomena": phenomena}

    def _fits(self, sentence: Phrase, split: str) -> bool:
        """Whether length, side and pairs let this sentence into the split."""
        if not 4 <= sentence.english.count(" ") + 1 <= 11 or not is_for_rows(sentence.spanish):
            return False
        return all(
            self.new_pairs[other].isdisjoint(sentence.pairs) for other in ("validation", "test") if other != split
        )


def _phenomena(sentence: Phrase, unseen_word: bool, unseen_pair: bool) -> list[str]:
    found = {*sentence.tags}
    found |= {"unseen_word"} if unseen_word else set()
    found |= {"unseen_combination"} if unseen_pair else set()
    found |= {"long"} if sentence.english.count(" ") >= 8 else set()
    return [name for name in PHENOMENA if name in found] or ["plain"]
