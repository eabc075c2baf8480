"""How a run, or another long job, is watched: a live display on a terminal, plain lines elsewhere, or nothing.

Knows the events of `bench.tally` and how to show them; must not know how cells are made. Home of rich.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from bench.record import Outcome, Record
from bench.redact import redact
from bench.screen import GAP, Screen
from bench.tally import GOOD, Event, Kind
from leaderboard import figures, stats

SHOWN = 8
"""Running cells that are listed by name."""

BAR = 24
"""Characters of a bar."""

EVERY = 10.0
"""Seconds between two lines about the same job."""

REASON = 160
"""Characters of a failure's reason in its line; the record has all of it."""


class Display(Protocol):
    """Shows a run while it lasts. A context: what it draws is taken away at the end."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def event(self, event: Event) -> None:
        """Show what happened."""

    def note(self, text: str) -> None:
        """Show a warning without tearing the display."""


def display(screen: Screen, keys: Sequence[str], *, quiet: bool = False) -> Display:
    """The display that fits the screen; `keys` are the names of all cells that may show up."""
    width = max(map(len, map(figures.plain, keys)), default=0)
    if quiet:
        return Silent(screen)
    return Watched(Console(highlight=False), width) if screen.terminal else Lines(screen, width)


class Silent:
    """Shows failures and warnings only."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing was drawn."""

    def event(self, event: Event) -> None:
        """A warning for each failed cell."""
        if event.record is not None and event.record.outcome not in GOOD:
            self.note(f"{figures.plain(event.record.key)}: {result(event.record)}")

    def note(self, text: str) -> None:
        """See Display."""
        self.screen.warn(text)


class Lines(Silent):
    """One line for each finished cell."""

    def __init__(self, screen: Screen, width: int) -> None:
        super().__init__(screen)
        self.width = width

    def event(self, event: Event) -> None:
        """See Display."""
        if event.record is not None:
            self.screen.say(line(event, event.record, self.width))


class Watched:
    """The finished cells scroll by; below them a bar, how the run stands, and what is running."""

    def __init__(self, console: Console, width: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.console, self.width, self.clock = console, width, clock
        self.last: Event | None = None
        self.seen = clock()
        self.begun: dict[str, float] = {}
        self.live = Live(console=console, get_renderable=self.render, refresh_per_second=4, transient=True)

    def __enter__(self) -> Self:
        self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.live.stop()

    def event(self, event: Event) -> None:
        """See Display."""
        self.last, self.seen = event, self.clock()
        if event.kind is Kind.STARTED and event.key is not None:
            self.begun[event.key] = self.seen
        if event.record is not None:
            style = "" if event.record.outcome in GOOD else "yellow"
            self.console.print(Text(line(event, event.record, self.width), style=style), soft_wrap=True)

    def note(self, text: str) -> None:
        """See Display."""
        self.console.print(Text(f"warning: {redact(text)}", style="yellow"))

    def render(self) -> RenderableType:
        """What stands below the finished cells at this moment."""
        if self.last is None:
            return Text("checking data", style="dim")
        if self.last.done == self.last.total:
            return Text("publishing", style="dim")
        return Group(self._standing(self.last), *self._running(self.last))

    def _standing(self, event: Event) -> RenderableType:
        passed = self.clock() - self.seen
        busy = f"{len(event.running)} running" if event.running or event.done else "starting workers"
        parts = [f"{event.done}/{event.total} done", busy]
        parts += [f"{event.elsewhere} elsewhere"] if event.elsewhere else []
        parts += [f"{event.failed} failed"] if event.failed else []
        parts += [f"{figures.seconds(event.seconds + passed)} gone"]
        parts += [f"about {figures.seconds(max(0.0, event.left - passed))} left"] if event.left is not None else []
        grid = Table.grid(padding=(0, 2))
        grid.add_row(ProgressBar(total=event.total, completed=event.done, width=BAR), Text(GAP.join(parts)))
        return grid

    def _running(self, event: Event) -> list[RenderableType]:
        now = self.clock()
        shown = [(figures.plain(key), figures.seconds(now - self.begun.get(key, now))) for key in event.running[:SHOWN]]
        lines: list[RenderableType] = [Text(f"  {key:<{self.width}}  {gone}", style="dim") for key, gone in shown]
        more = len(event.running) - SHOWN
        return [*lines, Text(f"  and {more} more", style="dim")] if more > 0 else lines


class Bar:
    """How far one long job has come: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, screen: Screen, clock: Callable[[], float] = time.monotonic) -> None:
        self.screen, self.clock = screen, clock
        self.told: float | None = None
        self.live = Live(console=Console(highlight=False), transient=True) if screen.terminal else None

    def __enter__(self) -> Self:
        if self.live:
            self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live:
            self.live.stop()

    def show(self, done: int, total: int, words: str) -> None:
        """`done` of `total` steps, and what is to be said about them."""
        counted = f"{done:>{len(f'{total:,}')},}/{total:,}{GAP}{words}"
        if self.live:
            grid = Table.grid(padding=(0, 2))
            grid.add_row(ProgressBar(total=total, completed=done, width=BAR), Text(counted))
            self.live.update(grid)
        elif self.told is None or done == total or self.clock() - self.told >= EVERY:
            self.told = self.clock()
            self.screen.say(counted)


def line(event: Event, record: Record, width: int) -> str:
    """A finished cell: how many are done, its name filled to `width`, and its result."""
    digits = len(str(event.total))
    return f"[{event.done:>{digits}}/{event.total}] {figures.plain(record.key):<{width}}  {result(record)}"


def result(record: Record) -> str:
    """A record in a few words: score, spread, rate and time, or how it ended and why."""
    if record.outcome is not Outcome.OK:
        first = figures.plain(redact(next(iter((record.reason or "").splitlines()), "")))
        return f"{record.outcome}  {figures.shorten(first, REASON)}".rstrip()
    spread = figures.spread(stats.sample_sd(record.seed_scores))
    seconds = record.cost.seconds if record.cost else None
    score = f"{record.metric} {figures.score(record.score)} {spread}".rstrip()
    return GAP.join([score, f"rate {figures.rate(record.rate)}", figures.seconds(seconds)])

