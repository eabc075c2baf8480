"""Events of a small town and the sentences that tell them: what `qa` and `summarization` have in common.

An `Event` says who did what to which thing, and maybe where, when, for whom and why. A `Chooser` draws events from
the words of one split; `tell` writes one down in one of many forms. Knows nothing of questions or summaries.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from tasks.corpora import town_words as words
from tasks.corpora.draw import SPLITS, generator, hold_out

T = TypeVar("T")

VALIDATION_WORDS, TEST_WORDS = 0.1, 0.4
"""Shares of the open-class words that are first met in the validation or in the test split."""

HELD_ROWS = 0.65
"""Share of validation and test rows whose own event is told in words that the training split never shows."""


class Verb(NamedTuple):
    base: str
    past: str


class Concept(NamedTuple):
    """Two verbs of one meaning; `first` is the canonical one."""

    first: Verb
    second: Verb

    def other(self, verb: Verb) -> Verb:
        return self.second if verb == self.first else self.first


class Actor(NamedTuple):
    phrase: str
    pronoun: str = ""


class Thing(NamedTuple):
    """`the green boat` (article, quality, noun), or `seven eggs` (number, noun)."""

    noun: str
    quality: str = ""
    article: str = ""
    number: str = ""

    @property
    def phrase(self) -> str:
        return " ".join(filter(None, (self.number or self.article, self.quality, self.noun)))

    @property
    def known(self) -> str:
        """The thing as one speaks of it once it has been mentioned."""
        return f"the {self.noun}"

    @property
    def was(self) -> str:
        return "were" if self.number or self.article == "some" else "was"


class Event(NamedTuple):
    """`place` and `time` hold their preposition (`at the mill`, `on monday`), `whom` and `reason` do not."""

    actor: Actor
    concept: Concept
    thing: Thing
    place: str = ""
    time: str = ""
    whom: str = ""
    reason: str = ""


class Lexicon(NamedTuple):
    """Open-class words: nouns and names by kind, and verbs by meaning."""

    nouns: Mapping[str, Sequence[str]]
    concepts: Sequence[Concept]

    def forms(self) -> set[str]:
        """Every form of every word."""
        nouns = {noun for kind in self.nouns.values() for noun in kind}
        return nouns | {form for concept in self.concepts for verb in concept for form in verb}


_ALL = Lexicon(
    {
        "women": words.WOMEN,
        "men": words.MEN,
        "trades": words.TRADES,
        "things": words.THINGS,
        "goods": words.GOODS,
        "places": words.PLACES,
    },
    [Concept(Verb(a, b), Verb(c, d)) for a, b, c, d in words.CONCEPTS],
)


def lexicons(seed: int) -> dict[str, Lexicon]:
    """The open-class words of each split; `all` has every word of the town."""
    nouns = {kind: _parts(seed, kind, known) for kind, known in _ALL.nouns.items()}
    concepts = _parts(seed, "concepts", _ALL.concepts)
    splits = {split: Lexicon({kind: nouns[kind][split] for kind in nouns}, concepts[split]) for split in SPLITS}
    return {**splits, "all": _ALL}


def _parts(seed: int, kind: str, known: Sequence[T]) -> dict[str, list[T]]:
    return hold_out(known, generator("town", "words", seed, kind), validation=VALIDATION_WORDS, test=TEST_WORDS)


def is_reserved(passage: str) -> bool:
    """Whether a passage belongs to the labelled rows: half of all passages do, and `texts` never tells those."""
    return zlib.crc32(passage.encode()) % 2 == 0


class Chooser:
    """Draws words and events from `own` words, now and then from `spare` ones."""

    def __init__(self, rng: random.Random, own: Lexicon, spare: Lexicon | None = None, spare_share: float = 0.0):
        self.rng = rng
        self._own, self._spare, self._share = own, spare or own, spare_share

    def strict(self) -> Chooser:
        """The same without spare words."""
        return Chooser(self.rng, self._own)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def word(self, kind: str) -> str:
        known = self._lexicon().nouns[kind]
        return known[int(self.rng.random() * len(known))]

    def concept(self) -> Concept:
        known = self._lexicon().concepts
        return known[int(self.rng.random() * len(known))]

    def _lexicon(self) -> Lexicon:
        return self._spare if self._share and self.rng.random() < self._share else self._own

    def person(self) -> Actor:
        if self.chance(0.5):
            return Actor(self.word("women"), "she")
        return Actor(self.word("men"), "he")

    def actor(self) -> Actor:
        return Actor(f"the {self.word('trades')}") if self.chance(0.2) else self.person()

    def body(self) -> Actor:
        return Actor(f"the {self.word('places')} {self.rng.choice(words.BODIES)}", "they")

    def thing(self) -> Thing:
        quality = self.quality() if self.chance(0.45) else ""
        noun = self.word("things")
        return Thing(noun, quality, "the" if self.chance(0.7) else _article(quality or noun))

    def quality(self) -> str:
        return self.rng.choice(words.COLOURS if self.chance(0.5) else words.QUALITIES)

    def goods(self) -> Thing:
        return Thing(self.word("goods"), number=self.rng.choice(words.NUMBERS))

    def place(self) -> str:
        preposition = "at" if self.chance(0.7) else self.rng.choice(("near", "behind", "beside"))
        quality = self.rng.choice(words.PLACE_QUALITIES) + " " if self.chance(0.2) else ""
        return f"{preposition} the {quality}{self.word('places')}"

    def time(self, *, hours: bool = True) -> str:
        """`hours` are left out where a count stands near: `seven eggs at seven o'clock` would have two sevens."""
        draw = self.rng.random()
        if draw < 0.4 or (draw < 0.55 and not hours):
            return f"on {self.rng.choice(words.DAYS)}"
        if draw < 0.55:
            return f"at {self.rng.choice(words.HOURS)} o'clock"
        if draw < 0.7:
            return f"at {self.rng.choice(words.MOMENTS)}"
        if draw < 0.85:
            return f"in {self.rng.choice(words.SEASONS)}"
        if draw < 0.92:
            return f"{self.rng.choice(('before', 'after'))} {self.rng.choice(words.MEALS)}"
        return f"in the {self.rng.choice(('morning', 'afternoon', 'evening'))}"

    def reason(self) -> str:
        return f"the {self.rng.choice(words.CAUSES if self.chance(0.3) else words.OCCASIONS)}"


def _article(following: str) -> str:
    return "an" if following[0] in "aeiou" else "a"


class Form(NamedTuple):
    """A way to tell an event. Slots: `who did it was tail manner`, and the roles that it `needs`."""

    pattern: str
    needs: tuple[str, ...] = ()


ACTIVE = (
    Form("{who} {did} {it}{tail}"),
    Form("{who} {did} {it}{tail}"),
    Form("{who} {manner} {did} {it}{tail}"),
    Form("{time}, {who} {did} {it}{tail}", ("time",)),
    Form("{place}, {who} {did} {it}{tail}", ("place",)),
    Form("{time} {place}, {who} {did} {it}{tail}", ("place", "time")),
    Form("because of {reason}, {who} {did} {it}{tail}", ("reason",)),
    Form("{who} went to {site} and {did} {it}{tail}", ("place", "site")),
    Form("{who} came to {site} {time} and {did} {it}{tail}", ("place", "site", "time")),
    Form("it was {time} that {who} {did} {it}{tail}", ("time",)),
)
"""Forms in which a pronoun may stand for the actor."""

PASSIVE = (
    Form("{it} {was} {did} by {who}{tail}"),
    Form("{it} {was} {manner} {did} by {who}{tail}"),
    Form("{it} {was} {did} {place} by {who}{tail}", ("place",)),
    Form("{it} {was} {did} {time} by {who}{tail}", ("time",)),
    Form("{time}, {it} {was} {did} by {who}{tail}", ("time",)),
    Form("{place}, {it} {was} {did} by {who}{tail}", ("place",)),
)

CLEFT = (
    Form("it was {who} who {did} {it}{tail}"),
    Form("the one who {did} {it}{tail} was {who}"),
)

HEARSAY = (
    Form("it is said that {who} {did} {it}{tail}"),
    Form("people saw how {who} {did} {it}{tail}"),
    Form("we know that {who} {did} {it}{tail}"),
)

DIRECT_FORMS = ACTIVE + ACTIVE + PASSIVE + CLEFT
ALL_FORMS = DIRECT_FORMS + HEARSAY


def tell(event: Event, verb: Verb, rng: random.Random, forms: Sequence[Form] = ALL_FORMS, who: str = "") -> str:
    """The event as a clause with no full stop; `who` stands for the actor where it is given."""
    form = forms[int(rng.random() * len(forms))]
    while not all(_has(event, role) for role in form.needs):
        form = forms[int(rng.random() * len(forms))]
    return form.pattern.format(
        who=who or event.actor.phrase,
        did=verb.past,
        it=event.thing.phrase,
        was=event.thing.was,
        tail=tail(event, rng, form.needs),
        manner=rng.choice(words.MANNERS),
        time=event.time,
        place=event.place,
        site=event.place[3:],
        reason=event.reason,
    )


def _has(event: Event, role: str) -> bool:
    return event.place.startswith("at ") if role == "site" else bool(getattr(event, role))


def tail(event: Event, rng: random.Random, told: Sequence[str] = ()) -> str:
    """The roles not `told` elsewhere, each with a space before it, the reason last."""
    parts = [part for role, part in (("place", event.place), ("time", event.time)) if part and role not in told]
    if event.whom:
        parts.insert(0, f"for {event.whom}")
    if len(parts) > 1:
        rng.shuffle(parts)
    if event.reason and "reason" not in told:
        parts.append(f"because of {event.reason}")
    return "".join(f" {part}" for part in parts)


def either(concept: Concept, rng: random.Random) -> Verb:
    """One of the two verbs, at even odds."""
    return concept.first if rng.random() < 0.5 else concept.second


def synonym_line(chooser: Chooser) -> str:
    """A sentence from which one can learn that two verbs mean the same."""
    concept = chooser.concept()
    verb = either(concept, chooser.rng)
    other, actor, thing = concept.other(verb), chooser.person(), chooser.thing()
    lines = (
        f"to {verb.base} is to {other.base}.",
        f"{verb.base} means {other.base}, and {verb.past} means {other.past}.",
        f"{verb.past} is another word for {other.past}.",
        f"if you {verb.base} {thing.phrase}, you {other.base} it.",
        f"{actor.phrase} {verb.past} {thing.phrase}. in other words, {actor.pronoun} {other.past} it.",
        f"who {verb.past} {thing.known}? {actor.phrase} {other.past} it.",
        f"{thing.phrase} that was {verb.past} by {actor.phrase} was {other.past} by {actor.phrase}.",
    )
    return chooser.rng.choice(lines)
