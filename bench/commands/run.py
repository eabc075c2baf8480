"""`run`: plan, check, run what has no fresh record, publish, show. Knows the order of these; each is done elsewhere."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from bench import claims, pool, progress, quiet, track
from bench import run as runner
from bench.commands import preflight, publish, request
from bench.commands.outlook import Outlook
from bench.executors.choice import Choice
from bench.plan import Plan
from bench.run import Summary
from bench.screen import Screen, plural
from bench.spec import Bundled
from bench.store import RETRIED, Store
from bench.tally import Event, Kind
from bench.track import NullTracker, Tracker
from leaderboard import figures, render, study, terminal


def main(arguments: argparse.Namespace, screen: Screen) -> int:
    """Run what is asked for; 1 if cells failed.

    Raises BenchError for what cannot be run as asked, KeyboardInterrupt with a message when interrupted.
    """
    quiet.hush()
    asked = request.read(arguments)
    outlook = Outlook.of(asked.plan, asked.out, arguments.workers, arguments.keep_models)
    if not arguments.quiet:
        screen.say(_header(outlook, asked, mirror=track.mode() if _tracked(arguments, outlook) else "off"))
    preflight.check_checkpoints(outlook.to_do)
    summary, published = make(arguments, asked, outlook, screen)
    if not arguments.quiet:
        _report(asked.out, summary, published, screen)
    return summary.exit_code


def make(
    arguments: argparse.Namespace, asked: request.Asked, outlook: Outlook, screen: Screen
) -> tuple[Summary, Sequence[Path]]:
    """Run what is not fresh, mirrored and displayed as the options say, and publish the board.

    Raises as `main` does.
    """
    executor = Choice(arguments.executor, arguments.workers, arguments.ray_address, arguments.gpus_per_cell)
    asked.out.mkdir(parents=True, exist_ok=True)
    tracker = Tracker() if _tracked(arguments, outlook) else NullTracker()
    keys = [cell.key for cell in outlook.to_do]
    with _ended_as_interrupted(), progress.display(screen, keys, quiet=arguments.quiet) as display, tracker:
        watch = _Watch(display, tracker, Store(asked.out))
        try:
            summary = runner.run(
                asked.plan, asked.out, executor=executor, events=watch, timeout=arguments.timeout,
                retries=arguments.retries, command=arguments.command_line, keep=outlook.keep,
                profile=arguments.profile, storage=arguments.storage, seen=outlook.seen,
            )
        except KeyboardInterrupt:
            done = plural(watch.finished, "cell")
            raise KeyboardInterrupt(f"stopped: {done} finished, run the same command to go on") from None
        with claims.turn(asked.out, "publish"):
            published = render.refresh(asked.out)
        tracker.close(published)
    return summary, published


def _tracked(arguments: argparse.Namespace, outlook: Outlook) -> bool:
    return bool(outlook.to_do) and not arguments.no_track


class _Watch:
    """Hands every event to the display, every record to the tracker, and counts.

    The tracker starts with the first event: then the directory is known to be usable.
    """

    def __init__(self, display: progress.Display, tracker: NullTracker, store: Store) -> None:
        self.display, self.tracker, self.store = display, tracker, store
        self.finished = 0

    def __call__(self, event: Event) -> None:
        if event.kind is Kind.PLANNED:
            self.tracker.start(self.store.root, self.store.root.resolve().name, self.display.note)
        if event.note is not None:
            self.display.note(event.note)
        self.display.event(event)
        if event.record is not None:
            self.finished += 1
            self.tracker.finished(self.store.path("records", event.record.names, "json"))


@contextmanager
def _ended_as_interrupted() -> Iterator[None]:
    """Let SIGTERM, which job schedulers and `timeout` send, stop a run as cleanly as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _header(outlook: Outlook, asked: request.Asked, mirror: str) -> str:
    device = "GPU" if pool.has_gpu() else "processor"
    facts = {"data": _data(asked.plan), "device": device, "W&B": mirror, "records": asked.out}
    return f"{asked.plan.suite}  {outlook.summary()}\n{'   '.join(f'{k}: {v}' for k, v in facts.items())}\n"


def _data(plan: Plan) -> str:
    cell = plan.cells[0]
    if isinstance(cell.task.sources[cell.source], Bundled):
        return f"{cell.source}, synthetic"
    return cell.source if cell.data_dir is None else f"{cell.source} in {cell.data_dir}"


def _report(out: Path, summary: Summary, published: Sequence[Path], screen: Screen) -> None:
    """The board of all that the directory holds, where it was published, and how the run ended."""
    store = Store(out)
    found = study.of(store, store.records())
    board = terminal.render(found.board, screen.width, screen.color, found.overall)
    screen.say(f"\n{board}\n\n{publish.paths(published)}\n")
    screen.say(_ended(summary))


def _ended(summary: Summary) -> str:
    here = plural(summary.ran - summary.elsewhere, "cell")
    others = f", {summary.elsewhere} made by another run" if summary.elsewhere else ""
    ended = f"{here} run in {figures.seconds(summary.seconds)}{others}, {summary.fresh} fresh"
    if not summary.failed:
        return ended
    again = sum(record.outcome in RETRIED for record in summary.failed)
    advice = f", {again} of them would be tried again by the same command" if again else ""
    return f"{ended}; {plural(len(summary.failed), 'cell')} failed{advice}"
