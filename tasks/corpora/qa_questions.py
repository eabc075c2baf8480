"""Questions on one event of a passage, worded so that no other event answers them, and the spans that do."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tasks.corpora.qa_passages import Passage, Told
from tasks.corpora.town import Event, Verb

QUESTIONS: dict[str, tuple[str, ...]] = {
    "actor": (
        "who {did} {it}{more}?",
        "who {did} {it}{more}?",
        "by whom {was} {it} {did}{more}?",
        "who was it that {did} {it}{more}?",
        "which person {did} {it}{more}?",
        "who is said to have {did} {it}{more}?",
        "name the one who {did} {it}{more}.",
        "{it} {was} {did}{more} by whom?",
    ),
    "thing": (
        "what did {who} {do}{more}?",
        "what did {who} {do}{more}?",
        "what was {did} by {who}{more}?",
        "what was it that {who} {did}{more}?",
        "name what {who} {did}{more}.",
        "{who} {did} what{more}?",
    ),
    "place": (
        "where did {who} {do} {it}{more}?",
        "where {was} {it} {did}{more}?",
        "where {was} {it} {did} by {who}{more}?",
        "in what place did {who} {do} {it}{more}?",
        "name the place where {who} {did} {it}{more}.",
        "where was {who} when {it} {was} {did}{more}?",
    ),
    "time": (
        "when did {who} {do} {it}{more}?",
        "when {was} {it} {did}{more}?",
        "when {was} {it} {did} by {who}{more}?",
        "when was it that {who} {did} {it}{more}?",
        "at what time did {who} {do} {it}{more}?",
        "name the time when {who} {did} {it}{more}.",
    ),
    "count": (
        "how many {goods} did {who} {do}{more}?",
        "how many {goods} were {did} by {who}{more}?",
        "how many {goods} were {did}{more}?",
        "what number of {goods} did {who} {do}{more}?",
        "how many were the {goods} that {who} {did}{more}?",
    ),
    "whom": (
        "for whom did {who} {do} {it}{more}?",
        "for whom {was} {it} {did}{more}?",
        "who did {who} {do} {it} for{more}?",
        "name the one for whom {who} {did} {it}{more}.",
    ),
    "reason": (
        "why did {who} {do} {it}{more}?",
        "why {was} {it} {did}{more}?",
        "for what reason did {who} {do} {it}{more}?",
        "what made {who} {do} {it}{more}?",
        "because of what did {who} {do} {it}{more}?",
    ),
}

# What a slot of a question tells about the event.
_SLOT_KEYS = (("{who}", "actor"), ("{it}", "noun"), ("{goods}", "noun"))


def ask(told: Told, passage: Passage, asked: str, verb: Verb, rng: random.Random) -> str | None:
    """A question that only this event answers, or None."""
    form = rng.choice(QUESTIONS[asked])
    keys = {"concept"} | {key for slot, key in _SLOT_KEYS if slot in form}
    extras = [role for role in ("quality", "time", "place") if role != asked and _key(told.event, role)]
    extras = [role for role in extras if role != "quality" or "{it}" in form]
    rng.shuffle(extras)
    keys |= {role for role in extras if rng.random() < (0.4 if role == "quality" else 0.1)}
    while _matches(told.event, passage.told, keys) > 1:
        if not (extras := [role for role in extras if role not in keys]):
            return None
        keys.add(extras[0])
    return _worded(form, told.event, verb, keys, rng)


def _key(event: Event, key: str) -> object:
    if key == "noun":
        return event.thing.noun
    return event.thing.quality if key == "quality" else getattr(event, key)


def _matches(event: Event, told: Sequence[Told], keys: set[str]) -> int:
    return sum(all(_key(other.event, key) == _key(event, key) for key in keys) for other in told)


def _worded(form: str, event: Event, verb: Verb, keys: set[str], rng: random.Random) -> str:
    more = [getattr(event, role) for role in ("place", "time") if role in keys]
    rng.shuffle(more)
    return form.format(
        who=event.actor.phrase,
        did=verb.past,
        do=verb.base,
        it=f"the {event.thing.quality + ' ' if 'quality' in keys else ''}{event.thing.noun}",
        goods=event.thing.noun,
        was=event.thing.was,
        more="".join(f" {part}" for part in more),
    )


def answers(told: Told, asked: str, text: str) -> dict[str, list[object]]:
    """The accepted answers with their places in `text`."""
    start, end = told.named if asked == "actor" else (told.start, told.end)
    texts = accepted(told.event, asked)
    return {"text": list(texts), "answer_start": [_locate(text, answer, start, end) for answer in texts]}


def accepted(event: Event, asked: str) -> list[str]:
    if asked == "count":
        return [event.thing.number]
    phrase = {"actor": event.actor.phrase, "thing": event.thing.phrase}.get(asked) or str(getattr(event, asked))
    first, _, rest = phrase.partition(" ")
    if asked == "time":
        return [rest, phrase]
    if asked == "place" and first == "at":
        return [rest, rest.partition(" ")[2]]
    return [phrase, rest] if rest else [phrase]


def _locate(text: str, phrase: str, start: int, end: int) -> int:
    """Where `phrase` stands between `start` and `end` as whole words."""
    found = text.find(phrase, start, end)
    while found >= 0:
        before, after = text[found - 1 : found], text[found + len(phrase) : found + len(phrase) + 1]
        if not before.isalpha() and not after.isalpha():
            return found
        found = text.find(phrase, found + 1, end)
    raise ValueError(f"no {phrase!r} in {text[start:end]!r}")
