"""Short reports from a small town, with one main event among weather, small talk and side news.

A row: {"document", "summary", "phenomena": [..]}. The document (35 to 60 words) marks its main event by a cue; the
summary (7 to 14 words) states that event as `who did what where when`, in the active voice and with the canonical verb.

Phenomena: `lead`, `middle`, `late` (where the event is told); `two_part` (told over two sentences); `paraphrase` (told
in another verb than the canonical one); `number` (a count must be right); `noisy` (an aside, or three
side events and more).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

from tasks.corpora import summarization_words as phrases
from tasks.corpora import town_words as words
from tasks.corpora.draw import Corpus, Row, draw_splits, generator
from tasks.corpora.town import (
    ACTIVE,
    DIRECT_FORMS,
    HELD_ROWS,
    PASSIVE,
    Actor,
    Chooser,
    Event,
    Lexicon,
    Thing,
    Verb,
    is_reserved,
    lexicons,
    synonym_line,
    tail,
    tell,
)

SIZES = {"train": 1500, "validation": 300, "test": 600}
WORDS, SUMMARY_WORDS, SENTENCES = (35, 60), (7, 14), (4, 7)

_CUES = ("announcement", "announcement", "crowd", "consequence", "return", "return")
_SPLITS = ("detail", "actor", "count", "talk")


class Block(NamedTuple):
    """The sentences that tell the main event, talk that may come anywhere after them, and the phenomena they show."""

    sentences: list[str]
    after: str
    tags: list[str]


def summary_of(event: Event) -> str:
    """The one right summary: active, canonical, where before when, without asides and reasons."""
    parts = (event.actor.phrase, event.concept.first.past, event.thing.phrase, event.place, event.time)
    return " ".join(filter(None, parts)) + "."


# The main event.


def _main_event(chooser: Chooser, numbered: bool) -> Event:
    concept = chooser.concept()
    actor = _main_actor(chooser, ruinous=concept.first.base in words.RUINOUS)
    if not numbered and concept.first.base in words.SITE_VERBS and chooser.chance(0.4):
        site = Thing(chooser.word("places"), chooser.rng.choice(words.PLACE_QUALITIES), "the")
        return Event(actor, concept, site, time=chooser.time())
    event = Event(
        actor=actor,
        concept=concept,
        thing=chooser.goods() if numbered else chooser.thing()._replace(article="the"),
        place=chooser.place() if chooser.chance(0.6) else "",
        time=chooser.time(hours=not numbered) if chooser.chance(0.6) else "",
    )
    while not SUMMARY_WORDS[0] <= len(summary_of(event).split()) <= SUMMARY_WORDS[1]:
        event = event._replace(place=event.place or chooser.place(), time=chooser.time(hours=not numbered))
    return event


def _main_actor(chooser: Chooser, ruinous: bool) -> Actor:
    if ruinous and chooser.chance(0.4):
        return Actor(f"the {chooser.rng.choice(words.CAUSES)}", "it")
    return chooser.body() if chooser.chance(0.5) else chooser.actor()


def _main_block(chooser: Chooser, event: Event, verb: Verb, two_part: bool) -> Block:
    """Tell `event` in one or two sentences under a cue."""
    rng = chooser.rng
    cue = rng.choice(_CUES)
    lead = rng.choice({"announcement": phrases.ANNOUNCEMENTS, "crowd": phrases.CROWDS}.get(cue, ("",)))
    if two_part:
        sentences = _in_two(chooser, event, verb, lead)
        tags = ["two_part"]
    else:
        aside = chooser.chance(0.3)
        sentences = [lead + (_with_aside(event, verb, rng) if aside else tell(event, verb, rng, DIRECT_FORMS)) + "."]
        tags = ["noisy"] * aside
    if cue == "consequence":
        sentences.append(rng.choice(phrases.CONSEQUENCES))
    after = rng.choice(phrases.RETURNS).format(it=event.thing.known) if cue == "return" else ""
    return Block(sentences, after, tags)


def _with_aside(event: Event, verb: Verb, rng: random.Random) -> str:
    aside = rng.choice(phrases.ASIDES)
    if rng.random() < 0.5:
        return f"{event.actor.phrase}, {aside}, {verb.past} {event.thing.phrase}{tail(event, rng)}"
    return f"{aside}, {tell(event, verb, rng, ACTIVE[:2] + PASSIVE[:1])}"


def _in_two(chooser: Chooser, event: Event, verb: Verb, lead: str) -> list[str]:
    """The event over two sentences, neither of which has it all."""
    rng = chooser.rng
    way = rng.choice([way for way in _SPLITS if _can_split(event, way)])
    if way == "count":
        some = event._replace(thing=Thing(event.thing.noun, article="some"))
        later = rng.choice(phrases.LATER_COUNT).format(count=event.thing.number)
        return [f"{lead}{tell(some, verb, rng, DIRECT_FORMS)}.", later]
    if way == "actor":
        passive = f"{event.thing.phrase} {event.thing.was} {verb.past}{tail(event, rng)}"
        return [f"{lead}{passive}.", rng.choice(phrases.LATER_ACTOR).format(who=event.actor.phrase)]
    if way == "talk":
        first = rng.choice(phrases.TALKED_OF).format(who=event.actor.phrase, it=event.thing.phrase)
        them = "them" if event.thing.number else "it"
        second = rng.choice(phrases.IT_WAS_DONE)
        return [lead + first, second.format(they=event.actor.pronoun, did=verb.past, them=them, tail=tail(event, rng))]
    role = rng.choice([role for role in ("place", "time") if getattr(event, role)])
    later = rng.choice(phrases.LATER_DETAIL).format(detail=getattr(event, role))
    rest = event._replace(place="") if role == "place" else event._replace(time="")
    return [f"{lead}{tell(rest, verb, rng, DIRECT_FORMS)}.", later]


def _can_split(event: Event, way: str) -> bool:
    if way == "count":
        return bool(event.thing.number)
    if way == "talk":
        return event.actor.pronoun in ("she", "he", "they")
    return way == "actor" or bool(event.place or event.time)


# The rest of the report.


def _side_event(chooser: Chooser, main: Event) -> str:
    """An event of little weight, in other words than the main one."""
    while True:
        goods = chooser.chance(0.2)
        event = Event(
            actor=chooser.actor(),
            concept=chooser.concept(),
            thing=chooser.goods() if goods else chooser.thing(),
            place=chooser.place() if chooser.chance(0.25) else "",
            time=chooser.time(hours=not goods) if chooser.chance(0.2) else "",
        )
        if event.thing.noun != main.thing.noun and event.actor != main.actor and event.concept != main.concept:
            break
    verb = event.concept.first if chooser.chance(0.5) else event.concept.second
    clause = tell(event, verb, chooser.rng, DIRECT_FORMS)
    return f"{chooser.rng.choice(phrases.SIDE_LEADS)}{clause}{chooser.rng.choice(phrases.SIDE_ENDS)}."


def _noise(chooser: Chooser, main: Event, sentences: int) -> tuple[list[str], int]:
    """Side news, weather and small talk in random order, with the number of side events."""
    rng = chooser.rng
    sides = sum(rng.random() < 0.45 for _ in range(sentences))
    noise = [_side_event(chooser, main) for _ in range(sides)]
    noise += rng.sample(words.WEATHER + words.SMALL_TALK, sentences - sides)
    rng.shuffle(noise)
    return noise, sides


def _report(chooser: Chooser, block: Block, noise: list[str], at: int, greeting: bool) -> str:
    """The noise with the block before its sentence number `at`, and the talk on the event somewhere after it."""
    before, after = noise[:at], noise[at:]
    if block.after:
        after.insert(chooser.rng.randrange(len(after) + 1), block.after)
    if greeting and before:
        before[0] = chooser.rng.choice(phrases.GREETINGS)
    return " ".join([*before, *block.sentences, *after])


class Report(NamedTuple):
    document: str
    summary: str
    tags: list[str]
    sentences: int


def _draw_report(chooser: Chooser, noise_sentences: int) -> Report:
    rng = chooser.rng
    strict = chooser.strict()
    event = _main_event(strict, numbered=rng.random() < 0.18)
    verb = event.concept.first if rng.random() < 0.5 else event.concept.second
    block = _main_block(chooser, event, verb, two_part=rng.random() < 0.35)
    noise, sides = _noise(chooser, event, noise_sentences)
    place = rng.choices(("lead", "middle", "late"), (20, 40, 40))[0]
    at = {"lead": 0, "middle": (len(noise) + 1) // 2, "late": len(noise)}[place]
    document = _report(chooser, block, noise, at, greeting=rng.random() < 0.3)
    tags = [place, *block.tags]
    tags += ["paraphrase"] if verb != event.concept.first else []
    tags += ["number"] if event.thing.number else []
    tags += ["noisy"] if sides >= 3 and "noisy" not in tags else []
    total = len(noise) + len(block.sentences) + bool(block.after)
    return Report(document, summary_of(event), tags, total)


# Labelled rows.


def corpus(seed: int = 0) -> Corpus:
    """1,500 training, 300 validation and 600 test rows; the words of the summaries are mostly new in the latter two."""
    rng = generator("summarization", "corpus", seed)
    known = lexicons(seed)
    return draw_splits(lambda split: _row(split, known, rng), SIZES, lambda row: row["document"])


def _row(split: str, known: dict[str, Lexicon], rng: random.Random) -> Row:
    held = split != "train" and rng.random() < HELD_ROWS
    chooser = Chooser(rng, known[split], known["train"], 0.3) if held else Chooser(rng, known["train"])
    while True:
        report = _draw_report(chooser, rng.choice((3, 3, 4, 4, 5)))
        fits = WORDS[0] <= len(report.document.split()) <= WORDS[1]
        if fits and SENTENCES[0] <= report.sentences <= SENTENCES[1] and is_reserved(report.document):
            return {"document": report.document, "summary": report.summary, "phenomena": report.tags}


# Unlabelled documents.


def texts(seed: int = 0) -> Iterator[str]:
    """Reports with `in short:` lines or headlines, and lines on verbs of one meaning, in every word of the town."""
    rng = generator("summarization", "texts", seed)
    chooser = Chooser(rng, lexicons(0)["all"])
    kinds = (_brief, _long, _headline_first, _plain, _synonyms)
    draws = rng.choices(kinds, (42, 34, 12, 4, 8), k=4096)
    for number in count():
        yield draws[number % len(draws)](chooser)


def _free_report(chooser: Chooser, *noise_sentences: int) -> Report:
    """A report that no labelled row has a claim to."""
    while is_reserved((report := _draw_report(chooser, chooser.rng.choice(noise_sentences))).document):
        pass
    return report


def _brief(chooser: Chooser) -> str:
    report = _free_report(chooser, 0, 1, 1, 2)
    return f"{report.document} in short: {report.summary}"


def _long(chooser: Chooser) -> str:
    report = _free_report(chooser, 3, 4)
    return f"{report.document} in short: {report.summary}"


def _headline_first(chooser: Chooser) -> str:
    report = _free_report(chooser, 1, 2, 3)
    return f"headline: {report.summary} report: {report.document}"


def _plain(chooser: Chooser) -> str:
    return _free_report(chooser, 2, 3).document


def _synonyms(chooser: Chooser) -> str:
    return " ".join(synonym_line(chooser) for _ in range(chooser.rng.choice((2, 3, 4))))
