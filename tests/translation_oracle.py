"""Translates an English sentence of the translation world by reading it, word by word, with the word lists alone.

It shares the lexicon with the corpus but not its grammar, so that agreement of the two says that a source determines
its target, and that every rule of the grammar is applied throughout.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tasks.corpora import translation_words as words
from tasks.corpora.translation_lexicon import Adjective, Noun, Verb, whole_lexicon

LEXICON = whole_lexicon()
NOUNS: dict[str, tuple[Noun, bool]] = {}
for _noun in LEXICON.nouns:
    NOUNS[_noun.english] = (_noun, False)
    if _noun.plurals:
        NOUNS[_noun.plurals[0]] = (_noun, True)
ADJECTIVES: dict[str, Adjective] = {adjective.english: adjective for adjective in LEXICON.adjectives}
BASES: dict[str, Verb] = {verb.base: verb for verb in LEXICON.verbs}
FINITE: dict[str, tuple[Verb, str]] = {
    form: (verb, tense) for verb in LEXICON.verbs for tense, forms in verb.english.items() for form in forms
}
BE_WORDS = ("is", "are", "am", "was", "were")
PRONOUNS = {"he": "él", "she": "ella", "they": "ellos", "i": "", "nobody": "nadie", "who": "quién"}
CONJUNCTIONS = {"because": "porque", "when": "cuando", "and": "y", "but": "pero"}
SIMPLE = {**words.PREPOSITIONS, "to": "a", "at": "a", "from": "de"}
ADVERBS = {**words.TIMES["present"], **words.TIMES["past"], **words.TIMES["future"], **words.MANNERS, "nothing": "nada"}


WANT, HAVE_TO = ("quiere", "quieren", "quiero"), ("tiene que", "tienen que", "tengo que")
CAN, CANNOT = ("puede", "pueden", "puedo"), ("no puede", "no pueden", "no puedo")
MODALS = {"want to": WANT, "wants to": WANT, "have to": HAVE_TO, "has to": HAVE_TO, "can": CAN, "cannot": CANNOT}


@dataclass(frozen=True)
class Nominal:
    """A noun phrase as read: its Spanish, and what agreement and the personal `a` need."""

    spanish: str
    feminine: bool = False
    person: int = 0
    noun: Noun | None = None

    @property
    def plural(self) -> bool:
        return self.person == 1


def translate(sentence: str) -> str:
    """The Spanish of an English sentence of the world."""
    tokens = sentence[:-1].split()
    reader = Reader(tokens)
    spanish = f"¿{reader.question()}?" if sentence.endswith("?") else reader.statement() + "."
    if reader.peek():
        raise ValueError(f"unread: {reader.tokens[reader.at :]} of {sentence!r}")
    return spanish


class Reader:
    """Reads a sentence from left to right."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ""

    def take(self, *wanted: str) -> bool:
        if [*wanted] == self.tokens[self.at : self.at + len(wanted)]:
            self.at += len(wanted)
            return True
        return False

    def next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    # noun phrases

    def nominal(self) -> Nominal:
        if self.peek() in PRONOUNS:
            word = self.next()
            person = {"they": 1, "i": 2}.get(word, 0)
            return Nominal(PRONOUNS[word], word == "she", person)
        determiner = ""
        if self.peek() in {*words.SINGULAR_DETERMINERS, *words.PLURAL_DETERMINERS, *words.NUMBERS, "an"}:
            determiner = self.next().replace("an", "a") if self.peek() == "an" else self.next()
        before = self.next() if self.peek() in words.BEFORE_NOUN else ""
        very = "muy " if self.take("very") else ""
        adjective = ADJECTIVES[self.next()] if self.peek() in ADJECTIVES else None
        name = self.next()
        noun, plural = NOUNS[name.removesuffix("'s")]
        parts = [self.determiner(determiner, noun, plural)]
        parts += [words.BEFORE_NOUN[before].split()[noun.feminine]] if before else []
        parts.append(noun.plurals[1] if plural else noun.spanish)
        parts += [very + adjective.form(noun.feminine, plural)] if adjective else []
        found = Nominal(" ".join(part for part in parts if part), noun.feminine, int(plural), noun)
        if name.endswith("'s"):
            self.at -= 1
            self.tokens[self.at] = "the"
            thing = self.nominal()
            return replace(thing, spanish=f"{thing.spanish} de {found.spanish}")
        return found

    @staticmethod
    def determiner(english: str, noun: Noun, plural: bool) -> str:
        if not english or english in words.NUMBERS:
            return words.NUMBERS.get(english, "")
        table = words.PLURAL_DETERMINERS if plural else words.SINGULAR_DETERMINERS
        return table[english].split()[noun.feminine]

    def subject(self) -> Nominal:
        """A nominal with its relative clause, if it has one."""
        head = self.nominal()
        if self.take("who"):
            return replace(head, spanish=f"{head.spanish} que {self.predicate(Nominal('que'))}")
        if self.take("that"):
            inner = self.nominal()
            return replace(head, spanish=f"{head.spanish} que {inner.spanish} {self.verb(inner)[0]}")
        return head

    # verbs

    def verb(self, subject: Nominal) -> tuple[str, Verb | None]:
        """The Spanish of a finite verb other than to be, modals included, and the verb that may take an object."""
        if self.take("can", "never"):
            self.at -= 1
            self.tokens[self.at] = "can"
            form, verb = self.verb(subject)
            return f"nunca {form}", verb
        for modal, forms in MODALS.items():
            if self.take(*modal.split()):
                verb = self.base()
                return f"{forms[subject.person]} {verb.infinitive}", verb
        for length in (2, 1):
            form = " ".join(self.tokens[self.at : self.at + length])
            if form in FINITE:
                self.at += length
                verb, tense = FINITE[form]
                return verb.spanish[tense][subject.person], verb
        raise ValueError(f"no verb at {self.tokens[self.at:]}")

    def base(self) -> Verb:
        for length in (2, 1):
            form = " ".join(self.tokens[self.at : self.at + length])
            if form in BASES:
                self.at += length
                return BASES[form]
        raise ValueError(f"no base form at {self.tokens[self.at:]}")

    def main_verb(self, tense: str, subject: Nominal) -> tuple[str, Verb | None]:
        """After do, does or did: a base form, or a modal's."""
        if (self.peek(), self.peek(1)) in (("want", "to"), ("have", "to")):
            return self.verb(subject)
        verb = self.base()
        return verb.spanish[tense][subject.person], verb

    # clauses

    def statement(self) -> str:
        for english, spanish in (("then", "luego"), ("later", "más tarde")):
            if self.take(english):
                return f"{spanish} {self.statement()}"
        if self.take("there"):
            self.next()
            return contracted(f"hay {self.nominal().spanish} {self.tail()}")
        subject = self.subject()
        first = contracted(f"{self.experiencer(subject)} {self.predicate(subject)}".strip())
        if self.peek() in CONJUNCTIONS:
            return f"{first} {CONJUNCTIONS[self.next()]} {self.statement()}"
        return first

    def experiencer(self, subject: Nominal) -> str:
        """The subject, which is an indirect object in Spanish before "to like"."""
        ahead = self.tokens[self.at : self.at + 3]
        return f"a {subject.spanish}" if {"like", "likes"} & {*ahead} else subject.spanish

    def predicate(self, subject: Nominal) -> str:
        if self.peek() in BE_WORDS:
            return self.being(subject)
        tense = ""
        if self.peek() in ("do", "does", "did") and self.peek(1) == "not":
            tense = "past" if self.next() == "did" else "present"
            self.next()
        adverb = "no " if tense else self.adverb()
        if self.peek() in ("like", "likes"):
            self.next()
            return adverb + self.liked(subject)
        verb, lemma = self.main_verb(tense, subject) if tense else self.verb(subject)
        return adverb + self.completed(verb, lemma)

    def adverb(self) -> str:
        for english, spanish in (*words.PREVERBS.items(), ("never", "nunca")):
            if self.take(english):
                return spanish + " "
        return ""

    def last_night(self) -> bool:
        """ "last" begins a time here, and a noun phrase elsewhere ("saw her last book")."""
        return self.peek(1) == "last" and self.peek(2) == "night"

    def liked(self, subject: Nominal) -> str:
        target = self.nominal()
        verb = f"{'les' if subject.plural else 'le'} {'gustan' if target.plural else 'gusta'}"
        return f"{verb} {target.spanish} {self.tail()}"

    def completed(self, verb: str, lemma: Verb | None) -> str:
        """The verb with its object: a clitic goes before it, "nothing" negates it too."""
        pronoun = self.peek()
        follows = self.peek(1).removesuffix("'s")
        possessive = follows in {*NOUNS, *ADJECTIVES, *words.BEFORE_NOUN, "very"} and not self.last_night()
        if pronoun in words.CLITICS and not possessive:
            self.next()
            return f"{words.CLITICS[pronoun]} {verb} {self.tail()}".strip()
        return f"{'no ' if pronoun == 'nothing' else ''}{verb} {self.object(lemma)} {self.tail()}".strip()

    def object(self, lemma: Verb | None) -> str:
        if not self.starts_nominal():
            return ""
        target = self.nominal()
        animate = target.noun is not None and target.noun.kind in ("person", "animal")
        personal = animate and lemma is not None and lemma.base not in ("have", "draw")
        return f"a {target.spanish}" if personal else target.spanish

    def starts_nominal(self) -> bool:
        """Whether a noun phrase comes next, and not "every day" or "a lot"."""
        if any(self.tokens[self.at : self.at + len(a.split())] == a.split() for a in ADVERBS):
            return False
        word = self.peek()
        determiners = {*words.SINGULAR_DETERMINERS, *words.PLURAL_DETERMINERS, *words.NUMBERS, "an"}
        return word.removesuffix("'s") in {*determiners, "very", *NOUNS, *ADJECTIVES}

    def tail(self) -> str:
        """Adverbs and prepositional phrases to the end of the clause."""
        parts: list[str] = []
        while True:
            found = self.adjunct()
            if not found:
                return " ".join(parts)
            parts.append(found)

    def adjunct(self) -> str:
        for english, spanish in ADVERBS.items():
            if self.take(*english.split()):
                return spanish
        for english, spanish in words.COMPOUND_PREPOSITIONS.items():
            if self.take(*english.split()):
                return f"{spanish} de {self.nominal().spanish}"
        if self.peek() in SIMPLE:
            return f"{SIMPLE[self.next()]} {self.nominal().spanish}"
        return ""

    def being(self, subject: Nominal) -> str:
        past = self.next() in ("was", "were")
        adverb = "no " if self.take("not") else self.adverb()
        if self.take("going", "to"):
            lemma = self.base()
            return adverb + self.completed(f"{('va', 'van', 'voy')[subject.person]} a {lemma.infinitive}", lemma)
        verb, rest = self.state(subject, past)
        return f"{adverb}{verb} {rest}"

    def state(self, subject: Nominal, past: bool) -> tuple[str, str]:
        """After to be: the Spanish verb, which may be tener, and what follows it."""
        if self.peek() in words.IDIOMS or self.peek(1) == "years":
            known = words.IDIOMS.get(self.peek()) or f"{words.NUMBERS[self.peek()]} años"
            self.at += 1 if self.peek() in words.IDIOMS else 3
            return "tienen" if subject.plural else "tiene", known
        degree = {"very": "muy ", "as": "tan ", "more": "más "}.get(self.peek(), "")
        self.at += bool(degree)
        if self.peek() not in ADJECTIVES:
            return copula("estar", subject, past), self.tail()
        adjective = ADJECTIVES[self.next()]
        rest = degree + adjective.form(subject.feminine, subject.plural)
        if self.take("as") or self.take("than"):
            rest += f" {'como' if degree == 'tan ' else 'que'} {self.nominal().spanish}"
        return copula(adjective.copula, subject, past), rest

    # questions

    def question(self) -> str:
        return contracted(" ".join(self.asked().split()))

    def asked(self) -> str:
        simple = {"what": "qué", "where": "dónde", "when": "cuándo", "why": "por qué"}
        if self.peek() in simple:
            return f"{simple[self.next()]} {self.inverted()}"
        if self.take("how", "many"):
            noun, _ = NOUNS[self.next()]
            return f"{'cuántas' if noun.feminine else 'cuántos'} {noun.plurals[1]} {self.inverted()}"
        if self.peek() == "who":
            self.next()
            auxiliary = self.peek() in ("do", "does", "did", *BE_WORDS, "can")
            if not auxiliary or self.tokens[self.at + 1] == "going" or self.bare_after_can():
                return f"quién {self.predicate(Nominal('quién'))}"
            return f"a quién {self.inverted()}"
        return self.inverted()

    def bare_after_can(self) -> bool:
        return self.peek() == "can" and any(" ".join(self.tokens[self.at + 1 :]).startswith(base) for base in BASES)

    def inverted(self) -> str:
        auxiliary = self.next()
        if auxiliary in BE_WORDS:
            return self.inverted_being(auxiliary in ("was", "were"))
        subject = self.subject()
        if self.take("like"):
            first, _, rest = self.liked(subject).partition(" gusta")
            verb, _, rest = rest.partition(" ")
            return f"{first} gusta{verb} a {subject.spanish} {rest}"
        if auxiliary == "can":
            lemma: Verb | None = self.base()
            assert lemma
            verb = f"{('puede', 'pueden')[subject.person]} {lemma.infinitive}"
        else:
            verb, lemma = self.main_verb("past" if auxiliary == "did" else "present", subject)
        return f"{verb} {subject.spanish} {self.object(lemma)} {self.tail()}"

    def inverted_being(self, past: bool) -> str:
        if self.take("there"):
            return f"hay {self.nominal().spanish} {self.tail()}"
        subject = self.subject()
        if self.take("going", "to"):
            lemma = self.base()
            rest = f"{self.object(lemma)} {self.tail()}"
            return f"{('va', 'van')[subject.person]} a {lemma.infinitive} {subject.spanish} {rest}"
        location = self.peek() not in {*ADJECTIVES, *words.IDIOMS, "very", "as", "more"} and self.peek(1) != "years"
        verb, rest = self.state(subject, past)
        return f"{verb} {subject.spanish} {rest}" if location else f"{verb} {rest} {subject.spanish}"


def copula(name: str, subject: Nominal, past: bool) -> str:
    forms = {"ser": "es son era eran", "estar": "está están estaba estaban"}[name].split()
    return forms[subject.plural + 2 * past]


def contracted(spanish: str) -> str:
    """`a el` and `de el` in one word, and single spaces."""
    return f" {' '.join(spanish.split())} ".replace(" a el ", " al ").replace(" de el ", " del ").strip()
