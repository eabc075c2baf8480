"""The command line: which commands there are, where each is carried out, and what an error exits with.

Knows no task, no tensor and no record. Each command lives in `bench.commands` and is imported when it is asked for, so
that `--help` costs little more than Python itself.
"""

from __future__ import annotations

import argparse
import difflib
import errno
import importlib
import os
import shlex
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import NoReturn

from bench import VERSION, options
from bench.errors import BenchError, CellError, NothingSelectedError, RequestError, UnknownNameError
from bench.redact import redact
from bench.screen import Screen

INTERRUPTED = 130

PROGRAM = "python -m bench"

DESCRIPTION = "Benchmarks tasks x models x fine-tuning methods, with a learning-rate search in every cell."

EPILOG = f"""\
start here:
  {PROGRAM} run --suite glue-lite

exit codes:
  0    good; an UNSUPPORTED cell is no failure
  1    some cells failed (FAILED, TIMED_OUT, OUT_OF_MEMORY, DIVERGED); doctor: something essential is broken
  2    a bad request: a name, an option, a file or data that cannot be used
  3    nothing selected
  10-14  what compare and nightly find: see their --help
  130  interrupted; the same command goes on where it stopped"""

VERDICTS = """\
exit codes:
  0    fine
  2    a bad request, 3 nothing selected, 130 interrupted, as for all commands
  10   better: scores rose by more than chance
  11   worse: scores fell, training loss rose, cells diverge, or parameter counts changed
  12   slower: the same results at a higher cost in time or memory
  13   measured too little to say: cells are missing, failed or stale, or there is no base
  14   could not run: no cell has a result"""

COMPARING = f"""\
Every cell is compared on the same test rows, and all cells together: a small shift everywhere is an alarm too. What
moved first, data, checkpoint, budget, training or evaluation, is told from digests in the records.

{VERDICTS}"""

NIGHTLY = f"""\
Runs the suite afresh into HISTORY/<date>, compares it with the night that was accepted last, writes verdict.md,
verdict.xml (JUnit) and verdict.json beside its records, and exits with the verdict. The history keeps the last
90 nights and all that were accepted; boards, searches and W&B files of the last 7 only.

{VERDICTS}"""

CHOOSING = f"""\
A suite gives the tasks, models, methods and the budget; each can be replaced. Without --suite, what you do not say is
taken from {options.DEFAULT_SUITE}; then say at least one of --tasks, --models and --methods."""

RUNNING = f"""{CHOOSING}

Cells with a fresh record are skipped, so the same command goes on after an interruption. All records of the directory
are published under its leaderboard/."""


@dataclass(frozen=True)
class Command:
    """One command. `module` in `bench.commands` has `main(arguments, screen) -> exit code`."""

    module: str
    help: str
    options: Callable[[argparse.ArgumentParser], None]
    details: str = ""


COMMANDS: Mapping[str, Command] = {
    "run": Command("run", "run the cells that have no fresh record, then publish", options.run, RUNNING),
    "plan": Command("plan", "show the cells, steps and a time estimate; train nothing", options.plan, CHOOSING),
    "list": Command("list", "what there is to choose from", options.catalog),
    "show": Command("show", "the leaderboard of a run, or one of its cells", options.show),
    "publish": Command("publish", "write a run's leaderboard, pages and tables, or a history's trend", options.publish),
    "compare": Command("compare", "whether a run got worse than another, and what moved first", options.compare,
                       COMPARING),
    "nightly": Command("nightly", "run a suite afresh and say whether anything got worse", options.nightly, NIGHTLY),
    "accept": Command("accept", "make a night the base of the next ones, with who and why", options.accept),
    "export": Command("export", "take the model of a cell, with a card that says how to load it", options.export),
    "predict": Command("predict", "answer the rows of a file with an exported model", options.predict),
    "pretrain": Command("pretrain", "make one of the bundled models again", options.pretrain),
    "doctor": Command("doctor", "what this machine has: device, precision, hub, W&B", options.common),
}


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are errors like all others."""

    def error(self, message: str) -> NoReturn:
        raise RequestError(f"{message}. See: {self.prog} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line (this process's own if None) and return its exit code.

    Raises SystemExit for `--help` and `--version`, and the error itself with `--debug`.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    screen = Screen()
    screen.tolerate()
    sys.excepthook = _show_fault
    debug = "--debug" in arguments or os.environ.get("BENCH_DEBUG", "") not in ("", "0")
    try:
        return _carry_out(arguments, screen)
    except KeyboardInterrupt as interrupt:
        screen.tell(str(interrupt) or "stopped")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe has gone, as with `| head`; Python would complain when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (BenchError, OSError) as error:
        if debug:
            raise
        screen.fail(_message(error))
        return exit_code(error)


def _show_fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What Python does with an error that nobody caught, but for secrets."""
    Screen().tell("".join(traceback.format_exception(kind, error, trace)).rstrip())


def exit_code(error: Exception) -> int:
    """What a command that ended with `error` exits with."""
    if isinstance(error, NothingSelectedError):
        return 3
    return 1 if isinstance(error, CellError) else 2


def _message(error: BenchError | OSError) -> str:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}. Make room, then run the same command again: what is finished is kept."
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}. Check the path, and that it may be read and written."
    return str(error)


def _carry_out(arguments: Sequence[str], screen: Screen) -> int:
    parser, parsers = _parsers()
    name = next((argument for argument in arguments if not argument.startswith("-")), None)
    if name is not None and name not in COMMANDS:
        raise UnknownNameError("command", name, COMMANDS)
    given, unknown = parser.parse_known_args(arguments)
    if unknown:
        raise _unknown(unknown[0], parsers.get(given.command, parser))
    if given.command is None:
        parser.print_help()
        return 0
    given.command_line = redact(f"{PROGRAM} {shlex.join(arguments)}")
    module = importlib.import_module(f"bench.commands.{COMMANDS[given.command].module}")
    carry_out: Callable[[argparse.Namespace, Screen], int] = module.main
    return carry_out(given, screen)


def _parsers() -> tuple[argparse.ArgumentParser, Mapping[str, argparse.ArgumentParser]]:
    """The parser of the whole line, and that of each command."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = _Parser(prog=PROGRAM, description=DESCRIPTION, epilog=EPILOG, formatter_class=layout, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"bench {VERSION}")
    options.common(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    parsers = {}
    for name, command in COMMANDS.items():
        description = f"{command.help[0].upper()}{command.help[1:]}."
        parsers[name] = commands.add_parser(
            name, help=command.help, description=description, epilog=command.details, formatter_class=layout,
            allow_abbrev=False,
        )
        command.options(parsers[name])
    return parser, parsers


def _unknown(argument: str, parser: argparse.ArgumentParser) -> RequestError:
    """What to say of an argument that `parser` does not take, with the option that was probably meant."""
    known = [word for word in parser.format_help().replace("=", " ").replace(",", " ").split() if word.startswith("--")]
    near = difflib.get_close_matches(argument.partition("=")[0], known, n=1, cutoff=0.5)
    advice = f"Did you mean {near[0]}?" if near else f"See: {parser.prog} --help"
    return RequestError(f"{parser.prog} does not take {argument!r}. {advice}")
