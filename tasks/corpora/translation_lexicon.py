"""Nouns, verbs and adjectives of the translation world, inflected in both languages, and what goes with what.

Reads the compact lists of `translation_words`; knows nothing of sentences or splits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from tasks.corpora import translation_words as words


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun; `plurals` is empty where the world only uses the singular."""

    english: str
    spanish: str
    feminine: bool
    kind: str
    plurals: tuple[str, ...]

    @property
    def animate(self) -> bool:
        return self.kind in ("person", "animal")

    @property
    def lemma(self) -> str:
        return self.english


@dataclass(frozen=True, slots=True)
class Adjective:
    """An adjective and the nouns it may describe; `spanish` holds masculine, feminine and their plurals, if used."""

    english: str
    spanish: tuple[str, ...]
    copula: str
    gradable: bool
    nouns: frozenset[str]

    @property
    def lemma(self) -> str:
        return self.english

    @property
    def has_plural(self) -> bool:
        return len(self.spanish) > 2

    def form(self, feminine: bool, plural: bool) -> str:
        return self.spanish[feminine + 2 * plural]


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb. Finite forms by tense: English (3rd singular, other persons), Spanish (3rd singular, 3rd plural, 1st)."""

    base: str
    infinitive: str
    english: dict[str, tuple[str, str]]
    spanish: dict[str, tuple[str, ...]]
    objects: tuple[str, ...]
    preposition: str
    subjects: tuple[str, ...]
    personal_a: bool

    @property
    def lemma(self) -> str:
        return self.base

    def forms(self) -> tuple[str, ...]:
        """The finite English forms that the world uses."""
        return tuple(form for forms in self.english.values() for form in forms)

    @property
    def has_first_person(self) -> bool:
        return len(self.spanish.get("present", ())) > 2


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words that may be drawn, with indexes of what fits what. `restrict` gives the lexicon of a split."""

    nouns: tuple[Noun, ...]
    verbs: tuple[Verb, ...]
    adjectives: tuple[Adjective, ...]
    kinds: dict[str, tuple[Noun, ...]] = field(init=False)
    plurals: dict[str, tuple[Noun, ...]] = field(init=False)
    described: dict[str, tuple[Adjective, ...]] = field(init=False)
    objects: dict[str, tuple[Noun, ...]] = field(init=False)
    transitive: tuple[Verb, ...] = field(init=False)
    intransitive: tuple[Verb, ...] = field(init=False)

    def __post_init__(self) -> None:
        by_name = {noun.english: noun for noun in self.nouns}
        fill = object.__setattr__
        kinds = {kind: tuple(n for n in self.nouns if n.kind == kind) for kind in words.NOUNS}
        fill(self, "kinds", kinds)
        fill(self, "plurals", {kind: tuple(n for n in members if n.plurals) for kind, members in kinds.items()})
        described = {n.english: tuple(a for a in self.adjectives if n.english in a.nouns) for n in self.nouns}
        fill(self, "described", described)
        fill(self, "objects", {v.base: tuple(by_name[o] for o in v.objects if o in by_name) for v in self.verbs})
        fill(self, "transitive", tuple(v for v in self.verbs if self.objects[v.base] and not v.preposition))
        fill(
            self,
            "intransitive",
            tuple(v for v in self.verbs if not v.objects or (v.preposition and self.objects[v.base])),
        )

    def lemmas(self) -> list[str]:
        """Every lemma once; "open" is a verb and an adjective."""
        nouns, verbs = [noun.lemma for noun in self.nouns], [verb.lemma for verb in self.verbs]
        return list(dict.fromkeys([*nouns, *verbs, *(adjective.lemma for adjective in self.adjectives)]))

    def restrict(self, lemmas: Iterable[str]) -> Lexicon:
        known = frozenset(lemmas)
        return Lexicon(
            tuple(n for n in self.nouns if n.lemma in known),
            tuple(v for v in self.verbs if v.lemma in known),
            tuple(a for a in self.adjectives if a.lemma in known),
        )


@cache
def whole_lexicon() -> Lexicon:
    """Every word of the world."""
    nouns = tuple(_noun(entry, kind) for kind, entries in words.NOUNS.items() for entry in entries.split(","))
    verbs = tuple(_verb(line.split(), nouns) for line in words.VERBS.strip().splitlines())
    entries = words.ADJECTIVES.replace("\n", ";").split(";")
    return Lexicon(nouns, verbs, tuple(_adjective(entry.split(), nouns) for entry in entries if entry.strip()))


def _noun(entry: str, kind: str) -> Noun:
    english, spanish, *gender = entry.split()
    name = english.rstrip("+")
    feminine = gender == ["f"] if gender else spanish.endswith("a")
    plurals = (english_plural(name), spanish_plural(spanish)) if english.endswith("+") else ()
    return Noun(name, spanish, feminine, kind, plurals)


def _adjective(fields: list[str], nouns: tuple[Noun, ...]) -> Adjective:
    english, spanish, copula, *groups = fields
    masculine = spanish.replace("_", " ")
    # "wooden" is "de madera": a phrase does not agree, nor do adjectives in -e or a consonant
    feminine = masculine[:-1] + "a" if masculine.endswith("o") and " " not in masculine else masculine
    forms: tuple[str, ...] = (masculine, feminine)
    if copula.endswith("+"):
        forms += forms if " " in masculine else (spanish_plural(masculine), spanish_plural(feminine))
    members = frozenset(name for group in groups for name in _members(group, nouns))
    return Adjective(english.rstrip("*"), forms, copula.rstrip("+"), english.endswith("*"), members)


def _verb(fields: list[str], nouns: tuple[Noun, ...]) -> Verb:
    key, past, infinitive, tenses, *groups = fields
    base, past = key.replace("_", " "), past.replace("_", " ")
    english = {"present": (third_person(base), base), "past": (past, past)}
    spanish = _spanish_forms(infinitive, first=key in words.FIRST_PERSON)
    kept = ("present", "past") if tenses == "both" else (tenses,)
    places = [group.split("=") for group in groups if "=" in group]
    names = [group.split("=")[0] for group in groups]
    return Verb(
        base,
        infinitive,
        {t: english[t] for t in kept},
        {t: spanish[t] for t in kept},
        tuple(dict.fromkeys(name for group in names for name in _members(group, nouns))),
        places[0][1] if places else "",
        ("person", "animal") if key in words.ANIMAL_SUBJECTS else ("person",),
        key not in words.NO_PERSONAL_A,
    )


def _members(group: str, nouns: tuple[Noun, ...]) -> list[str]:
    """The nouns named by a kind, by a group, or by themselves, in a fixed order."""
    if group in words.NOUNS:
        return [noun.english for noun in nouns if noun.kind == group]
    return words.GROUPS[group].split() if group in words.GROUPS else [group]


def _spanish_forms(infinitive: str, first: bool) -> dict[str, tuple[str, ...]]:
    """Third singular, third plural and, where used, first singular, by tense."""
    stem, ending = infinitive[:-2], infinitive[-2:].replace("í", "i")
    present = {"ar": "a an o", "er": "e en o", "ir": "e en o"}[ending].split()
    past = {"ar": "ó aron"}.get(ending, "ió ieron").split()
    given = words.IRREGULAR.get(infinitive, "- - - | - -").split("|")
    tables = {"present": zip(given[0].split(), present, strict=True), "past": zip(given[1].split(), past, strict=True)}
    forms = {
        tense: tuple(stem + rule if irregular == "-" else irregular for irregular, rule in table)
        for tense, table in tables.items()
    }
    return {"present": forms["present"][: 3 if first else 2], "past": forms["past"]}


def english_plural(noun: str) -> str:
    if noun in words.ENGLISH_PLURALS:
        return words.ENGLISH_PLURALS[noun]
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def spanish_plural(word: str) -> str:
    irregular = {"joven": "jóvenes", **words.SPANISH_PLURALS}
    if word in irregular:
        return irregular[word]
    if word.endswith("z"):
        return word[:-1] + "ces"
    return word + ("s" if word[-1] in "aeiouáéó" else "es")


def third_person(verb: str) -> str:
    """The third person singular of an English verb; of "wait for", the first word inflects."""
    head, space, rest = verb.partition(" ")
    if head == "have":
        return "has"
    if head.endswith("y") and head[-2] not in "aeiou":
        head = head[:-1] + "i"
    return head + ("es" if head.endswith(("s", "x", "ch", "sh", "o", "i")) else "s") + space + rest
