"""Draws whole sentences of the translation world: statements, questions, and what joins two clauses."""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Callable
from itertools import accumulate

from tasks.corpora import translation_grammar as grammar
from tasks.corpora import translation_words as words
from tasks.corpora.translation_clauses import HE, NUMBERS, SHE, ClauseDrawer
from tasks.corpora.translation_grammar import NOTHING, Clause, Phrase
from tasks.corpora.translation_lexicon import Lexicon

NOBODY = Phrase("nobody", "nadie", tags=("negation",))
WHO = Phrase("who", "quién")
CLITIC_VERBS = "see help love call visit follow greet know attack save invite hear".split()
GIVING_VERBS = "buy write cook bring draw build paint open".split()
MANNER_VERBS = "run swim walk work dance study sleep rest".split()
LONG_ADJECTIVES = "expensive beautiful modern dangerous famous intelligent serious nervous".split()
INDEFINITE = tuple("a a another".split())


class Drawer(ClauseDrawer):
    """Draws sentences, of the patterns of PLANS, from one lexicon with one random generator."""

    def __init__(self, lexicon: Lexicon, rng: random.Random) -> None:
        super().__init__(lexicon, rng)
        self.clitics = tuple(v for v in lexicon.transitive if v.base in CLITIC_VERBS)
        self.asked_what = tuple(v for v in lexicon.transitive if not any(n.animate for n in lexicon.objects[v.base]))
        self.asked_whom = tuple(v for v in lexicon.transitive if "boy" in v.objects)
        self.counted = tuple(noun for noun in self.things if noun.plurals)
        self.thresholds = list(accumulate(weight for _, weight in PLANS))

    def sentence(self) -> Phrase:
        """A whole sentence with its punctuation, of one of the patterns of PLANS."""
        plan = PLANS[bisect(self.thresholds, self.rng.random() * self.thresholds[-1])][0]
        return plan(self)

    # statements

    def said(self, clause: Clause, *, negative: float = 0.17, adverb: float = 0.06) -> Phrase:
        """The clause as a statement, at times negative or with an adverb before the verb."""
        if self.chance(negative):
            return grammar.ended(grammar.statement(clause, "never" if self.chance(0.2) else "not"))
        plain = not clause.group.finite.startswith(("is going", "are going", "am going", "can", "want", "ha"))
        preverb = self.pick(tuple(words.PREVERBS)) if plain and self.chance(adverb) else ""
        return grammar.ended(grammar.statement(clause, preverb=preverb))

    def acting(self) -> Phrase:
        tense = self.tense()
        return self.said(self.extended(self.act(tense), tense))

    def moving(self) -> Phrase:
        tense = self.tense()
        return self.said(self.extended(self.move(tense), tense))

    def doing_well(self) -> Phrase:
        tense = self.pick(("present", "past"))
        verbs = [verb for verb in self.moves[tense] if verb.base in MANNER_VERBS]
        if not verbs:
            return self.moving()
        verb = self.pick(verbs)
        subject = self.actor_of(verb, tense, 0.6)
        english = self.pick(tuple(words.MANNERS))
        rest = Phrase(english, words.MANNERS[english], lemmas=(verb.lemma,))
        return self.said(self.extended(Clause(subject, self.group(verb, subject, tense), rest), tense))

    def giving(self) -> Phrase:
        tense = self.tense()
        clause = self.act(tense, describe=0.2)
        if not clause.group.main.endswith(tuple(GIVING_VERBS)):
            return self.said(clause)
        person = grammar.placed("for", self.one(self.kinds["person"], 0.15))
        return self.said(clause._replace(rest=grammar.joined(clause.rest, person)))

    def being_so(self) -> Phrase:
        return self.said(self.being(self.pick(("present", "present", "past"))))

    def being_there(self) -> Phrase:
        return self.said(self.location())

    def existing(self) -> Phrase:
        noun = self.pick((*self.things, *self.living))
        number = self.pick((*NUMBERS, "many", "some")) if noun.plurals and self.chance(0.6) else ""
        adjective = self.adjective(noun) if self.chance(0.5) else None
        if number and adjective and not adjective.has_plural:
            adjective = None
        determiner = number or self.pick(INDEFINITE)
        found = grammar.noun_phrase(noun, determiner, plural=bool(number), adjective=adjective)
        preposition, where = self.whereabouts(0.2) if noun.animate else self.spot()
        clause = grammar.there_is(found, grammar.placed(preposition, where))
        return grammar.question(clause) if self.chance(0.2) else grammar.ended(grammar.statement(clause))

    def liking(self) -> Phrase:
        liked = self.counted if self.counted and self.chance(0.25) else self.likable
        target = self.noun_phrase(self.pick(liked), plural=0.5)
        clause = grammar.likes(self.actor(0.2), target)
        return grammar.question(clause) if self.chance(0.2) else self.said(clause)

    def feeling(self) -> Phrase:
        subject = self.actor(0.5, animals=0.4)
        if self.chance(0.5) and subject.noun:
            number = self.pick(NUMBERS)
            clause = grammar.has_state(subject, f"{number} years old", f"{words.NUMBERS[number]} años")
        else:
            english = self.pick(tuple(words.IDIOMS))
            clause = grammar.has_state(subject, english, words.IDIOMS[english])
        return grammar.question(clause) if self.chance(0.25) else self.said(clause)

    def comparing(self) -> Phrase:
        noun = self.pick(self.living if self.chance(0.5) else (*self.things, *self.kinds["place"]))
        adjectives = [a for a in self.lexicon.described[noun.english] if a.gradable and a.copula == "ser"]
        if not adjectives:
            return self.being_so()
        adjective = self.pick(adjectives)
        alike = [n for n in self.kinds[noun.kind] if n.english in adjective.nouns and n is not noun]
        if not alike:
            return self.being_so()
        subject = self.noun_phrase(noun, describe=0, plural=0.3 * adjective.has_plural)
        other = self.noun_phrase(self.pick(alike), describe=0, plural=0.2)
        more = adjective.english in LONG_ADJECTIVES and self.chance(0.6)
        return self.said(grammar.compared(subject, adjective, other, more=more), adverb=0)

    def with_pronoun(self) -> Phrase:
        if not self.clitics:
            return self.acting()
        verb = self.pick(self.clitics)
        tense = self.pick(tuple(verb.english))
        subject = self.actor_of(verb, tense, 0.4)
        subject = self.one(self.kinds["person"], 0.4) if subject.first else subject
        pronoun = self.pick(tuple(words.CLITICS))
        clause = grammar.with_clitic(subject, verb, grammar.verb_group(verb, subject, tense), pronoun)
        return self.said(self.extended(clause, tense, 0.5))

    def none_at_all(self) -> Phrase:
        """ "nobody" as the subject, or "nothing" as the object, which Spanish negates twice."""
        tense = self.pick(("present", "past"))
        if self.chance(0.5):
            return grammar.ended(grammar.statement(self.extended(self.act(tense, NOBODY), tense, 0.3)))
        verb = self.pick([v for v in self.asked_what if tense in v.english] or self.acts[tense])
        subject = self.actor_of(verb, tense, 0.5)
        if subject.first:
            subject = self.one(self.kinds["person"], 0.5)
        group = grammar.verb_group(verb, subject, tense)
        group = group._replace(spanish=f"no {group.spanish}")
        rest = Phrase("nothing", "nada", lemmas=(verb.lemma,), tags=("negation",))
        return grammar.ended(grammar.statement(self.extended(Clause(subject, group, rest), tense, 0.5)))

    def relative(self) -> Phrase:
        """ "the man who sells flowers is tall", "the book that the girl reads is new"."""
        if self.chance(0.5):
            noun = self.pick(self.kinds["person"])
            head = grammar.noun_phrase(noun, self.pick(("the", "the", "this", "my")))
            which = self.act(self.pick(("present", "past")), Phrase("who", "que"), 0.15)
            inner = grammar.statement(which)
        else:
            verb = self.pick(self.asked_what or self.acts["present"])
            head = grammar.noun_phrase(self.pick([o for o in self.lexicon.objects[verb.base] if not o.animate]), "the")
            subject = self.one(self.kinds["person"], 0.0)
            group = grammar.verb_group(verb, subject, self.pick(tuple(verb.english)))
            used = Phrase("", "", lemmas=(verb.lemma,), pairs=((verb.lemma, head.lemmas[0]),))
            inner = grammar.joined(Phrase("that", "que"), grammar.statement(Clause(subject, group, used)))
        whole = grammar.joined(head, inner)
        whole = head._replace(
            english=whole.english, spanish=whole.spanish, lemmas=whole.lemmas, pairs=whole.pairs, tags=whole.tags
        )
        return self.said(self.being(self.pick(("present", "past")), whole), negative=0.1)

    def clause_of(self, tense: str, describe: float = 0.15, subject: Phrase | None = None) -> Clause:
        """Any clause in the present or the past; a given subject is a person or stands for one."""
        kind = self.rng.random()
        if kind < 0.4:
            return self.act(tense, subject, describe)
        return self.move(tense, subject, describe) if kind < 0.65 else self.being(tense, subject)

    def joining(self) -> Phrase:
        """Two clauses joined by "because", "when", "and" or "but"; the second often speaks of the same person."""
        tense = self.pick(("present", "past"))
        first = self.clause_of(tense)
        second = self.clause_of(tense, subject=self.same(first.subject))
        english = self.pick(("because", *words.CONJUNCTIONS))
        negation = "not" if self.chance(0.12) else ""
        conjunction = Phrase(english, words.CONJUNCTIONS[english])
        return grammar.ended(grammar.joined(grammar.statement(first), conjunction, grammar.statement(second, negation)))

    def same(self, subject: Phrase) -> Phrase | None:
        """The pronoun that takes up a subject, for people; else, and at times even so, nothing."""
        if not subject.noun or subject.noun.kind != "person" or self.chance(0.3):
            return None
        return None if subject.plural else SHE if subject.feminine else HE

    # questions

    def asking(self) -> Phrase:
        """A yes/no question."""
        tense, kind = self.tense(), self.rng.random()
        if kind < 0.45:
            clause = self.extended(self.act(tense, self.actor(0.2, animals=0), 0.25), tense, 0.2)
        elif kind < 0.65:
            clause = self.extended(self.move(tense, self.actor(0.2, animals=0)), tense, 0.2)
        else:
            clause = self.being(self.pick(("present", "past"))) if kind < 0.85 else self.location()
        return grammar.question(clause)

    def asking_what(self) -> Phrase:
        whom = self.chance(0.35) and bool(self.asked_whom)
        options = self.asked_whom if whom else self.asked_what
        verb = self.pick(options or self.acts["present"])
        tense = self.pick((*verb.english, "future"))
        subject = self.actor(0.5, animals=0)
        clause = Clause(subject, self.group(verb, subject, tense), Phrase("", "", lemmas=(verb.lemma,)))
        wh = Phrase("who", "a quién", tags=("word_order",)) if whom else Phrase("what", "qué")
        return grammar.question(self.extended(clause, tense, 0.5), wh)

    def asking_who(self) -> Phrase:
        tense = self.tense()
        clause = self.act(tense, WHO) if self.chance(0.7) else self.move(tense, WHO)
        return grammar.subject_question(self.extended(clause, tense))

    def asking_where(self) -> Phrase:
        if self.chance(0.5):
            subject = self.one((*self.things, *self.living, *self.kinds["place"]), 0.6)
            group = grammar.be_group("estar", subject, self.pick(("present", "present", "past")))
            return grammar.question(Clause(subject, group, NOTHING), Phrase("where", "dónde"))
        tense = self.tense()
        clause = self.act(tense, self.actor(0.2, animals=0), 0.25)
        return grammar.question(clause, Phrase("where", "dónde"))

    def asking_why(self) -> Phrase:
        wh = self.pick((Phrase("why", "por qué"), Phrase("why", "por qué"), Phrase("when", "cuándo")))
        tense = self.tense()
        if wh.english == "why" and self.chance(0.4):
            return grammar.question(self.being(self.pick(("present", "past"))), wh)
        doing = self.act if self.chance(0.6) else self.move
        return grammar.question(doing(tense, self.actor(0.2, animals=0)), wh)

    def asking_how_many(self) -> Phrase:
        verbs = [v for v in self.asked_what if any(n.plurals for n in self.lexicon.objects[v.base])]
        if not verbs:
            return self.asking_what()
        verb = self.pick(verbs)
        noun = self.pick([n for n in self.lexicon.objects[verb.base] if n.plurals])
        english, spanish = noun.plurals
        pairs = ((verb.lemma, noun.lemma),)
        wh = Phrase(
            f"how many {english}",
            f"{'cuántas' if noun.feminine else 'cuántos'} {spanish}",
            pairs=pairs,
            lemmas=(noun.lemma, verb.lemma),
            tags=("agreement",) if noun.feminine else (),
        )
        subject = self.actor(0.3, animals=0)
        return grammar.question(Clause(subject, self.group(verb, subject, self.pick(tuple(verb.english))), NOTHING), wh)


PLANS: tuple[tuple[Callable[[Drawer], Phrase], int], ...] = (
    (Drawer.acting, 24),
    (Drawer.moving, 10),
    (Drawer.doing_well, 4),
    (Drawer.giving, 4),
    (Drawer.being_so, 10),
    (Drawer.being_there, 7),
    (Drawer.existing, 4),
    (Drawer.liking, 4),
    (Drawer.feeling, 4),
    (Drawer.comparing, 4),
    (Drawer.with_pronoun, 5),
    (Drawer.none_at_all, 3),
    (Drawer.relative, 6),
    (Drawer.joining, 10),
    (Drawer.asking, 8),
    (Drawer.asking_what, 3),
    (Drawer.asking_who, 2),
    (Drawer.asking_where, 3),
    (Drawer.asking_why, 3),
    (Drawer.asking_how_many, 2),
)
