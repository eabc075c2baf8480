"""Short reviews of places, meals, films, gadgets and services, each for or against.

A row is `{"text": "although the lobby was lovely, i loathed the pool.", "label": "negative", "phenomena": [...]}`.
One rule settles every row: the last opinion in the text decides. A negator in its clause turns it round; a concession
before it ("although ...", "..., but") does not count; all other clauses agree with it or are neutral.

What may be said of which aspect is settled once: a pair of opinion word and aspect ("superb", "soup") belongs
either to the labelled rows or to `texts`, so no document can repeat a row, whatever the seeds.
"""

from __future__ import annotations

import itertools
import random
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tasks.corpora.draw import Corpus, Row, draw_splits, generator, hold_out
from tasks.corpora.sentiment_words import (
    ADJECTIVE_LINES,
    ADJECTIVES,
    ADVERBS,
    AGREEMENTS,
    ASIDES,
    CONTRASTS,
    DEGREES,
    DOINGS,
    DOMAINS,
    FRAMES,
    NOUNS,
    PLURAL,
    POLARITIES,
    PRAISE,
    SINGULAR,
    SLOTS,
    STARS,
    THESAURUS,
    VERBS,
    VERDICTS,
    past,
)

SIZES = {"train": 1500, "validation": 300, "test": 600}
SHORTEST, LONGEST = 6, 28
UNSEEN = (True, True, True, False, False)
"""Three in five validation and test rows take all their opinion words from those held out of the training split."""

KINDS = {"plain": 32, "intensifier": 16, "negation": 17, "contrast": 17, "mixed": 18}
TEXT_KINDS = {"plain": 42, "intensifier": 14, "negation": 22, "contrast": 14, "mixed": 8}
PARTS = {"adjective": 62, "noun": 14, "verb": 12, "adverb": 12}

Pool = dict[tuple[str, str, str], tuple[str, ...]]
"""Opinion words by part of speech, domain (`any` except for some adjectives) and polarity."""


def _all_words() -> Pool:
    pool: Pool = {}
    for polarity in POLARITIES:
        for domain, words in ADJECTIVES.items():
            pool["adjective", domain, polarity] = words[polarity]
        pool["noun", "any", polarity] = NOUNS[polarity]
        pool["verb", "any", polarity] = VERBS[polarity]
        pool["adverb", "any", polarity] = ADVERBS[polarity]
    return pool


def word_splits(seed: int = 0) -> dict[str, Pool]:
    """The opinion words that each split may call its own: 55% train, 12% validation only, 33% test only."""
    splits: dict[str, Pool] = {split: {} for split in SIZES}
    for key, words in _all_words().items():
        parts = hold_out(words, generator("sentiment", "words", seed, *key), validation=0.12, test=0.33)
        for split, part in parts.items():
            splits[split][key] = tuple(part)
    return splits


def opposite(polarity: str) -> str:
    return POLARITIES[1 - POLARITIES.index(polarity)]


def for_rows(word: str, aspect: str) -> bool:
    """Whether only labelled rows may say `word` of `aspect`; all other pairs are for `texts`."""
    return zlib.crc32(f"{word} {aspect}".encode()) % 4 == 0


def _with_article(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def _length(text: str) -> int:
    return text.count(" ") + 1


@dataclass(frozen=True)
class _Draw:
    """Weighted choices prepared once, since `texts` makes millions of them."""

    names: tuple[str, ...]
    edges: tuple[int, ...]

    @classmethod
    def of(cls, weights: Mapping[str, int]) -> _Draw:
        return cls(tuple(weights), tuple(itertools.accumulate(weights.values())))

    def __call__(self, rng: random.Random) -> str:
        return rng.choices(self.names, cum_weights=self.edges)[0]


_kind, _text_kind, _part = _Draw.of(KINDS), _Draw.of(TEXT_KINDS), _Draw.of(PARTS)


@dataclass
class _Writer:
    """Writes reviews with the opinion words of one pool, for labelled rows or for texts."""

    rng: random.Random
    pool: Pool
    labelled: bool

    def slots(self, template: str) -> str:
        """Fill the neutral slots."""
        if "{" not in template:
            return template
        return template.format_map({name: self.rng.choice(words) for name, words in SLOTS.items()})

    def clause(self, domain: str, stance: str, mode: str, taken: Sequence[str] = ()) -> str:
        """One clause of `stance`; `taken` are clauses whose aspect is not to be named again."""
        polarity = opposite(stance) if mode == "negated" else stance
        while True:
            part = _part(self.rng)
            frame = self.rng.choice(FRAMES[mode][part])
            word = self._word(part, domain, polarity)
            singular = part == "noun" or "{noun}" in frame or self.rng.random() < 0.7
            noun = self.rng.choice((SINGULAR if singular else PLURAL)[domain])
            if for_rows(word, noun) == self.labelled and not any(noun in clause.split() for clause in taken):
                return self._fill(frame, part, domain, word, noun, "was" if singular else "were")

    def _word(self, part: str, domain: str, polarity: str) -> str:
        general = self.pool[part, "any", polarity]
        special = self.pool[part, domain, polarity] if part == "adjective" else ()
        place = int(self.rng.random() * (len(general) + len(special)))
        return general[place] if place < len(general) else special[place - len(general)]

    def _fill(self, frame: str, part: str, domain: str, word: str, noun: str, was: str) -> str:
        doing = self.rng.choice(DOINGS[domain]) if part == "adverb" else ""
        return frame.format(
            the=f"the {noun}",
            noun=noun,
            was=was,
            word=word,
            a_word=_with_article(word),
            base=word,
            past=past(word),
            doing=doing.format(was=was),
            degree=self.rng.choice(DEGREES[part]),
            relative=self.rng.choice(SLOTS["relative"]),
        )

    def review(self, kind: str, stance: str, wordy: float) -> tuple[str, list[str]]:
        """A review and its phenomena; `wordy` is the chance of every clause that it could do without."""
        rng, domain = self.rng, self.rng.choice(DOMAINS)
        tags = [kind]
        if kind == "contrast":
            text = self._contrast(domain, stance, tags)
        else:
            text = self._agreement(domain, stance, kind, wordy)
        before = (1 if rng.random() < wordy * 0.6 else 0) if kind != "mixed" else rng.choice((1, 1, 2))
        after = (1 if rng.random() < wordy * 0.3 else 0) if kind != "mixed" else rng.choice((0, 1, 1))
        return self._wrap(domain, text, before, after), tags

    def _contrast(self, domain: str, stance: str, tags: list[str]) -> str:
        modes = self.rng.choices(("plain", "intense", "negated"), cum_weights=(75, 90, 100), k=2)
        first = self.clause(domain, opposite(stance), modes[0])
        last = self.clause(domain, stance, modes[1], taken=(first,))
        tags += [tag for mode, tag in (("intense", "intensifier"), ("negated", "negation")) if mode in modes]
        return self.rng.choice(CONTRASTS).format(a=first, b=last)

    def _agreement(self, domain: str, stance: str, kind: str, wordy: float) -> str:
        mode = {"intensifier": "intense", "negation": "negated"}.get(kind, "plain")
        clause = self.clause(domain, stance, mode)
        if kind == "mixed" or self.rng.random() >= wordy * 0.7:
            return clause
        pair = [clause, self.clause(domain, stance, "plain", taken=(clause,))]
        self.rng.shuffle(pair)
        return self.rng.choice(AGREEMENTS).format(a=pair[0], b=pair[1])

    def _wrap(self, domain: str, text: str, before: int, after: int) -> str:
        asides = [self.slots(aside) for aside in self.rng.sample(ASIDES[domain], before + after)]
        head = "".join(aside + self.rng.choice((". ", ". ", ", and ")) for aside in asides[:before])
        tail = "".join(f". {aside}" for aside in asides[before:])
        # "and although" reads badly, so a concession always opens its sentence
        if text.startswith(("although", "even", "while", "granted")) and head.endswith(", and "):
            head = head.removesuffix(", and ") + ". "
        return f"{head}{text}{tail}."


def corpus(seed: int = 0) -> Corpus:
    """1,500 training, 300 validation and 600 test rows."""
    pools = word_splits(seed)
    rng = generator("sentiment", "rows", seed)
    stances, held_out = itertools.cycle(POLARITIES), itertools.cycle(UNSEEN)

    def draw(split: str) -> Row:
        unseen = split != "train" and next(held_out)
        stance = next(stances)
        writer = _Writer(rng, pools[split if unseen else "train"], labelled=True)
        while True:
            text, tags = writer.review(_kind(rng), stance, wordy=0.5)
            if SHORTEST <= _length(text) <= LONGEST:
                tags.append("unseen_word" if unseen else "known_word")
                return {"text": text, "label": stance, "phenomena": tags}

    return draw_splits(draw, SIZES, identity=lambda row: str(row["text"]))


def texts(seed: int = 0) -> Iterator[str]:
    """Pages of reviews with their verdicts, and lines of a thesaurus; every opinion word of the world is in them."""
    rng = generator("sentiment", "texts", seed)
    writer = _Writer(rng, _all_words(), labelled=False)
    while True:
        kind = rng.random()
        if kind < 0.12:
            yield _thesaurus_lines(writer)
        elif kind < 0.5:
            yield _terse_page(writer)
        else:
            yield _page_of_one_mind(writer) if kind < 0.7 else _judged_review(writer)


def _terse_page(writer: _Writer) -> str:
    """Notes of one stance in as few words as can be: "lovely rooms, superb view, adored the cook. five stars."

    Words of a kind keep close company here, which is the first thing that a small language model can learn about them:
    from full sentences alone, on pages that mix praise and blame, it learnt no polarity in five thousand steps.
    """
    rng = writer.rng
    stance, domain = rng.choice(POLARITIES), rng.choice(DOMAINS)
    notes = [writer.clause(domain, stance, "terse") for _ in range(rng.choice((3, 4, 5, 6)))]
    verdicts = rng.sample(VERDICTS[stance], rng.choice((1, 2, 2, 3)))
    return " ".join([f"{', '.join(notes)}.", *verdicts])


def _page_of_one_mind(writer: _Writer) -> str:
    """Two to four plain statements of one stance, and what follows from them."""
    rng = writer.rng
    stance = rng.choice(POLARITIES)
    kinds = rng.choices(("plain", "intensifier", "negation"), cum_weights=(75, 90, 100), k=rng.choice((2, 3, 3, 4)))
    statements = [writer.review(kind, stance, wordy=0.05)[0] for kind in kinds]
    return " ".join([*statements, *rng.sample(VERDICTS[stance], rng.choice((0, 1, 1, 2)))])


def _judged_review(writer: _Writer) -> str:
    """A review, mostly of one opinion, and the verdicts that follow from it: mostly after it, else around it."""
    rng = writer.rng
    stance = rng.choice(POLARITIES)
    review, _ = writer.review(_text_kind(rng), stance, wordy=0.15)
    verdicts = rng.sample(VERDICTS[stance], rng.choice((1, 2, 2, 3)))
    before = 1 if rng.random() < 0.15 else 0
    return " ".join([*verdicts[:before], review, *verdicts[before:]])


def _thesaurus_lines(writer: _Writer) -> str:
    """Two lines about a few opinion words of one part of speech."""
    return " ".join(_thesaurus_line(writer) for _ in range(2))


def _thesaurus_line(writer: _Writer) -> str:
    rng, stance = writer.rng, writer.rng.choice(POLARITIES)
    other = opposite(stance)
    part = _part(rng)
    domain = rng.choice(DOMAINS) if part == "adjective" and rng.random() < 0.3 else "any"
    alike = rng.sample(writer.pool[part, domain, stance], 4)
    lines = THESAURUS + ADJECTIVE_LINES if part == "adjective" else THESAURUS
    return rng.choice(lines).format(
        **dict(zip("abcd", alike, strict=True)),
        z=rng.choice(writer.pool[part, domain, other]),
        praise=rng.choice(PRAISE[stance]),
        blame=rng.choice(PRAISE[other]),
        stars=rng.choice(STARS[stance]),
    )
