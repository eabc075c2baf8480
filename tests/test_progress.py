"""What is seen of a run while it lasts, on a terminal and elsewhere."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from bench import progress
from bench.progress import Bar, Lines, Silent, Watched
from bench.record import Cost, Outcome, Record, Training
from bench.screen import Screen, columns, plural
from bench.tally import Event, Kind

Capture = pytest.CaptureFixture[str]


def record(score: float = 61.2, outcome: Outcome = Outcome.OK, reason: str | None = None) -> Record:
    """A finished cell with two seeds, 2 points apart."""
    def final(seed: int, value: float) -> Training:
        return Training(0, 6e-4, seed, "COMPLETE", 1.0, 1, (), 1, 1, 1, 1.0, 1.0, scores={"squad_f1": value})

    return Record(
        task="qa", model="bert-mini", method="full", source="bundled", family="encoder", head="span", fingerprint="f",
        outcome=outcome, metric="squad_f1", reason=reason, score=score, rate=6e-4, cost=Cost(18.2, 1, 1, 1, 1, 1),
        finals=(final(1, score - 1), final(2, score + 1)),
    )


def event(kind: Kind = Kind.FINISHED, finished: Record | None = None, **changes: object) -> Event:
    start = Event(kind, "qa/bert-mini/full", ("ner/t5-mini/lora",), 12, 1, 75, 0, 60.0, 300.0, finished)
    return replace(start, **changes)  # type: ignore[arg-type]


class Clock:
    """Time that passes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_finished_cell_is_one_line_with_score_spread_rate_and_time(capsys: Capture) -> None:
    with Lines(Screen(), width=20) as lines:
        lines.event(event(Kind.STARTED))
        lines.event(event(finished=record()))
    assert capsys.readouterr().out == "[12/75] qa/bert-mini/full     squad_f1 61.2 ±1.4  rate 6.0e-4  18 s\n"


def test_a_failed_cell_shows_the_first_line_of_its_reason(capsys: Capture) -> None:
    failed = record(outcome=Outcome.FAILED, reason="ValueError: \x1b[31mno\nline 7 in fit")
    with Lines(Screen(), width=3) as lines:
        lines.event(event(finished=failed))
    assert capsys.readouterr().out == "[12/75] qa/bert-mini/full  FAILED  ValueError: [31mno\n"


def test_quiet_shows_only_what_went_wrong(capsys: Capture) -> None:
    with Silent(Screen()) as silent:
        silent.event(event(finished=record()))
        silent.event(event(finished=record(outcome=Outcome.UNSUPPORTED, reason="no head")))
        silent.event(event(finished=record(outcome=Outcome.TIMED_OUT, reason="no result after 600 s")))
        silent.note("the W&B mirror ended")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "warning: qa/bert-mini/full: TIMED_OUT  no result after 600 s", "warning: the W&B mirror ended",
    ]


def test_a_terminal_shows_how_the_run_stands_and_what_is_running() -> None:
    clock = Clock()
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    watched = Watched(console, width=16, clock=clock)
    assert shown(watched) == "checking data"
    watched.event(event(Kind.PLANNED, done=0, failed=0, running=(), left=None))
    assert "0/75 done  starting workers  1m 00s gone" in shown(watched)
    watched.event(event(Kind.STARTED, key="ner/t5-mini/lora"))
    clock.now = 5.0
    assert "12/75 done  1 running  1 failed  1m 05s gone  about 4m 55s left" in shown(watched)
    assert "  ner/t5-mini/lora  5.0 s" in shown(watched)
    watched.event(event(Kind.HELD, elsewhere=2))
    assert "12/75 done  1 running  2 elsewhere  1 failed" in shown(watched)
    watched.event(event(done=75))
    assert shown(watched) == "publishing"


def test_a_terminal_lists_only_some_of_many_running_cells() -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    watched = Watched(console, width=3)
    watched.event(event(Kind.STARTED, running=tuple(f"cell {i}" for i in range(20))))
    assert "cell 7" in shown(watched)
    assert "cell 8" not in shown(watched)
    assert "and 12 more" in shown(watched)


def test_finished_cells_and_warnings_stay_on_the_terminal_and_the_bar_does_not() -> None:
    target = io.StringIO()
    with Watched(Console(file=target, width=100, force_terminal=True, color_system=None), width=3) as watched:
        watched.event(event(finished=record()))
        watched.note("[bold]slow[/bold]")
    assert "[12/75] qa/bert-mini/full  squad_f1 61.2 ±1.4" in target.getvalue()
    assert "warning: [bold]slow[/bold]" in target.getvalue()
    assert target.getvalue().endswith("\x1b[1A\x1b[2K")


def shown(watched: Watched) -> str:
    """What stands below the finished cells now, as text."""
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as capture:
        console.print(watched.render())
    return capture.get().strip()


def test_the_display_fits_the_screen() -> None:
    assert type(progress.display(Screen(), ["a/b/c"])) is Lines
    assert type(progress.display(Screen(), [], quiet=True)) is Silent


def test_a_long_job_writes_a_line_now_and_then_and_at_the_end(capsys: Capture) -> None:
    clock = Clock()
    with Bar(Screen(), clock) as bar:
        for step in (50, 100, 150, 1000):
            bar.show(step, 1000, f"loss {step}")
            clock.now += 6.0
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["   50/1,000  loss 50", "  150/1,000  loss 150", "1,000/1,000  loss 1000"]


def test_columns_line_up() -> None:
    assert columns([("a", "bb", ""), ("ccc", "d", "")], right=(1,)) == "a    bb\nccc   d"
    assert (plural(1, "cell"), plural(0, "cell")) == ("1 cell", "0 cells")
