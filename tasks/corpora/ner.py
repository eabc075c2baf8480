"""Sentences with invented names of people, places, firms and products, tagged token by token.

A row is `{"tokens": ["the", "train", "to", "new", "kilpar", ...], "tags": ["O", "O", "O", "B-LOC", "I-LOC", ...],
"phenomena": [...]}` with IOB2 tags of the types PER, LOC, ORG and PROD. All is in lower case. In half of the rows the
sentence tells the type ("the train to kilpar"); in the others it does not ("we all talked about kilpar"), and one has
to know the name, which `texts` introduces again and again. An ambiguous name (a person here, a place or a firm there)
stands only in sentences that tell.

A pair of name and sentence pattern belongs either to the labelled rows or to `texts`, so no document can repeat a row,
whatever the seeds.
"""

from __future__ import annotations

import itertools
import random
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tasks.corpora.draw import Corpus, Row, draw_splits, generator, hold_out
from tasks.corpora.ner_words import (
    AMBIGUOUS,
    BARE,
    CLOSERS,
    FILLERS,
    FIRM_AFTER,
    FOLLOWS,
    GROUPS,
    INTROS,
    JOINERS,
    KIND,
    LISTS,
    OPENERS,
    PLACE_AFTER,
    PLACE_BEFORE,
    PLAIN_CLAUSES,
    PRODUCT_AFTER,
    TYPED,
)

SIZES = {"train": 1500, "validation": 300, "test": 600}
TYPES = ("PER", "LOC", "ORG", "PROD")
NAME_SLOTS = ("X", "SUR", *TYPES)
SHORTEST, LONGEST, MOST_NAMES = 6, 24, 3
UNSEEN = (True, True, True, False, False)
"""Three in five validation and test rows take all their names from those held out of the training split."""

VOWELS = ("a", "e", "i", "o")

GENERIC = {"LOC": "place", "ORG": "firm"}

TEXT_TYPES = ("PER", "PER", "LOC", "ORG", "PROD")
"""Types of the subjects of documents: people have two kinds of name, so they come twice."""

Names = Mapping[str, tuple[str, ...]]
"""The names of one pool by group."""
Mention = tuple[str, ...]
Tagged = list[tuple[str, str]]


def name_splits(seed: int = 0) -> dict[str, Names]:
    """The names that each split may call its own: half train, 10% validation only, 40% test only."""
    splits: dict[str, dict[str, tuple[str, ...]]] = {split: {} for split in SIZES}
    for group, names in GROUPS.items():
        parts = hold_out(names, generator("ner", "names", seed, group), validation=0.1, test=0.4)
        for split, part in parts.items():
            splits[split][group] = tuple(part)
    return dict(splits)


def for_rows(pattern: str, name: str) -> bool:
    """Whether only labelled rows may put `name` first into `pattern`; all other pairs are for `texts`."""
    return zlib.crc32(f"{pattern} {name}".encode()) % 4 == 0


def prose(tokens: list[str]) -> str:
    """Tokens as running text, with punctuation joined to the word before it."""
    text = " ".join(tokens)
    for mark in ",.?:;":
        text = text.replace(f" {mark}", mark)
    return text


@dataclass
class _Namer:
    """Makes mentions: names in one of the forms that their type takes."""

    rng: random.Random
    names: Names

    def one(self, group: str) -> str:
        names = self.names[group]
        return names[int(self.rng.random() * len(names))]

    def bare(self, type_: str) -> Mention:
        """A mention without any word that tells the type."""
        form = self.rng.random()
        if type_ == "PER":
            if form < 0.35:
                return (self.one("given"), self.one("surname"))
            return (self.one("given" if form < 0.70 else "surname"),)
        if type_ == "ORG":
            first, second = self.one("firm"), self.one("firm")
            return (first, second) if form < 0.15 and first != second else (first,)
        return (self.one("place" if type_ == "LOC" else "product"),)

    def full(self, type_: str) -> Mention:
        """A mention in any form: a quarter of them have words of the type ("new ...", "bank of ...")."""
        if self.rng.random() < 0.72:
            return self.bare(type_)
        return {"PER": self._person, "LOC": self._place, "ORG": self._firm, "PROD": self._product}[type_]()

    def _person(self) -> Mention:
        first, second = self.one("given"), self.one("given")
        return (first, second, self.one("surname")) if first != second else (first, self.one("surname"))

    def _place(self) -> Mention:
        name = self.one("place")
        if self.rng.random() < 0.6:
            return (self.rng.choice(PLACE_BEFORE), name)
        return (name, self.rng.choice(PLACE_AFTER))

    def _firm(self) -> Mention:
        form = self.rng.random()
        if form < 0.5:
            return (self.one("firm"), self.rng.choice(FIRM_AFTER))
        if form < 0.75:
            return (self.rng.choice(("bank", "university")), "of", self.one("place"))
        return (self.one("firm"), "and", "sons") if form < 0.9 else (self.one("firm"), "school", "of", "music")

    def _product(self) -> Mention:
        return (self.one("product"), self.rng.choice(PRODUCT_AFTER))

    def ambiguous(self, type_: str) -> Mention:
        """A mention by a name that elsewhere is of another type."""
        name = self.one(self.rng.choice(AMBIGUOUS[type_]))
        if type_ == "PER" and self.rng.random() < 0.25:
            return (self.one("given"), name)
        return (name,)


@dataclass(frozen=True)
class Subject:
    """What a document is about: how to mention it, in which slots, and what it says of it throughout."""

    type: str
    mention: Mention
    facts: Mapping[str, str]
    slots: tuple[str, ...]


@dataclass
class _Writer:
    """Fills patterns with the names of one pool, for labelled rows or for texts."""

    rng: random.Random
    namer: _Namer
    labelled: bool

    def fill(self, pattern: str, ambiguous: float = 0.0, subject: Subject | None = None) -> Tagged:
        """Fill every slot; the first that can name `subject` does."""
        tagged: Tagged = []
        for token in pattern.split():
            if token in FILLERS:
                tagged.append((self._filler(token, subject), "O"))
            elif token not in NAME_SLOTS:
                tagged.append((token, "O"))
            elif subject and token in subject.slots:
                tagged += tag(subject.type, subject.mention)
                subject = replace(subject, slots=())
            else:
                tagged += tag(*self._mention(token, ambiguous))
        return _with_articles(tagged)

    def _filler(self, slot: str, subject: Subject | None) -> str:
        if subject and slot in subject.facts:
            return subject.facts[slot]
        return self.rng.choice(FILLERS[slot])

    def _mention(self, slot: str, ambiguous: float) -> tuple[str, Mention]:
        if slot == "X":
            type_ = self.rng.choice(TYPES)
            return type_, self.namer.bare(type_)
        if slot == "SUR":
            sure = self.rng.random() >= ambiguous
            return "PER", (self.namer.one("surname") if sure else self.namer.one(self.rng.choice(AMBIGUOUS["PER"])),)
        if slot in AMBIGUOUS and self.rng.random() < ambiguous:
            return slot, self.namer.ambiguous(slot)
        return slot, self.namer.full(slot)

    def sentence(self, kind: str, subject: Subject | None = None) -> Tagged:
        """A clause with names: `bare`, `ambiguous`, or a key of TYPED; only pairs of this writer's side."""
        while True:
            key = self.rng.choice(("PER", "LOC", "ORG", "mixed")) if kind == "ambiguous" else kind
            pattern = self.rng.choice(BARE if kind == "bare" else TYPED[key])
            tagged = self.fill(pattern, 0.8 if kind == "ambiguous" else 0.0, subject)
            first = next(token for token, label in tagged if label != "O" and token not in PLACE_BEFORE)
            if for_rows(pattern, first) == self.labelled and (kind != "ambiguous" or _has_ambiguous(tagged)):
                return tagged

    def plain(self, patterns: tuple[str, ...]) -> Tagged:
        return self.fill(self.rng.choice(patterns))


_AMBIGUOUS_NAMES = frozenset(GROUPS["person_or_place"] + GROUPS["person_or_firm"])


def _has_ambiguous(tagged: Tagged) -> bool:
    return any(token in _AMBIGUOUS_NAMES for token, _ in tagged)


def _with_articles(tagged: Tagged) -> Tagged:
    """`a` as `an` before a vowel ("u" excepted: "a used ...", "a university")."""
    following = itertools.chain((token for token, _ in tagged[1:]), ("",))
    return [
        ("an" if token == "a" and after[:1] in VOWELS else token, label)
        for (token, label), after in zip(tagged, following, strict=True)
    ]


def tag(type_: str, mention: Mention) -> Tagged:
    return [(token, f"{'I' if place else 'B'}-{type_}") for place, token in enumerate(mention)]


def _row(writer: _Writer, family: str) -> Tagged:
    """A whole sentence: one clause with names, often an opener, a closer, or a second clause."""
    rng = writer.rng
    tagged = writer.plain(OPENERS) if rng.random() < 0.3 else []
    tagged = tagged + writer.sentence(_kind(rng, family))
    form = rng.random()
    if form < 0.15:
        tagged += writer.plain(CLOSERS)
    elif form < 0.65:
        tagged += [(token, "O") for token in rng.choice(JOINERS).split()]
        tagged += writer.plain(PLAIN_CLAUSES) if rng.random() < 0.6 else writer.sentence(_kind(rng, family))
    return [*tagged, (".", "O")]


_TYPED_KINDS = ("PER", "LOC", "LOC", "ORG", "ORG", "PROD", "PROD", "mixed", "mixed", "adjacent", "adjacent")


def _kind(rng: random.Random, family: str) -> str:
    if family == "bare":
        return "bare"
    return "ambiguous" if rng.random() < 0.3 else rng.choice(_TYPED_KINDS)


def _phenomena(tagged: Tagged, family: str, unseen: bool) -> list[str]:
    labels = [label for _, label in tagged]
    facts = {
        "bare_context" if family == "bare" else "telling_context": True,
        "unseen_name" if unseen else "known_name": True,
        "ambiguous_name": _has_ambiguous(tagged),
        "adjacent_names": any(a != "O" and b[0] == "B" for a, b in itertools.pairwise(labels)),
        "long_name": any(a[0] == b[0] == "I" for a, b in itertools.pairwise(labels)),
    }
    return [name for name, true in facts.items() if true]


def _fits(tagged: Tagged) -> bool:
    names = [token for token, label in tagged if label[0] == "B"]
    return SHORTEST <= len(tagged) <= LONGEST and len(set(names)) == len(names) <= MOST_NAMES


def corpus(seed: int = 0) -> Corpus:
    """1,500 training, 300 validation and 600 test rows."""
    names = name_splits(seed)
    rng = generator("ner", "rows", seed)
    held_out, families = itertools.cycle(UNSEEN), itertools.cycle(("bare", "telling"))

    def draw(split: str) -> Row:
        unseen = split != "train" and next(held_out)
        family = next(families)
        writer = _Writer(rng, _Namer(rng, names[split if unseen else "train"]), labelled=True)
        tagged = _row(writer, family)
        while not _fits(tagged):
            tagged = _row(writer, family)
        tokens, tags = [token for token, _ in tagged], [label for _, label in tagged]
        return {"tokens": tokens, "tags": tags, "phenomena": _phenomena(tagged, family, unseen)}

    return draw_splits(draw, SIZES, identity=lambda row: " ".join(row["tokens"]))


def texts(seed: int = 0) -> Iterator[str]:
    """Notes that say of every name of the world what it is, and mention it bare before or after."""
    rng = generator("ner", "texts", seed)
    writer = _Writer(rng, _Namer(rng, GROUPS), labelled=False)
    while True:
        tokens: list[str] = []
        while len(tokens) < 28:
            piece = rng.choices((_profile, _list, _news), cum_weights=(75, 87, 100))[0]
            tokens += piece(writer)
        yield prose(tokens)


def _words(tagged: Tagged) -> list[str]:
    return [token for token, _ in tagged]


def _profile(writer: _Writer) -> list[str]:
    """A name with what it is and one to three more mentions of it, in any order."""
    rng = writer.rng
    subject = _subject(writer)
    intro = rng.choice(INTROS[subject.type]).replace("X", " ".join(subject.mention))
    sentences = [_words(writer.fill(intro, subject=replace(subject, slots=())))]
    for _ in range(rng.choice((1, 1, 2, 2, 3))):
        sentence = _again(writer, replace(subject, mention=_short(rng, subject.mention)))
        if sentence not in sentences:
            sentences.append(sentence)
    if rng.random() < 0.5:
        sentences.reverse()
    return list(itertools.chain.from_iterable(sentences))


def _subject(writer: _Writer) -> Subject:
    rng, namer = writer.rng, writer.namer
    type_ = rng.choice(TEXT_TYPES)
    ambiguous = type_ in AMBIGUOUS and rng.random() < 0.12
    mention = namer.ambiguous(type_) if ambiguous else namer.full(type_)
    kind = KIND[type_]
    facts = {kind: rng.choice(FILLERS[kind])}
    if type_ in GENERIC and any(token not in _ALL_NAMES for token in mention):
        # "lake kilpar is a village" would be wrong, so a name that says what it is takes a general word
        facts[kind] = GENERIC[type_]
    facts["HE"], facts["HIS"] = rng.choice((("he", "his"), ("she", "her")))
    return Subject(type_, mention, facts, slots=("X", type_))


def _again(writer: _Writer, subject: Subject) -> list[str]:
    """Another mention: mostly in a sentence that does not tell the type, some with a sequel that does."""
    rng = writer.rng
    kind = "bare" if rng.random() < 0.65 else subject.type
    tokens = [*_words(writer.sentence(kind, subject)), "."]
    if kind == "bare" and rng.random() < 0.45:
        tokens += _words(writer.fill(rng.choice(FOLLOWS[subject.type]), subject=replace(subject, slots=())))
    return tokens


def _short(rng: random.Random, full: Mention) -> Mention:
    """The mention again as it is, or cut to one of its names ("bank of kilpar" cannot be cut)."""
    if len(full) == 1 or "of" in full[:2] or rng.random() < 0.3:
        return full
    return (rng.choice([token for token in full if token in _ALL_NAMES]),)


_ALL_NAMES = frozenset(itertools.chain.from_iterable(GROUPS.values()))


def _list(writer: _Writer) -> list[str]:
    """A line of names of one type."""
    rng = writer.rng
    type_ = rng.choice(TEXT_TYPES)
    tokens = _words(writer.fill(rng.choice(LISTS[type_])))
    first, second, third, last = (list(writer.namer.full(type_)) for _ in range(4))
    return [*tokens, *first, ",", *second, ",", *third, "and", *last, "."]


def _news(writer: _Writer) -> list[str]:
    """Two sentences that tell the types of their names."""
    kinds = (*_TYPED_KINDS, "ambiguous", "ambiguous")
    return [*_words(writer.sentence(writer.rng.choice(kinds))), ".", *_words(writer.sentence("mixed")), "."]
