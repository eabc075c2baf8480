"""The options of each command, with their help. Knows argparse and nothing of what an option leads to."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from bench import sizes
from bench.errors import RequestError
from bench.spec import MOST_SEEDS

DEFAULT_SUITE = "glue-lite"
"""Gives what a request without --suite does not say."""


def run(parser: argparse.ArgumentParser) -> None:
    """`run`: what to run, and how."""
    _grid(parser)
    how = parser.add_argument_group("how to run")
    _how(how)
    how.add_argument("--keep-models", action="store_true",
                     help="keep what every final training stores, for `export`; a finished cell whose models were not "
                          "kept trains its final seeds again, at the rate that it found")
    _profile(how)
    how.add_argument("--storage", metavar="URL",
                     help="keep trials in this database (postgresql://, mysql://, sqlite:///), where all runs that "
                          "name it share those of equal cells; leave a password to PGPASSWORD or ~/.pgpass")
    how.add_argument("--no-track", action="store_true", help="do not mirror the run to Weights & Biases")
    how.add_argument("--quiet", action="store_true", help="show neither progress nor board, only what went wrong")
    common(parser)


def plan(parser: argparse.ArgumentParser) -> None:
    """`plan`: what to run, and in which form to show it."""
    _grid(parser)
    _workers(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line for each cell")
    common(parser)


def catalog(parser: argparse.ArgumentParser) -> None:
    """`list`."""
    parser.add_argument("what", metavar="tasks|models|methods|suites")
    common(parser)


def show(parser: argparse.ArgumentParser) -> None:
    """`show`."""
    _run_directory(parser)
    parser.add_argument("cell", nargs="?", metavar="CELL",
                        help="task/model/method, or task/model/method@rows in a run with several training-set sizes: "
                             "all that is known of this cell")
    parser.add_argument("--json", action="store_true", help="one JSON object a line for each cell")
    common(parser)


def publish(parser: argparse.ArgumentParser) -> None:
    """`publish`."""
    _run_directory(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="where to write (default: RUN/leaderboard)")
    parser.add_argument("--png", action="store_true", help="write the figures as PNG, too")
    common(parser)


def compare(parser: argparse.ArgumentParser) -> None:
    """`compare`."""
    parser.add_argument("base", metavar="BASE", help="directory of a run, or its name under runs/")
    parser.add_argument("head", metavar="HEAD", help="the run that may have got worse, likewise")
    parser.add_argument("--history", type=Path, metavar="DIR", help="earlier nights: what noise is learnt from")
    parser.add_argument("--json", action="store_true", help="everything as one JSON object")
    parser.add_argument("--out", type=Path, metavar="DIR", help="also write verdict.md, .xml (JUnit) and .json there")
    common(parser)


def nightly(parser: argparse.ArgumentParser) -> None:
    """`nightly`: what to run, how, and where the history lies."""
    parser.set_defaults(storage=None)  # a night must not find the trials of the last one
    _grid(parser, out=False)
    how = parser.add_argument_group("how to run")
    _how(how)
    how.add_argument("--history", type=Path, metavar="DIR", help="the dated runs (default: runs/nightly/SUITE)")
    how.add_argument("--max-minutes", type=_positive, metavar="N",
                     help="only as many cells as fit: those not measured for long, and those that vary most, first")
    how.add_argument("--stop-after", type=_positive, metavar="N",
                     help="end the run after so many minutes: what is finished is judged, the rest has no record")
    _profile(how)
    how.add_argument("--no-track", action="store_true", help="do not mirror the run to Weights & Biases")
    how.add_argument("--quiet", action="store_true", help="show no progress, only the verdict")
    common(parser)


def accept(parser: argparse.ArgumentParser) -> None:
    """`accept`."""
    parser.add_argument("run", metavar="RUN", help="directory of a night in a history")
    parser.add_argument("--who", required=True, metavar="NAME", help="who accepts it")
    parser.add_argument("--why", required=True, metavar="TEXT", help="for which reason")
    common(parser)


def export(parser: argparse.ArgumentParser) -> None:
    """`export`."""
    _run_directory(parser)
    parser.add_argument("cell", metavar="CELL", help="task/model/method, of a run with --keep-models")
    parser.add_argument("directory", type=Path, metavar="DIR", help="where to write; must be new or empty")
    parser.add_argument("--seed", type=_count, metavar="N",
                        help="the final training to take (default: the one that was best on validation rows)")
    parser.add_argument("--merged", action="store_true",
                        help="fold the method into the weights: a plain checkpoint that transformers reads by itself")
    common(parser)


def predict(parser: argparse.ArgumentParser) -> None:
    """`predict`."""
    parser.add_argument("directory", type=Path, metavar="DIR", help="what `export` wrote")
    parser.add_argument("file", type=Path, metavar="FILE",
                        help="rows with the task's input columns: .jsonl, .csv or .parquet")
    parser.add_argument("--out", type=Path, metavar="FILE", help="a .jsonl file to write (default: the terminal)")
    common(parser)


def pretrain(parser: argparse.ArgumentParser) -> None:
    """`pretrain`."""
    parser.add_argument("model", metavar="MODEL", help="bert-mini, gpt2-mini or t5-mini")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where to write (default: where the bundled one lies)")
    parser.add_argument("--steps", type=_positive, metavar="N", help="updates (default: the recipe's)")
    parser.add_argument("--seed", type=_count, metavar="N", help="of everything drawn (default: the recipe's)")
    parser.add_argument("--resume", action=argparse.BooleanOptionalAction, default=True,
                        help="go on from an interrupted pretraining in the same directory (default), or start anew")
    common(parser)


def common(parser: argparse.ArgumentParser) -> None:
    """What every command takes."""
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error (also: BENCH_DEBUG=1)")


def _workers(group: argparse._ActionsContainer) -> None:
    group.add_argument("--workers", type=_count, metavar="N",
                       help="worker processes, one thread each (default: one a core, or one where there is a GPU, "
                            "which several would share: 4 is a guess for small models); 0 works in this process")


def _how(group: argparse._ActionsContainer) -> None:
    _workers(group)
    group.add_argument("--timeout", type=_positive, metavar="SECONDS",
                       help="end a cell after so long, with what it has: asked to first, ten seconds later killed")
    group.add_argument("--retries", type=_count, metavar="N", default=1,
                       help="how often to try a cell again whose worker died (default: 1)")
    group.add_argument("--executor", choices=("local", "ray", "slurm"), default="local",
                       help="what makes the cells: processes of this machine, a Ray cluster, or Slurm jobs; nodes must "
                            "share --out (default: local)")
    group.add_argument("--ray-address", metavar="HOST:PORT",
                       help="the Ray cluster to join (default: RAY_ADDRESS, else one on this machine)")
    group.add_argument("--gpus-per-cell", type=_share, metavar="N",
                       help="with ray, also a fraction: 0.25 lets four cells share a GPU")


def _profile(group: argparse._ActionsContainer) -> None:
    group.add_argument("--profile", nargs="?", choices=("times", "trace"), const="times",
                       help="write into the records of the cells that are run where their time went, for `show` and "
                            "the board; with `trace` also a trace of some training steps beside each study")


def _run_directory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="directory of a run, or its name under runs/")


def _grid(parser: argparse.ArgumentParser, out: bool = True) -> None:
    what = parser.add_argument_group("what to run")
    what.add_argument("--suite", metavar="NAME", help="a suite, or the path of a .toml file")
    what.add_argument("--tasks", metavar="A,B", help="these tasks instead of the suite's")
    what.add_argument("--models", metavar="A,B", help="these models: names, directories or hub ids")
    what.add_argument("--methods", metavar="A,B", help="these methods, with options: full,lora[r=16]")
    what.add_argument("--source", metavar="NAME", help="where data come from: bundled, hub or files")
    what.add_argument("--data-dir", type=Path, metavar="DIR",
                      help="with --source files: DIR/<task>/{train,validation,test}.jsonl (.csv, .parquet)")
    what.add_argument("--allow-pickle", metavar="A,B",
                      help="of these models, weights that are a pickle (pytorch_model.bin) are read where there are no "
                           "safetensors; only tensors are taken from it")
    if out:
        what.add_argument("--out", type=Path, metavar="DIR",
                          help="directory of the run (default: runs/SUITE, runs/custom without --suite; -SOURCE is "
                               "added where it is not the suite's)")
    _budget(parser.add_argument_group("what each cell may spend, instead of what the suite says"))


def _budget(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--trials", type=_positive, metavar="N", help="learning rates tried")
    group.add_argument("--seeds", type=seeds, metavar="N|A,B", help="so many final seeds (1..N), or these")
    group.add_argument("--epochs", type=_positive, metavar="N", help="passes over the training rows")
    group.add_argument("--train-size", type=train_size, metavar="ROWS|A,B",
                       help="train rows, drawn once for all cells; several sizes, as in 100,500,1000, make a cell at "
                            "each of them (smaller sets are parts of larger ones), and the board draws learning curves")
    for split in ("validation", "test"):
        drawn = f"{split} rows, drawn once for all cells"
        group.add_argument(f"--{split}-size", type=_positive, metavar="ROWS", help=drawn)


def train_size(text: str) -> sizes.Sizes:
    """`500` as one training-set size in rows, `100,500` as several.

    Raises RequestError for anything else, and for a size that is there twice.
    """
    if not re.fullmatch(r"[1-9]\d{0,17}(,[1-9]\d{0,17})*", text):
        raise RequestError(f"--train-size {text!r}: write a number of rows, as in 500, or several, as in 100,500.")
    try:
        return sizes.checked([int(part) for part in text.split(",")])
    except ValueError as error:
        raise RequestError(f"--train-size {text}: {error}.") from error


def seeds(text: str) -> tuple[int, ...]:
    """`3` as the first three seeds, `5,` or `4,5` as just these.

    Raises RequestError for anything else. Whether a budget can have these seeds is the budget's to say.
    """
    if not re.fullmatch(r"[1-9]\d{0,17}|(\d{1,18},)+(\d{1,18})?", text):
        raise RequestError(f"--seeds {text!r}: write how many, as in 3, or which, as in 1,5,9 (just one: 5,).")
    if "," in text:
        return tuple(int(part) for part in text.split(",") if part)
    if int(text) > MOST_SEEDS:
        raise RequestError(f"--seeds {text}: at most {MOST_SEEDS} seeds. Just the seed {text} is written {text},")
    return tuple(range(1, int(text) + 1))


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def _share(text: str) -> float:
    if not re.fullmatch(r"\d{1,3}(\.\d{1,4})?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0, as in 1 or 0.25")
    return float(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)
