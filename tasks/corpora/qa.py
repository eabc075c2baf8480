"""Questions on small-town events, answered by a span of the passage (SQuAD 1.1 layout).

A row: {"id", "context", "question", "answers": {"text": [..], "answer_start": [..]}, "phenomena": [..]}. Any of the
answers is right (`the old harbour`, `old harbour`).

Phenomena: `plain`; `distractor` (others did the same, or something else with the same thing); `paraphrase` (the
question uses another verb of the same meaning); `coreference` (the actor is named a sentence or a clause before);
`number` (a count or a time is asked for); `long_context` (130 to 200 words).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

from tasks.corpora import town_words as words
from tasks.corpora.draw import Corpus, Row, draw_splits, generator
from tasks.corpora.qa_passages import Passage
from tasks.corpora.qa_questions import accepted, answers, ask
from tasks.corpora.town import HELD_ROWS, Chooser, Event, Lexicon, is_reserved, lexicons, synonym_line, tell

SIZES = {"train": 1500, "validation": 300, "test": 600}
WORDS, LONG_WORDS = (25, 50), (130, 200)
LONG_SHARE = 0.08

# A row's kind, with its weight.
_KINDS = {"plain": 26, "distractor": 34, "paraphrase": 22, "coreference": 18}
# What may be asked for, with its weight.
_ASKED = {"actor": 32, "thing": 20, "place": 15, "time": 13, "count": 9, "whom": 6, "reason": 5}

# Scenes: which events a passage tells.


def _event(chooser: Chooser, asked: str = "", sparse: bool = False) -> Event:
    """An event that has the role `asked`; a `sparse` one has few others."""
    share = 0.5 if sparse else 1.0
    actor = chooser.actor()
    goods = asked == "count" or chooser.chance(0.12)
    return Event(
        actor=actor,
        concept=chooser.concept(),
        thing=chooser.goods() if goods else chooser.thing(),
        place=chooser.place() if asked == "place" or chooser.chance(0.45 * share) else "",
        time=chooser.time(hours=not goods) if asked == "time" or chooser.chance(0.4 * share) else "",
        whom=_whom(chooser, actor.phrase) if asked == "whom" or chooser.chance(0.1 * share) else "",
        reason=chooser.reason() if asked == "reason" or chooser.chance(0.08 * share) else "",
    )


def _whom(chooser: Chooser, actor: str) -> str:
    """Somebody else than the actor, of a kind that no pronoun can be taken for."""
    while (whom := f"the {chooser.word('trades')}") == actor:
        pass
    return whom


def _rivals(chooser: Chooser, target: Event, asked: str, kind: str, sparse: bool = False) -> list[Event]:
    """Events near enough to `target` that a question on it must be read in full."""

    def rival() -> Event:
        return _event(chooser, asked if chooser.chance(0.8) else "", sparse)

    options = ["cross", "cross", "person"]
    options += ["quality"] if target.thing.quality else []
    options += ["time"] if target.time and asked != "time" else []
    option = "thing" if kind == "paraphrase" else chooser.rng.choice(options)
    if option == "thing":
        return [rival()._replace(thing=target.thing)]
    if option == "cross":
        return [rival()._replace(concept=target.concept), rival()._replace(thing=target.thing)]
    if option == "person":
        return [rival()._replace(actor=target.actor), rival()._replace(concept=target.concept)]
    if option == "quality":
        other = target.thing._replace(quality=chooser.quality(), article="the")
        return [rival()._replace(concept=target.concept, thing=other)]
    return [rival()._replace(concept=target.concept, thing=target.thing, time=chooser.time())]


def _passage(chooser: Chooser, target: Event, others: list[Event], before: Event | None, fillers: int) -> Passage:
    """Tell the events in random order; `before` is what the actor of `target` did just before it."""
    rng = chooser.rng
    events = [target, *others]
    rng.shuffle(events)
    steps: list[Callable[[], object]] = []
    passage = Passage(chooser)
    while events:
        event = events.pop()
        if event is target and before:
            steps.append(partial(passage.add_pair, before, event))
        elif len(events) > 1 and rng.random() < 0.15 and not (before and events[-1] is target):
            steps.append(partial(passage.add_meanwhile, event, events.pop()))
        else:
            steps.append(partial(passage.add_event, event))
    for _ in range(fillers):
        filler = rng.choice(words.WEATHER + words.SMALL_TALK)
        steps.insert(rng.randrange(len(steps) + 1), partial(passage.add, filler))
    for step in steps:
        step()
    return passage


# Labelled rows.


def corpus(seed: int = 0) -> Corpus:
    """1,500 training, 300 validation and 600 test rows; a question's own words are mostly new in the latter two."""
    rng = generator("qa", "corpus", seed)
    known = lexicons(seed)
    rows = draw_splits(lambda split: _row(split, known, rng), SIZES, lambda row: row["context"])
    for split, numbered in rows.items():
        for number, row in enumerate(numbered):
            row["id"] = f"{split}-{number}"
    return rows


def _row(split: str, known: dict[str, Lexicon], rng: random.Random) -> Row:
    held = split != "train" and rng.random() < HELD_ROWS
    chooser = Chooser(rng, known[split], known["train"], 0.3) if held else Chooser(rng, known["train"])
    kind = rng.choices(list(_KINDS), list(_KINDS.values()))[0]
    asked = rng.choices(list(_ASKED), list(_ASKED.values()))[0]
    if kind == "coreference" and rng.random() < 0.6:
        asked = "actor"
    long = rng.random() < LONG_SHARE
    while not (row := _try_row(chooser, kind, asked, long)):
        pass
    return row


def _try_row(chooser: Chooser, kind: str, asked: str, long: bool) -> Row | None:
    passage, target = _scene(chooser, kind, asked, long)
    low, high = LONG_WORDS if long else WORDS
    if not low <= len(passage.text.split()) <= high or not is_reserved(passage.text):
        return None
    told = next(each for each in passage.told if each.event is target)
    verb = target.concept.other(told.verb) if kind == "paraphrase" else told.verb
    if not (question := ask(told, passage, asked, verb, chooser.rng)):
        return None
    tags = [kind] + ["number"] * (asked in ("count", "time")) + ["long_context"] * long
    return {
        "id": "",
        "context": passage.text,
        "question": question,
        "answers": answers(told, asked, passage.text),
        "phenomena": tags,
    }


def _scene(chooser: Chooser, kind: str, asked: str, long: bool) -> tuple[Passage, Event]:
    target = _event(chooser.strict(), asked)
    before = None
    if kind == "coreference":
        target = target._replace(actor=chooser.strict().person())
        before = _event(chooser, sparse=True)._replace(actor=target.actor)
    rival = kind == "distractor" or (kind == "paraphrase" and chooser.chance(0.6))
    others = _rivals(chooser, target, asked, kind) if rival else []
    wanted = chooser.rng.randrange(11, 16) if long else chooser.rng.choice((2, 3, 3))
    while len(others) < wanted - bool(before):
        others.append(_event(chooser, asked if chooser.chance(0.5) else ""))
    fillers = chooser.rng.randrange(2, 6) if long else chooser.rng.choice((0, 0, 1, 1, 2))
    return _passage(chooser, target, others, before, fillers), target


# Unlabelled documents.


def texts(seed: int = 0) -> Iterator[str]:
    """Question-and-answer pages, stories and lines on verbs of one meaning, in every word of the town."""
    rng = generator("qa", "texts", seed)
    chooser = Chooser(rng, lexicons(0)["all"])
    kinds = (_short_page, _page, _questions_after, _synonyms, _story)
    draws = rng.choices(kinds, (45, 27, 14, 8, 6), k=4096)
    for number in count():
        if document := draws[number % len(draws)](chooser):
            yield document


def _free_scene(chooser: Chooser, size: int, fillers: int) -> Passage | None:
    """A passage for an unlabelled document, or None if the labelled rows have a claim to it."""
    rng = chooser.rng
    asked = rng.choices(list(_ASKED), list(_ASKED.values()))[0]
    target = _event(chooser, asked, sparse=size < 3)
    before = None
    if size > 1 and chooser.chance(0.2):
        target = target._replace(actor=chooser.person())
        before = _event(chooser, sparse=True)._replace(actor=target.actor)
    kind = "distractor" if chooser.chance(0.6) else "paraphrase"
    others = _rivals(chooser, target, asked, kind, size < 3)[: size - 1] if chooser.chance(0.7) else []
    while len(others) < size - 1 - bool(before):
        others.append(_event(chooser, asked, sparse=size < 3))
    passage = _passage(chooser, target, others, before, fillers)
    return None if is_reserved(passage.text) else passage


def _exchange(chooser: Chooser, passage: Passage) -> tuple[str, str]:
    """A question on the passage and its answer, in the same verb or in the other one; empty if none was found."""
    rng = chooser.rng
    for _ in range(4):
        told = passage.told[int(rng.random() * len(passage.told))]
        roles = [role for role in _ASKED if (told.event.thing.number if role == "count" else getattr(told.event, role))]
        asked = rng.choices(roles, [_ASKED[role] for role in roles])[0]
        verb = told.event.concept.other(told.verb) if chooser.chance(0.3) else told.verb
        if question := ask(told, passage, asked, verb, rng):
            return question, accepted(told.event, asked)[0]
    return "", ""


def _short_page(chooser: Chooser) -> str:
    passage = _free_scene(chooser, chooser.rng.choice((1, 2, 2, 2, 2, 3)), fillers=0)
    return _asked_first(chooser, passage)


def _page(chooser: Chooser) -> str:
    passage = _free_scene(chooser, chooser.rng.choice((3, 3, 4)), chooser.rng.choice((0, 0, 1)))
    return _asked_first(chooser, passage)


def _asked_first(chooser: Chooser, passage: Passage | None) -> str:
    if not passage or not all(exchange := _exchange(chooser, passage)):
        return ""
    question, answer = exchange
    page = f"question: {question} " if chooser.chance(0.6) else f"{question} "
    page += f"context: {passage.text}" if chooser.chance(0.3) else passage.text
    page += f" answer: {answer}."
    if chooser.chance(0.5) and all(more := _exchange(chooser, passage)) and more[0] != question:
        page += f" question: {more[0]} answer: {more[1]}."
    return page


def _questions_after(chooser: Chooser) -> str:
    passage = _free_scene(chooser, chooser.rng.choice((2, 3, 3)), fillers=0)
    if not passage:
        return ""
    pairs = dict(_exchange(chooser, passage) for _ in range(chooser.rng.choice((2, 3, 4))))
    return passage.text + "".join(f" question: {asked} answer: {answer}." for asked, answer in pairs.items() if asked)


def _synonyms(chooser: Chooser) -> str:
    return " ".join(synonym_line(chooser) for _ in range(chooser.rng.choice((2, 3, 4))))


def _story(chooser: Chooser) -> str:
    """A passage whose events are told twice, the second time in the other verb or another form."""
    passage = _free_scene(chooser, 2, chooser.rng.choice((0, 1)))
    if not passage:
        return ""
    again = [
        tell(told.event, told.event.concept.other(told.verb) if chooser.chance(0.5) else told.verb, chooser.rng)
        for told in passage.told
    ]
    return f"{passage.text} in short, {', and '.join(again)}."
