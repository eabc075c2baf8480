"""Unlabelled documents of the translation world: phrasebook pages that set the two languages side by side, and stories.

A phrasebook page holds single words, short phrases and sentences in one layout; most grow a phrase word by word or vary
one word of it, which is what lets a small model find out which word stands for which.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate

from tasks.corpora import translation_grammar as grammar
from tasks.corpora import translation_words as words
from tasks.corpora.translation_clauses import HE, SHE, SPEAKER, THEY
from tasks.corpora.translation_grammar import Phrase
from tasks.corpora.translation_lexicon import Adjective, Noun, Verb, whole_lexicon
from tasks.corpora.translation_sentences import Drawer

LAYOUTS = (
    # mostly English first, since Spanish is what a model must produce
    ("", "english: {en}. spanish: {es}.", " "),
    ("", "english: {en}. spanish: {es}.", " "),
    ("english to spanish: ", "{en} - {es}", " ; "),
    ("translate english to spanish: ", "{en} => {es}", " ; "),
    ("in spanish: ", "{en} -> {es}", " ; "),
    ("", "{en} = {es}.", " "),
    ("", "{en}: {es}.", " "),
    ("", 'how do you say "{en}" in spanish? {es}.', " "),
    ("", "spanish: {es}. english: {en}.", " "),
    ("spanish to english: ", "{es} - {en}", " ; "),
)
"""Heading, entry, separator. A sentence brings its own punctuation, which replaces that of the entry."""

LINKS = tuple(words.LINKS.items())
SMALL_WORDS = (
    *(Phrase(f"to be {english}", f"tener {spanish}") for english, spanish in words.IDIOMS.items()),
    *(Phrase(*entry) for entry in words.NUMBERS.items()),
    *(Phrase(*entry) for times in words.TIMES.values() for entry in times.items()),
    *(Phrase(*entry) for entry in (*words.PREVERBS.items(), *words.MANNERS.items(), *words.PREPOSITIONS.items())),
)
"""Entries of a dictionary that are no lemma of the lexicon."""

LONGEST = 85
"""Words in a phrasebook page, after which it ends."""


def documents(rng: random.Random, allowed: Callable[[Phrase], bool]) -> Iterator[str]:
    """Endless documents of which no sentence is one that is not `allowed`."""
    writer = _Writer(Drawer(whole_lexicon(), rng), allowed)
    thresholds = list(accumulate(weight for _, weight in PAGES))
    while True:
        page = PAGES[bisect(thresholds, rng.random() * thresholds[-1])][0]
        yield page(writer)


class _Writer:
    """Writes single documents."""

    def __init__(self, drawer: Drawer, allowed: Callable[[Phrase], bool]) -> None:
        self.drawer, self.allowed = drawer, allowed
        self.pick, self.chance = drawer.pick, drawer.chance
        lexicon = drawer.lexicon
        self.nouns, self.verbs, self.adjectives = lexicon.nouns, lexicon.verbs, lexicon.adjectives
        self.objects, self.transitive = lexicon.objects, lexicon.transitive
        # words of many forms come up more often where forms are shown, or each form would be rare
        self.inflected = tuple(a for a in lexicon.adjectives for _ in range(4 if a.has_plural else 1))
        self.conjugated = tuple(v for v in lexicon.verbs for _ in range(4 if v.has_first_person else 2))
        self.takers = {n.english: tuple(v for v in lexicon.transitive if n.english in v.objects) for n in lexicon.nouns}
        self.named = {a.english: tuple(n for n in lexicon.nouns if n.english in a.nouns) for a in lexicon.adjectives}

    # entries of a phrasebook

    def sentence(self) -> Phrase:
        while True:
            sentence = self.drawer.sentence()
            if self.allowed(sentence):
                return sentence

    def said(self, make: Callable[[], Phrase]) -> Phrase:
        """The first of the phrases made that texts may show; any sentence where a word has no such phrase."""
        for _ in range(20):
            phrase = make()
            if self.allowed(phrase):
                return phrase
        return self.sentence()

    def word(self) -> Phrase:
        kind = self.drawer.rng.random()
        if kind < 0.1:
            return self.pick(SMALL_WORDS)
        if kind < 0.5:
            return self.name(self.pick(self.nouns))
        return self.infinitive(self.pick(self.verbs)) if kind < 0.73 else self.quality(self.pick(self.adjectives))

    def name(self, noun: Noun) -> Phrase:
        if self.chance(0.5):
            return Phrase(noun.english, noun.spanish)
        plural = bool(noun.plurals) and self.chance(0.4)
        return grammar.noun_phrase(noun, "the", plural=plural)

    @staticmethod
    def infinitive(verb: Verb) -> Phrase:
        return Phrase(f"to {verb.base}", verb.infinitive)

    @staticmethod
    def quality(adjective: Adjective) -> Phrase:
        return Phrase(adjective.english, adjective.spanish[0])

    def doing(self, verb: Verb) -> Phrase:
        """A verb with a pronoun: "he buys", "they bought", "i want to buy"."""
        tense = self.pick((*verb.english, *verb.english, "future"))
        subject = self.pick((HE, SHE, THEY, THEY, THEY if tense == "past" else SPEAKER))
        group = self.drawer.group(verb, subject, tense)
        return grammar.joined(subject, Phrase(group.finite, group.spanish))

    def noun_phrase(self, noun: Noun | None = None) -> Phrase:
        return self.drawer.noun_phrase(noun or self.pick(self.nouns), describe=0.55)

    def verb_phrase(self, verb: Verb, target: Phrase) -> Phrase:
        """A verb and its object, without a subject or after a pronoun."""
        subject = self.pick((HE, SHE, THEY))
        if self.chance(0.4):
            done = grammar.with_object(subject, verb, grammar.verb_group(verb, subject, "future"), target)
            return Phrase(f"to {verb.base} {done.rest.english}", f"{verb.infinitive} {done.rest.spanish}")
        group = grammar.verb_group(verb, subject, self.pick(tuple(verb.english)))
        done = grammar.with_object(subject, verb, group, target)
        if self.chance(0.4) and not subject.plural:
            return Phrase(f"{group.finite} {done.rest.english}", f"{group.spanish} {done.rest.spanish}")
        return grammar.statement(done)

    def acting(self, verb: Verb) -> Phrase:
        return self.said(lambda: self.verb_phrase(verb, self.drawer.target(verb, HE)))

    # pages

    def page(self, entries: list[Phrase]) -> str:
        """The entries in one layout, English first more often than not."""
        heading, entry, separator = self.pick(LAYOUTS)
        lines, size = [], 0
        for english, spanish, *_ in entries:
            line = entry.format(en=english, es=spanish).replace("..", ".").replace("?.", "?").replace(".:", ":")
            size += line.count(" ") + 1
            if size > LONGEST:
                break
            lines.append(line)
        return heading + separator.join(lines)

    def dictionary(self) -> str:
        return self.page([self.word() for _ in range(self.length(7, 14))])

    def mixture(self) -> str:
        """Words, phrases and sentences in any order."""
        entries = []
        for _ in range(self.length(4, 7)):
            kind = self.drawer.rng.random()
            if kind < 0.25:
                entries.append(self.word())
            elif kind < 0.6:
                entries.append(self.noun_phrase())
            else:
                entries.append(self.acting(self.pick(self.transitive)) if kind < 0.8 else self.sentence())
        return self.page(entries)

    def growing(self) -> str:
        """The words of a phrase, the phrase, and the phrase in a sentence."""
        adjective = self.pick(self.adjectives)
        noun = self.pick(self.named[adjective.english])
        phrase = grammar.noun_phrase(noun, self.pick(("the", "the", "a", "my", "her")), adjective=adjective)
        entries = [Phrase(noun.english, noun.spanish), grammar.noun_phrase(noun, "the")]
        entries += [self.quality(adjective), phrase]
        if self.takers[noun.english]:
            verb = self.pick(self.takers[noun.english])
            entries.append(self.infinitive(verb) if self.chance(0.5) else self.doing(verb))
            entries.append(self.said(lambda: self.verb_phrase(verb, phrase)))
            entries.append(self.said(lambda: self.whole(verb, phrase)))
        return self.page(entries)

    def whole(self, verb: Verb, target: Phrase) -> Phrase:
        tense = self.pick((*verb.english, "future"))
        subject = self.drawer.actor(0.2, animals=0, pronouns=0)
        clause = grammar.with_object(subject, verb, grammar.verb_group(verb, subject, tense), target)
        return self.drawer.said(clause)

    def one_noun(self) -> str:
        """One noun with ever another word beside it."""
        noun = self.pick(self.nouns)
        entries = [self.name(noun), *(self.noun_phrase(noun) for _ in range(self.length(3, 6)))]
        takers = self.takers[noun.english]
        if takers:
            entries += [
                self.said(lambda: self.verb_phrase(self.pick(takers), self.noun_phrase(noun))) for _ in range(2)
            ]
        return self.page(entries)

    def one_adjective(self) -> str:
        """One adjective beside ever another noun: its forms."""
        adjective = self.pick(self.adjectives)
        entries = [self.quality(adjective)]
        counted = [noun for noun in self.named[adjective.english] if noun.plurals and adjective.has_plural]
        for _ in range(self.length(4, 7)):
            noun = self.pick(counted if counted and self.chance(0.5) else self.named[adjective.english])
            if self.chance(0.3):
                subject = self.drawer.noun_phrase(noun, describe=0, plural=0.6 * adjective.has_plural)
                entries.append(self.being(subject, adjective))
                continue
            plural = adjective.has_plural and bool(noun.plurals) and self.chance(0.7)
            determiner = self.pick(("the", "the", "my", "two", "many") if plural else ("the", "the", "a", "my", "his"))
            if noun.kind in ("mass", "drink") and determiner == "a":
                determiner = "the"
            entries.append(grammar.noun_phrase(noun, determiner, plural=plural, adjective=adjective))
        return self.page(entries)

    def being(self, subject: Phrase, adjective: Adjective) -> Phrase:
        """A predicate, or the bare phrase where the sentence is kept for rows."""
        clause = grammar.described(subject, adjective, self.pick(("present", "past")), very=False)
        whole = grammar.ended(grammar.statement(clause))
        return whole if self.allowed(whole) else subject

    def inflection(self) -> str:
        """An adjective in all its forms, beside nouns of either gender and number."""
        adjective = self.pick(self.inflected)
        nouns = self.named[adjective.english]
        counted = [noun for noun in nouns if noun.plurals and adjective.has_plural]
        entries = [self.quality(adjective)]
        for plural, feminine in ((False, False), (False, True), (True, False), (True, True)):
            fitting = [noun for noun in (counted if plural else nouns) if noun.feminine is feminine]
            if fitting:
                determiner = self.pick(("the", "my", "two", "many") if plural else ("the", "the", "my", "her"))
                noun = self.pick(fitting)
                described = grammar.noun_phrase(noun, determiner, plural=plural, adjective=adjective)
                plain = grammar.noun_phrase(noun, determiner, plural=plural)
                entries += [described, self.being(plain, adjective)]
        return self.page(entries)

    def conjugation(self) -> str:
        """A verb in all its forms, the persons side by side."""
        verb = self.pick(self.conjugated)
        entries = [self.infinitive(verb)]
        for tense in verb.english:
            persons = [self.pick((HE, SHE)), THEY, *([SPEAKER] if tense == "present" and verb.has_first_person else [])]
            entries += [self.finite(verb, subject, tense) for subject in persons]
        subject, modal = self.pick((HE, SHE, THEY, SPEAKER)), self.pick(tuple(grammar.MODALS))
        entries.append(self.finite(verb, subject, "future"))
        entries.append(self.finite(verb, self.pick((HE, THEY, SPEAKER)), "present", modal))
        return self.page(entries)

    @staticmethod
    def finite(verb: Verb, subject: Phrase, tense: str, modal: str = "") -> Phrase:
        group = grammar.verb_group(verb, subject, tense, modal)
        return grammar.joined(subject, Phrase(group.finite, group.spanish))

    def one_verb(self) -> str:
        """One verb: its forms, and what it is done to."""
        verb = self.pick(self.verbs)
        entries = [self.infinitive(verb), self.doing(verb)]
        if verb in self.transitive:
            entries += [self.acting(verb) for _ in range(self.length(3, 5))]
        else:
            entries += [self.doing(verb) for _ in range(3)]
            entries += [self.place(verb) for _ in range(2)] if verb.objects else []
        return self.page(entries)

    def place(self, verb: Verb) -> Phrase:
        where = grammar.placed(verb.preposition, self.noun_phrase(self.pick(self.objects[verb.base])))
        return Phrase(f"to {verb.base} {where.english}", f"{verb.infinitive} {where.spanish}")

    def sentences(self) -> str:
        return self.page([self.sentence() for _ in range(self.length(2, 5))])

    # stories

    def story(self) -> list[Phrase]:
        """Three to six sentences, mostly about one person, in one tense."""
        tense = self.pick(("present", "past"))
        noun = self.pick(self.drawer.kinds["person"])
        hero = grammar.noun_phrase(noun, self.pick(("the", "the", "a", "my")), adjective=self.drawer.adjective(noun))
        told = [self.said(partial(self.told, tense, hero))]
        again = [SHE if noun.feminine else HE, grammar.noun_phrase(noun, "the")]
        for _ in range(self.length(3, 5)):
            subject = self.pick(again) if self.chance(0.75) else None
            told.append(self.said(partial(self.told, tense, subject)))
        return told

    def told(self, tense: str, subject: Phrase | None) -> Phrase:
        if subject is None and self.chance(0.4):
            return self.drawer.sentence()
        clause = self.drawer.clause_of(tense, 0.2, subject)
        sentence = self.drawer.said(clause, negative=0.1)
        if not self.chance(0.2):
            return sentence
        english, spanish = self.pick(LINKS)
        return sentence._replace(english=f"{english} {sentence.english}", spanish=f"{spanish} {sentence.spanish}")

    def english_story(self) -> str:
        return " ".join(sentence.english for sentence in self.story())

    def spanish_story(self) -> str:
        return " ".join(sentence.spanish for sentence in self.story())

    def two_stories(self) -> str:
        """The same short story in both languages."""
        story = self.story()[:4]
        english, spanish = (" ".join(side) for side in zip(*((s.english, s.spanish) for s in story), strict=True))
        return f"english: {english} spanish: {spanish}"

    def length(self, least: int, most: int) -> int:
        return least + int(self.drawer.rng.random() * (most - least + 1))


PAGES: tuple[tuple[Callable[[_Writer], str], int], ...] = (
    (_Writer.dictionary, 7),
    (_Writer.mixture, 10),
    (_Writer.growing, 10),
    (_Writer.one_noun, 6),
    (_Writer.one_adjective, 4),
    (_Writer.inflection, 5),
    (_Writer.one_verb, 4),
    (_Writer.conjugation, 8),
    (_Writer.sentences, 9),
    (_Writer.two_stories, 3),
    (_Writer.english_story, 17),
    (_Writer.spanish_story, 17),
)
