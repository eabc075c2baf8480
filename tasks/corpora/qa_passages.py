"""A passage that grows event by event and remembers where in its text each one is told."""

from __future__ import annotations

from typing import NamedTuple

from tasks.corpora.town import ACTIVE, Chooser, Event, Verb, either, tail, tell

_LINKS = ("later", "then", "after that,", "soon", "next,", "in the end", "also,")


class Told(NamedTuple):
    """An event as told: the span of its clause, and the span where its actor is named."""

    event: Event
    verb: Verb
    start: int
    end: int
    named: tuple[int, int]


class Passage:
    """A text that grows by sentences and remembers where each event is told."""

    def __init__(self, chooser: Chooser) -> None:
        self.text = ""
        self.told: list[Told] = []
        self._chooser = chooser

    def add(self, clause: str) -> tuple[int, int]:
        """Append a sentence, with its full stop where it has none, and return its span."""
        start = len(self.text) + bool(self.text)
        self.text = f"{self.text} {clause}".lstrip() + ("" if clause.endswith(".") else ".")
        return start, len(self.text)

    def add_event(self, event: Event) -> None:
        verb = either(event.concept, self._chooser.rng)
        span = self.add(tell(event, verb, self._chooser.rng))
        self.told.append(Told(event, verb, *span, span))

    def add_pair(self, first: Event, second: Event) -> None:
        """Two events of one actor, who is named in the first only."""
        rng = self._chooser.rng
        verbs = either(first.concept, rng), either(second.concept, rng)
        one = tell(first, verbs[0], rng, ACTIVE[:7])  # none of the forms that hold an `and`
        if rng.random() < 0.3 or not first.actor.pronoun:
            two = f" and {verbs[1].past} {second.thing.phrase}{tail(second, rng)}"
            start, end = self.add(one + two)
            named = start, start + len(one)
            self.told.append(Told(first, verbs[0], *named, named))
            self.told.append(Told(second, verbs[1], start + len(one), end, named))
            return
        named = self.add(one)
        again = tell(second, verbs[1], rng, ACTIVE[:3], who=first.actor.pronoun)
        span = self.add(f"{rng.choice(_LINKS)} {again}" if rng.random() < 0.8 else again)
        self.told += [Told(first, verbs[0], *named, named), Told(second, verbs[1], *span, named)]

    def add_meanwhile(self, first: Event, second: Event) -> None:
        """Two events of two actors in one sentence."""
        rng = self._chooser.rng
        verbs = either(first.concept, rng), either(second.concept, rng)
        one, two = (tell(event, verb, rng, ACTIVE[:3]) for event, verb in zip((first, second), verbs, strict=True))
        start, end = self.add(f"{one}, {rng.choice(('while', 'and', 'but'))} {two}")
        spans = (start, start + len(one)), (end - len(two) - 1, end)
        for event, verb, span in zip((first, second), verbs, spans, strict=True):
            self.told.append(Told(event, verb, *span, span))
