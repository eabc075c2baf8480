"""Draws noun phrases and clauses of the translation world from a lexicon."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

from tasks.corpora import translation_grammar as grammar
from tasks.corpora import translation_words as words
from tasks.corpora.translation_grammar import Clause, Phrase
from tasks.corpora.translation_lexicon import Adjective, Lexicon, Noun, Verb

T = TypeVar("T")

HE, SHE = Phrase("he", "él"), Phrase("she", "ella", feminine=True)
THEY, SPEAKER = Phrase("they", "ellos", plural=True), Phrase("i", "", first=True)

BARE_VERBS = "buy sell eat drink cook need have bring steal".split()
CONTAINERS = "box bag basket suitcase car boat".split()

ONE = tuple("the the the the the the a a a my my his her our this another every".split())
SOME = tuple("the the my these many some two three four five six".split())
NUMBERS = tuple(words.NUMBERS)


class ClauseDrawer:
    """Draws phrases and clauses from one lexicon with one random generator."""

    def __init__(self, lexicon: Lexicon, rng: random.Random) -> None:
        self.lexicon, self.rng = lexicon, rng
        self.kinds = lexicon.kinds
        self.living = (*self.kinds["person"], *self.kinds["animal"])
        self.things = (*self.kinds["thing"], *self.kinds["food"])
        self.surfaces = tuple(n for n in self.things if n.english in words.GROUPS["surface"].split())
        self.containers = tuple(n for n in self.things if n.english in CONTAINERS)
        self.insides = tuple(n for n in self.kinds["place"] if n.english not in words.GROUPS["open ground"].split())
        self.likable = (*self.things, *self.kinds["mass"], *self.kinds["drink"], *self.kinds["place"])
        self.acts = {tense: self._by_tense(lexicon.transitive, tense) for tense in ("present", "past", "future")}
        self.moves = {tense: self._by_tense(lexicon.intransitive, tense) for tense in ("present", "past", "future")}

    @staticmethod
    def _by_tense(verbs: Sequence[Verb], tense: str) -> tuple[Verb, ...]:
        return tuple(verb for verb in verbs if tense == "future" or tense in verb.english)

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self.rng.random() * len(options))]

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    # noun phrases

    def noun_phrase(
        self, noun: Noun, *, describe: float = 0.35, plural: float = 0.3, bare: bool = False, own: float = 0.08
    ) -> Phrase:
        """A phrase around `noun`; the chances are those of an adjective, of the plural, and of an owner."""
        uncounted = noun.kind in ("mass", "drink")
        if noun.plurals and self.chance(plural):
            return self._several(noun, describe, bare)
        if noun.kind != "person" and self.chance(own):
            return self.owned(noun)
        if not uncounted and noun.english not in words.UNIQUE_PEOPLE and self.chance(0.06):
            return self._qualified(noun)
        adjective = self.adjective(noun) if self.chance(describe) else None
        if uncounted:
            determiner = "" if bare and self.chance(0.6) else self.pick(("the", "the", "my", "this"))
        else:
            determiner = self.pick(("the", "my", "my", "his", "our") if noun.english in words.UNIQUE_PEOPLE else ONE)
        very = adjective is not None and adjective.gradable and self.chance(0.15)
        return grammar.noun_phrase(noun, determiner, adjective=adjective, very=very)

    def _several(self, noun: Noun, describe: float, bare: bool) -> Phrase:
        determiner = "" if bare and self.chance(0.3) else self.pick(NUMBERS) if self.chance(0.25) else self.pick(SOME)
        adjective = self.adjective(noun) if self.chance(describe * 1.3) else None
        if adjective and not adjective.has_plural:
            adjective = None
        return grammar.noun_phrase(noun, determiner, plural=True, adjective=adjective)

    def _qualified(self, noun: Noun) -> Phrase:
        before = self.pick(tuple(words.BEFORE_NOUN))
        determiner = self.pick(("a", "a", "my", "our", "this", "another")) if before in ("good", "bad") else "the"
        return grammar.noun_phrase(noun, determiner, before=before)

    def adjective(self, noun: Noun) -> Adjective | None:
        options = self.lexicon.described[noun.english]
        return self.pick(options) if options else None

    def owned(self, noun: Noun) -> Phrase:
        owner = grammar.noun_phrase(self.pick(self.kinds["person"]), self.pick(("the", "the", "my", "our", "her")))
        adjective = self.adjective(noun) if self.chance(0.2) else None
        return grammar.owned(owner, grammar.noun_phrase(noun, "the", adjective=adjective))

    def one(self, nouns: Sequence[Noun], describe: float = 0.3) -> Phrase:
        return self.noun_phrase(self.pick(nouns), describe=describe)

    def actor(self, describe: float = 0.3, animals: float = 0.25, pronouns: float = 0.12) -> Phrase:
        """A subject that can act: mostly a person, at times an animal or a pronoun."""
        if self.chance(pronouns):
            return self.pick((HE, SHE, THEY))
        return self.one(self.kinds["animal" if self.chance(animals) else "person"], describe)

    def actor_of(self, verb: Verb, tense: str, describe: float = 0.3) -> Phrase:
        """A subject that fits the verb and the tense: the world has no first person in the past."""
        if tense != "past" and self.chance(0.1):
            return SPEAKER
        return self.actor(describe, animals=0.4 if "animal" in verb.subjects else 0.0)

    # clauses

    def tense(self) -> str:
        return self.pick(("present", "present", "present", "past", "past", "past", "future"))

    def act(self, tense: str, subject: Phrase | None = None, describe: float = 0.35) -> Clause:
        """A transitive clause; a given subject must be a person, since not every verb takes an animal."""
        verb = self.pick(self.acts[tense])
        subject = subject or self.actor_of(verb, tense, describe)
        group = self.group(verb, subject, tense)
        return grammar.with_object(subject, verb, group, self.target(verb, subject, describe))

    def group(self, verb: Verb, subject: Phrase, tense: str) -> grammar.VerbGroup:
        """The verb with, at times, a modal, which "i" needs before a verb without that form."""
        modal = ""
        if tense == "present" and (self.chance(0.15) or (subject.first and not verb.has_first_person)):
            modal = self.pick(tuple(grammar.MODALS))
        return grammar.verb_group(verb, subject, tense, modal)

    def target(self, verb: Verb, subject: Phrase, describe: float = 0.35) -> Phrase:
        noun = self.pick(self.lexicon.objects[verb.base])
        if noun is subject.noun:
            noun = self.pick(self.lexicon.objects[verb.base])
        return self.noun_phrase(noun, describe=describe, bare=verb.base in BARE_VERBS)

    def move(self, tense: str, subject: Phrase | None = None, describe: float = 0.25) -> Clause:
        """A clause of living, going or sleeping somewhere."""
        verb = self.pick(self.moves[tense])
        subject = subject or self.actor_of(verb, tense)
        place = self.one(self.lexicon.objects[verb.base], describe)
        pairs = ((verb.lemma, place.noun.lemma),) if place.noun else ()
        where = grammar.placed(verb.preposition, place)
        rest = where._replace(lemmas=(verb.lemma, *where.lemmas), pairs=pairs + where.pairs)
        return Clause(subject, self.group(verb, subject, tense), rest)

    def being(self, tense: str, subject: Phrase | None = None) -> Clause:
        """A clause with an adjective as its predicate."""
        while True:
            who = subject or (self.actor(0.1) if self.chance(0.5) else self.one(self.likable, 0.1))
            noun = who.noun or self.pick(self.kinds["person"])
            adjective = self.adjective(noun)
            if adjective and (adjective.has_plural or not who.plural):
                return grammar.described(who, adjective, tense, adjective.gradable and self.chance(0.2))
            if not self.lexicon.described[noun.english] or who.plural:
                subject = None

    def extended(self, clause: Clause, tense: str, share: float = 0.35) -> Clause:
        """The clause with, at times, a word or two on when or where it happens."""
        if not self.chance(share):
            return clause
        if self.chance(0.65):
            english = self.pick(tuple(words.TIMES[tense]))
            adjunct = Phrase(english, words.TIMES[tense][english])
        elif self.chance(0.5):
            adjunct = grammar.placed(*self.whereabouts(0.15))
        else:
            adjunct = grammar.placed(self.pick(("with", "without")), self.one(self.living, 0.15))
        return clause._replace(rest=grammar.joined(clause.rest, adjunct))

    def location(self) -> Clause:
        """Something or somebody is in, on or near something."""
        if self.chance(0.4):
            subject = self.actor(0.2, animals=0.4)
            preposition, where = self.whereabouts(0.2)
        else:
            subject = self.one(self.things, 0.3)
            preposition, where = self.spot()
        group = grammar.be_group("estar", subject, self.pick(("present", "present", "past")))
        return Clause(subject, group, grammar.placed(preposition, where))

    def whereabouts(self, describe: float) -> tuple[str, Phrase]:
        """Where a person or an animal may be."""
        preposition = self.pick(("in", "in", "in", *words.COMPOUND_PREPOSITIONS))
        return preposition, self.one(self.insides if preposition == "in" else self.kinds["place"], describe)

    def spot(self) -> tuple[str, Phrase]:
        preposition = self.pick(("in", "in", "on", "on", "under", *words.COMPOUND_PREPOSITIONS))
        nouns = self.containers if preposition == "in" and self.chance(0.5) else self.insides
        if preposition != "in":
            nouns = self.surfaces if preposition in ("on", "under") else self.things
        return preposition, self.one(nouns or self.things, 0.2)
