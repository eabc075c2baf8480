"""The grammar of the translation world: each phrase is built once and carries its English and its Spanish together.

Because both sides grow from the same choice of words, a finished sentence has one source and one target. Nothing here
draws at random; `translation_sentences` makes the choices.
"""

from __future__ import annotations

from typing import NamedTuple

from tasks.corpora import translation_words as words
from tasks.corpora.translation_lexicon import Adjective, Noun, Verb

Pair = tuple[str, str]
"""Two lemmas used together: adjective and noun, or verb and object."""

BE = {"present": ("is", "are", "am"), "past": ("was", "were", "was")}
COPULAS = {
    "ser": {"present": ("es", "son"), "past": ("era", "eran")},
    "estar": {"present": ("está", "están"), "past": ("estaba", "estaban")},
}
GO = ("va", "van", "voy")
MODALS = {
    # English (3rd singular, other), what follows it, Spanish (3rd singular, 3rd plural, 1st singular)
    "want": (("wants", "want"), " to", ("quiere", "quieren", "quiero")),
    "have to": (("has", "have"), " to", ("tiene que", "tienen que", "tengo que")),
    "can": (("can", "can"), "", ("puede", "pueden", "puedo")),
}
BEFORE_NOUN = {english: tuple(forms.split()) for english, forms in words.BEFORE_NOUN.items()}
DETERMINERS = {
    plural: {english: tuple(forms.split()) for english, forms in table.items()}
    for plural, table in ((False, words.SINGULAR_DETERMINERS), (True, words.PLURAL_DETERMINERS))
}


class Phrase(NamedTuple):
    """A piece of a sentence in both languages, with what the rest of the sentence must know of it."""

    english: str
    spanish: str
    feminine: bool = False
    plural: bool = False
    first: bool = False
    noun: Noun | None = None
    lemmas: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def animate(self) -> bool:
        return self.noun is not None and self.noun.animate


class VerbGroup(NamedTuple):
    """A finite verb with its auxiliary: "does" + "see" / "sees", "is" + "going to see"; and the Spanish whole."""

    auxiliary: str
    main: str
    finite: str
    spanish: str


class Clause(NamedTuple):
    """Subject, verb and the rest. `predicate` follows the verb even in a Spanish question ("¿es roja la casa?")."""

    subject: Phrase
    group: VerbGroup
    rest: Phrase
    predicate: bool = False


NOTHING = Phrase("", "")


def noun_phrase(
    noun: Noun,
    determiner: str,
    *,
    plural: bool = False,
    adjective: Adjective | None = None,
    very: bool = False,
    before: str = "",
) -> Phrase:
    """`very`: "very tall"; `before`: one of the adjectives that come first in Spanish too."""
    english_noun, spanish_noun = noun.plurals if plural else (noun.english, noun.spanish)
    english = [before] if before else []
    spanish = [BEFORE_NOUN[before][noun.feminine]] if before else []
    spanish.append(spanish_noun)
    tags: tuple[str, ...] = ("agreement",) if before and noun.feminine and spanish[0][-1] == "a" else ()
    if adjective:
        description = _description(adjective, very, noun.feminine, plural)
        english.append(description.english)
        spanish.append(description.spanish)
        tags += ("word_order", *description.tags)
    english.append(english_noun)
    if determiner:
        english.insert(0, _article(determiner, english[0]))
        spanish.insert(0, _spanish_determiner(determiner, noun.feminine, plural))
    lemmas = (noun.lemma, adjective.lemma) if adjective else (noun.lemma,)
    pairs = ((adjective.lemma, noun.lemma),) if adjective else ()
    return Phrase(" ".join(english), " ".join(spanish), noun.feminine, plural, False, noun, lemmas, pairs, tags)


def _article(determiner: str, following: str) -> str:
    return "an" if determiner == "a" and following[0] in "aeiou" else determiner


def _spanish_determiner(determiner: str, feminine: bool, plural: bool) -> str:
    if determiner in words.NUMBERS:
        return words.NUMBERS[determiner]
    return DETERMINERS[plural][determiner][feminine]


def _description(adjective: Adjective, very: bool, feminine: bool, plural: bool) -> Phrase:
    form = adjective.form(feminine, plural)
    tags = ("agreement",) if form != adjective.spanish[0] else ()
    if very:
        return Phrase(f"very {adjective.english}", f"muy {form}", lemmas=(adjective.lemma,), tags=tags)
    return Phrase(adjective.english, form, lemmas=(adjective.lemma,), tags=tags)


def to(spanish: str) -> str:
    """The Spanish preposition `a` before a phrase: "a el" becomes "al"."""
    return "al" + spanish[2:] if spanish.startswith("el ") else "a " + spanish


def of(spanish: str) -> str:
    """The Spanish preposition `de` before a phrase: "de el" becomes "del"."""
    return "del" + spanish[2:] if spanish.startswith("el ") else "de " + spanish


def owned(owner: Phrase, thing: Phrase) -> Phrase:
    """The owner's thing; `thing` is built with the determiner "the", which English gives up for the genitive."""
    return thing._replace(
        english=f"{owner.english}'s {thing.english.removeprefix('the ')}",
        spanish=f"{thing.spanish} {of(owner.spanish)}",
        lemmas=owner.lemmas + thing.lemmas,
        pairs=owner.pairs + thing.pairs,
        tags=(*owner.tags, *thing.tags, "word_order"),
    )


def placed(preposition: str, place: Phrase) -> Phrase:
    """A prepositional phrase; arriving "at" a place and going "to" it are both `a`."""
    if preposition in words.PREPOSITIONS:
        spanish = f"{words.PREPOSITIONS[preposition]} {place.spanish}"
    elif preposition in ("to", "at"):
        spanish = to(place.spanish)
    elif preposition == "from":
        spanish = of(place.spanish)
    else:
        spanish = f"{words.COMPOUND_PREPOSITIONS[preposition]} {of(place.spanish)}"
    return place._replace(english=f"{preposition} {place.english}", spanish=spanish)


def joined(*parts: Phrase) -> Phrase:
    """The parts one after the other, in the same order in both languages."""
    return Phrase(
        " ".join(part.english for part in parts if part.english),
        " ".join(part.spanish for part in parts if part.spanish),
        lemmas=tuple(lemma for part in parts for lemma in part.lemmas),
        pairs=tuple(pair for part in parts for pair in part.pairs),
        tags=tuple(tag for part in parts for tag in part.tags),
    )


def verb_group(verb: Verb, subject: Phrase, tense: str, modal: str = "") -> VerbGroup:
    """The verb as the subject needs it; with a modal the tense is the present."""
    other = subject.plural or subject.first
    person = 2 if subject.first else int(subject.plural)
    if modal:
        forms, link, spanish = MODALS[modal]
        auxiliary = "can" if modal == "can" else "do" if other else "does"
        main = verb.base if modal == "can" else f"{forms[1]}{link} {verb.base}"
        return VerbGroup(auxiliary, main, f"{forms[other]}{link} {verb.base}", f"{spanish[person]} {verb.infinitive}")
    if tense == "future":
        be, main = BE["present"][person], f"going to {verb.base}"
        return VerbGroup(be, main, f"{be} {main}", f"{GO[person]} a {verb.infinitive}")
    auxiliary = "did" if tense == "past" else "do" if other else "does"
    return VerbGroup(auxiliary, verb.base, verb.english[tense][other], verb.spanish[tense][person])


def be_group(copula: str, subject: Phrase, tense: str) -> VerbGroup:
    be = BE[tense][subject.plural]
    return VerbGroup(be, "", be, COPULAS[copula][tense][subject.plural])


def described(subject: Phrase, adjective: Adjective, tense: str, very: bool) -> Clause:
    """The subject is so: the adjective decides between ser and estar and agrees with the subject."""
    predicate = _description(adjective, very, subject.feminine, subject.plural)
    if subject.noun and subject.noun.english in adjective.nouns:
        predicate = predicate._replace(pairs=((adjective.lemma, subject.noun.lemma),))
    return Clause(subject, be_group(adjective.copula, subject, tense), predicate, predicate=True)


def with_object(subject: Phrase, verb: Verb, group: VerbGroup, target: Phrase) -> Clause:
    """A transitive clause, with the personal `a` before people and animals."""
    pairs: tuple[Pair, ...] = ((verb.lemma, target.noun.lemma),) if target.noun else ()
    spanish = to(target.spanish) if target.animate and verb.personal_a else target.spanish
    rest = target._replace(spanish=spanish, lemmas=(verb.lemma, *target.lemmas), pairs=pairs + target.pairs)
    return Clause(subject, group, rest)


def statement(clause: Clause, negation: str = "", preverb: str = "") -> Phrase:
    """An affirmative or negative statement without its full stop; `negation` is "", "not" or "never"."""
    subject, group, rest, _ = clause
    auxiliary, main, finite, spanish = group
    tags = ("negation",) if negation else ()
    if negation == "not":
        english = "cannot" if auxiliary == "can" else f"{auxiliary} not"
        verbs = Phrase(f"{english} {main}".strip(), f"no {spanish}", tags=tags)
    elif negation or preverb:
        adverb = Phrase("never", "nunca") if negation else Phrase(preverb, words.PREVERBS[preverb])
        # "never sees", but "is never tired" and "is never going to see"
        split = finite.split(" ", 1) if auxiliary == finite.split(" ")[0] else ["", finite]
        verbs = joined(Phrase(split[0], ""), adverb, Phrase(split[1] if len(split) > 1 else "", spanish))
        verbs = verbs._replace(tags=tags)
    else:
        verbs = Phrase(finite, spanish)
    return joined(subject, verbs, rest)


def question(clause: Clause, wh: Phrase = NOTHING) -> Phrase:
    """A question with its marks: Spanish puts the subject after the verb, and after a predicate too."""
    subject, group, rest, predicate = clause
    english = (wh.english, group.auxiliary, subject.english, group.main, rest.english)
    tail = (rest.spanish, subject.spanish) if predicate else (subject.spanish, rest.spanish)
    spanish = (wh.spanish, group.spanish, *tail)
    return joined(wh, subject, rest)._replace(
        english=" ".join(part for part in english if part) + "?",
        spanish=f"¿{' '.join(part for part in spanish if part)}?",
        tags=("question", *wh.tags, *subject.tags, *rest.tags),
    )


def ended(phrase: Phrase) -> Phrase:
    """The phrase as a sentence with its full stop."""
    return phrase._replace(english=phrase.english + ".", spanish=phrase.spanish + ".")


def subject_question(clause: Clause) -> Phrase:
    """A question whose subject is the question word: nothing moves in either language."""
    asked = statement(clause)
    return asked._replace(english=asked.english + "?", spanish=f"¿{asked.spanish}?", tags=("question", *asked.tags))


def likes(subject: Phrase, target: Phrase) -> Clause:
    """English "she likes it", Spanish "a ella le gusta": the thing liked is what the verb agrees with."""
    spanish = f"{'les' if subject.plural else 'le'} {'gustan' if target.plural else 'gusta'}"
    group = VerbGroup("do" if subject.plural else "does", "like", "like" if subject.plural else "likes", spanish)
    return Clause(subject._replace(spanish=to(subject.spanish), tags=(*subject.tags, "word_order")), group, target)


def has_state(subject: Phrase, english: str, spanish: str) -> Clause:
    """English "to be hungry", "to be nine years old"; Spanish "tener hambre", "tener nueve años"."""
    be = BE["present"][subject.plural]
    group = VerbGroup(be, "", be, "tienen" if subject.plural else "tiene")
    return Clause(subject, group, Phrase(english, spanish), predicate=True)


def there_is(found: Phrase, where: Phrase) -> Clause:
    be = BE["present"][found.plural]
    return Clause(Phrase("there", ""), VerbGroup(be, "", be, "hay"), joined(found, where))


def compared(subject: Phrase, adjective: Adjective, other: Phrase, *, more: bool) -> Clause:
    """ "as tall as", "more expensive than"."""
    form = adjective.form(subject.feminine, subject.plural)
    english, spanish = ("more {} than", "más {} que") if more else ("as {} as", "tan {} como")
    tags = ("agreement",) if form != adjective.spanish[0] else ()
    lemmas, pairs = (adjective.lemma,), ((adjective.lemma, subject.noun.lemma),) if subject.noun else ()
    degree = Phrase(english.format(adjective.english), spanish.format(form), lemmas=lemmas, pairs=pairs, tags=tags)
    return Clause(subject, be_group(adjective.copula, subject, "present"), joined(degree, other))


def with_clitic(subject: Phrase, verb: Verb, group: VerbGroup, pronoun: str) -> Clause:
    """An object pronoun: after the English verb, before the Spanish one."""
    group = group._replace(spanish=f"{words.CLITICS[pronoun]} {group.spanish}")
    return Clause(subject, group, Phrase(pronoun, "", lemmas=(verb.lemma,), tags=("word_order",)))
