"""The command line: what a user types, what they read, and what the shell is told."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from bench import cli, options, pool
from bench.commands import outlook, request
from bench.commands import run as run_command
from bench.errors import BenchError, DataError, DivergedError, NothingSelectedError, RequestError, UnavailableError
from bench.spec import Budget, Family, Head
from bench.store import Store
from bench.suite import Suite
from tests import tiny

torch.set_num_threads(1)

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "transformers", "numpy", "pandas", "optuna", "wandb", "datasets", "peft", "rich", "jinja2", "pyarrow")
QUICK = ["--help", "run --help", "list tasks", "list models", "list methods", "list suites"]
SMALL = "--source files --data-dir data --tasks sentiment --trials 1 --seeds 1 --epochs 1 --workers 0 --no-track"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint."""
    place = tmp_path_factory.mktemp("models") / "little-bert"
    tiny.checkpoint(Family.ENCODER, place)
    return place


@pytest.fixture
def place(tmp_path: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a model and data of one's own."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(encoder, tmp_path / "little-bert")
    for split in ("train", "validation", "test"):
        write_rows(tmp_path / "data" / "sentiment" / f"{split}.jsonl", tiny.rows(Head.CLASSIFY))
    return tmp_path


def write_rows(path: Path, rows: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def bench(line: str) -> int:
    return cli.main(line.split())


def small(methods: str = "full,head_only", more: str = "", model: str = "./little-bert") -> int:
    return bench(f"run {SMALL} --models {model} --methods {methods} --out out {more}")


def complaint(capsys: Capture, line: str, code: int = 2) -> str:
    """The one message on stderr of a command that fails with `code`."""
    assert bench(line) == code
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert "Traceback" not in said
    return said


def child(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "WANDB_MODE": "offline"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, **options)


# Help and lists


def test_help_tells_the_commands_and_the_exit_codes(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        bench("--help")
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(command in said for command in cli.COMMANDS)
    assert all(f"\n  {code} " in said for code in (0, 1, 2, 3, 130))


def test_without_a_command_there_is_help(capsys: Capture) -> None:
    assert cli.main([]) == 0
    assert "COMMAND" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("what", "found"),
    [("tasks", "sentiment"), ("models", "bert-mini"), ("methods", "r=8, alpha=16"), ("suites", "glue-lite  75")],
)
def test_list_shows_what_there_is(capsys: Capture, what: str, found: str) -> None:
    assert bench(f"list {what}") == 0
    assert found in capsys.readouterr().out


@pytest.mark.parametrize("line", QUICK)
def test_help_and_lists_load_no_library(line: str) -> None:
    code = (
        f"import sys\nfrom bench.cli import main\ntry:\n    main({line.split()})\nexcept SystemExit:\n    pass\n"
        f"print('LOADED', [n for n in {HEAVY} if n in sys.modules])"
    )
    assert child("-c", code).stdout.endswith("LOADED []\n")


@pytest.mark.parametrize("line", ["--help", "list models"])
def test_help_and_lists_cost_little_more_than_python(line: str) -> None:
    """Processor time rather than wall time, so that a busy machine does not matter."""

    def cost(*arguments: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert child(*arguments).returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(cost("-m", "bench", *line.split()) for _ in range(3)) - cost("-c", "pass") < 0.3


# Requests that cannot be carried out


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("rnu --suite smoke", "unknown command 'rnu'. Did you mean 'run'?"),
        ("list task", "unknown list 'task'. Did you mean 'tasks'?"),
        ("run --suit smoke", "Did you mean --suite?"),
        ("plan --suite smok", "unknown suite 'smok'. Did you mean 'smoke'?"),
        ("plan --tasks sentimnt", "unknown task 'sentimnt'. Did you mean 'sentiment'?"),
        ("plan --models bert-mimi", "unknown model 'bert-mimi'. Did you mean 'bert-mini'?"),
        ("plan --models ./little-bert --methods lore", "unknown method 'lore'. Did you mean 'lora'?"),
        ("plan --models ./little-bert --methods lora[alhpa=3]", "method 'lora': 'alhpa'. Did you mean 'alpha'?"),
        ("plan --models ./little-bert --source hubb", "Did you mean 'hub'?"),
        ("plan --tasks qa --trials 0", "'0' is not a whole number from 1"),
        ("plan --tasks qa --seeds 0", "--seeds '0': write how many"),
        ("plan --tasks qa --seeds 1.5", "--seeds '1.5': write how many"),
        ("plan --tasks qa --seeds 4,4", "budget: seeds must differ from each other, got 4 more than once."),
        ("plan --tasks qa --seeds 0,1", "budget: each seed must be from 1 to 4294967295 (0 is the search's), got 0."),
        ("plan --tasks qa --seeds 99999999", "--seeds 99999999: at most 1000 seeds."),
        ("plan --tasks qa --train-size 5,0", "--train-size '5,0': write a number of rows"),
        ("plan --tasks qa --train-size 5,5", "must differ from each other, got 5 more than once."),
        ("plan --tasks qa --data-dir data --source hub", "--data-dir is only read with --source files"),
        ("plan --tasks qa --data-dir data", "--data-dir is only read with --source files"),
        ("run --suite smoke --gpus-per-cell half", "'half' is not a number from 0, as in 1 or 0.25"),
        ("run --suite smoke --gpus-per-cell 0.5", "--gpus-per-cell is for --executor ray and slurm"),
        ("run", "say what to run: --suite glue-lite"),
        ("show", "the following arguments are required: RUN"),
        ("pretrain bert-mni", "Did you mean 'bert-mini'?"),
    ],
)
def test_a_mistake_is_answered_with_what_was_meant(capsys: Capture, place: Path, line: str, advice: str) -> None:
    assert advice in complaint(capsys, line)


def test_a_missing_checkpoint_is_told_before_anything_runs(capsys: Capture, place: Path) -> None:
    assert "there is no config.json" in complaint(capsys, "run --tasks sentiment --models ./no-such-model")


def test_a_typo_in_a_suite_file_is_found_with_file_and_key(capsys: Capture, place: Path) -> None:
    suite = '[suite]\ntasks = ["qa"]\nmodels = ["minilm"]\nmethods = ["full"]\n[budget]\ntrails = 4\n'
    Path("mine.toml").write_text(suite)
    said = complaint(capsys, "plan --suite mine.toml")
    assert "mine.toml: [budget] has unknown key 'trails'. Did you mean 'trials'?" in said


def test_a_wrong_column_stops_a_run_before_anything_trains(capsys: Capture, place: Path) -> None:
    write_rows(place / "data/sentiment/validation.jsonl", [{"text": "fine.", "lable": "good"}])
    assert small() == 2
    said = capsys.readouterr().err
    assert "validation.jsonl, line 1: no column 'label'" in said
    assert "Rename 'lable' to 'label'." in said
    assert not Path("out/records").exists()


@pytest.mark.parametrize(("file", "part"), [("model.safetensors", "weights"), ("tokenizer.json", "tokenizer")])
def test_an_incomplete_checkpoint_stops_a_run_before_anything_trains(
    capsys: Capture, place: Path, file: str, part: str
) -> None:
    Path("little-bert", file).unlink()
    assert small() == 2
    assert f"model 'little-bert': there is no file with its {part}" in capsys.readouterr().err
    assert not Path("out").exists()


def test_a_directory_that_cannot_be_made_is_one_message(capsys: Capture, place: Path) -> None:
    Path("taken").write_text("a file")
    assert bench(f"run {SMALL} --models ./little-bert --methods full --out taken/run") == 2
    assert capsys.readouterr().err.startswith("error: taken/run: Not a directory. Check the path")


def test_random_weights_need_no_file(capsys: Capture, place: Path) -> None:
    Path("little-bert/model.safetensors").unlink()
    assert small("scratch") == 0


def test_nothing_selected_has_an_exit_code_of_its_own(capsys: Capture, place: Path) -> None:
    assert bench("plan --models ./little-bert --tasks ,") == 3
    assert "no cell is selected" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["show", "publish"])
def test_a_run_that_does_not_exist_or_is_empty_is_told_apart(capsys: Capture, place: Path, command: str) -> None:
    said = complaint(capsys, f"{command} nowhere", code=2)
    assert "there is no run in nowhere. Give its directory, or its name under runs/." in said
    Path("empty").mkdir()
    assert "there are no records in empty" in complaint(capsys, f"{command} empty", code=3)


def test_debug_shows_the_error_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BenchError):
        bench("plan --suite smok --debug")
    monkeypatch.setenv("BENCH_DEBUG", "1")
    with pytest.raises(BenchError):
        bench("plan --suite smok")


@pytest.mark.parametrize(
    ("error", "code"),
    [(RequestError(), 2), (DataError(), 2), (UnavailableError(), 2), (NothingSelectedError(), 3), (DivergedError(), 1),
     (PermissionError(), 2)],
)
def test_every_kind_of_error_has_its_exit_code(error: Exception, code: int) -> None:
    assert cli.exit_code(error) == code


def test_a_reader_that_goes_away_is_no_error() -> None:
    shell = f"set -o pipefail; {sys.executable} -m bench list models | true"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")


# What is asked for


@pytest.mark.parametrize(("text", "meant"), [("3", (1, 2, 3)), ("1,5,9", (1, 5, 9)), ("7,", (7,)), ("5,4", (5, 4))])
def test_seeds_are_a_number_or_a_list(text: str, meant: tuple[int, ...]) -> None:
    assert options.seeds(text) == meant


def test_the_budget_of_a_request_holds_for_every_task_and_source() -> None:
    own = {"qa": {"epochs": 2, "trials": 9}}
    suite = Suite("s", "", ("qa",), ("m",), ("full",), changes=own, hub_budget={"epochs": 7, "test_size": 5})
    changed = request.with_budget(suite, {"epochs": 1})
    assert changed.budgets_for("qa", "bundled") == (Budget(epochs=1, trials=9),)
    assert changed.budgets_for("ner", "hub") == (Budget(epochs=1, test_size=5),)


def test_plan_shows_cells_steps_and_time_and_trains_nothing(capsys: Capture, place: Path) -> None:
    line = SMALL.replace("--workers 0 --no-track", "")
    assert bench(f"plan {line} --models ./little-bert --methods full,scratch") == 0
    said = capsys.readouterr().out
    assert "sentiment  little-bert  scratch  files" in said
    assert "budget of sentiment: 1 trial, seeds 1, 1 epoch in batches" in said
    assert "2 cells: 2 to run, 0 fresh; about" in said
    assert not Path("runs").exists()


def test_plan_shares_the_work_out_among_as_many_workers_as_run_does(capsys: Capture, place: Path) -> None:
    assert bench("plan --tasks sentiment --models ./little-bert --methods full,scratch --workers 7") == 0
    assert "with 7 workers (a rough estimate)" in capsys.readouterr().out


def test_plan_as_json_is_one_object_a_cell(capsys: Capture, place: Path) -> None:
    bench("plan --suite glue-lite --models ./little-bert --json")
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(rows) == 25
    assert {"task", "model", "method", "source", "steps", "seconds", "record", "fingerprint"} <= set(rows[0])


@pytest.mark.parametrize(
    ("line", "directory"),
    [
        ("--suite smoke --models ./little-bert", "runs/smoke"),
        ("--tasks sentiment --models ./little-bert", "runs/custom"),
        ("--tasks sentiment --models ./little-bert --source files --data-dir data", "runs/custom-files"),
    ],
)
def test_a_run_has_its_own_directory(place: Path, line: str, directory: str) -> None:
    arguments = cli._parsers()[0].parse_args(["plan", *line.split()])
    assert request.read(arguments).out == Path(directory)


# Runs


def test_a_run_from_the_first_line_to_the_board(capsys: Capture, place: Path) -> None:
    assert small() == 0
    said = capsys.readouterr()
    assert "custom  2 cells: 2 to run, 0 fresh; about" in said.out
    assert "data: files in data   device: " in said.out
    assert "[1/2] sentiment/little-bert/" in said.out
    assert "[2/2] sentiment/little-bert/" in said.out
    assert "2 cells: 2 OK   source: files" in said.out
    assert "out/leaderboard/leaderboard.html" in said.out
    assert "2 cells run in " in said.out
    assert said.err == ""
    assert Store(Path("out")).records()[0].provenance["command"].startswith("python -m bench run --source files")


def test_a_finished_run_is_fresh_and_can_be_shown_and_published(capsys: Capture, place: Path) -> None:
    small()
    shutil.rmtree("out/leaderboard")
    capsys.readouterr()
    assert small() == 0
    assert "2 cells: nothing to run, 2 fresh" in capsys.readouterr().out
    assert Path("out/leaderboard/leaderboard.md").exists()
    assert bench("show out") == 0
    assert "2 cells: 2 OK" in capsys.readouterr().out
    assert bench("show out sentiment/little-bert/full") == 0
    assert "learning rate" in capsys.readouterr().out
    assert "Did you mean 'sentiment/little-bert/full'?" in complaint(capsys, "show out sentiment/little-bert/fll")
    assert bench("publish out --out elsewhere") == 0
    kinds = ("md", "csv", "tex", "parquet", "html")
    said = capsys.readouterr().out.splitlines()
    drawn = len(list(Path("elsewhere/figures").iterdir()))
    assert drawn in (4, 5)  # two cells of the very same peak memory have no chart of it
    assert said == [*(f"  elsewhere/leaderboard.{kind}" for kind in kinds), f"  elsewhere/figures: {drawn} files"]
    assert bench("publish out --out elsewhere --png") == 0
    assert capsys.readouterr().out.endswith(f"  elsewhere/figures: {2 * drawn} files\n")


def test_several_sizes_make_cells_with_names_of_their_own_and_curves(capsys: Capture, place: Path) -> None:
    assert small("full", "--train-size 4,8") == 0
    said = capsys.readouterr().out
    assert all(f"sentiment/little-bert/full@{size} " in said for size in (4, 8))
    assert "out/leaderboard/figures: 2 files" in said
    assert Path("out/leaderboard/figures/learning-curve-sentiment-little-bert.svg").is_file()
    assert small("full", "--train-size 4,6,8") == 0
    assert "3 cells: 1 to run, 2 fresh" in capsys.readouterr().out
    assert bench("show out sentiment/little-bert/full@4") == 0
    assert "4 train, 8 validation, 8 test" in capsys.readouterr().out


def test_sizes_beyond_the_data_are_refused_before_anything_trains(capsys: Capture, place: Path) -> None:
    assert small("full", "--train-size 100,200") == 2
    assert "task 'sentiment' has 8 training rows, so the sizes 100 and 200" in capsys.readouterr().err
    assert not Path("out/records").exists()


def test_show_as_json_is_one_object_a_cell(capsys: Capture, place: Path) -> None:
    small("full", "--quiet")
    assert capsys.readouterr().out == ""
    bench("show out --json")
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(rows) == 1
    names = "task model method source outcome reason metric score low high seeds rate seconds peak_memory".split()
    assert {*names, "trainable_params", "total_params"} <= set(rows[0])
    assert rows[0]["seeds"] == [rows[0]["score"]]


def test_a_failed_cell_is_told_with_its_reason_and_exit_code(capsys: Capture, place: Path) -> None:
    Path("little-bert/model.safetensors").write_bytes(b"these are no weights")
    assert small("full") == 1
    said = capsys.readouterr().out
    assert "[1/1] sentiment/little-bert/full  FAILED  " in said
    assert "1 cell failed, 1 of them would be tried again by the same command" in said
    assert small("full", "--quiet") == 1
    said_now = capsys.readouterr()
    assert said_now.out == ""
    assert "warning: sentiment/little-bert/full: FAILED" in said_now.err


def test_show_tells_of_cells_without_a_fresh_record(capsys: Capture, place: Path) -> None:
    small()
    Path("out/records/sentiment/little-bert/full.json").unlink()
    capsys.readouterr()
    bench("show out")
    assert "Of 2 planned cells, 1 have no record yet." in capsys.readouterr().out


def test_a_record_that_cannot_be_read_is_told_and_made_again(capsys: Capture, place: Path) -> None:
    small()
    Path("out/records/sentiment/little-bert/full.json").write_text("{")
    capsys.readouterr()
    bench("show out")
    said = capsys.readouterr()
    assert "warning: out/records/sentiment/little-bert/full.json" in said.err
    assert "1 cell: 1 OK" in said.out
    small()
    assert "1 to run, 1 fresh" in capsys.readouterr().out


def test_an_interrupted_run_says_so_and_goes_on(capsys: Capture, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    press_after(1, monkeypatch)
    assert small() == 130
    said = capsys.readouterr()
    assert said.err == "stopped: 1 cell finished, run the same command to go on\n"
    monkeypatch.undo()
    monkeypatch.chdir(place)
    assert small() == 0
    assert "1 to run, 1 fresh" in capsys.readouterr().out


def press_after(cells: int, monkeypatch: pytest.MonkeyPatch, key: Callable[[], None] | None = None) -> None:
    """Press Ctrl-C when so many cells are finished."""
    watch = run_command._Watch.__call__

    def pressing(self: Any, event: Any) -> None:
        watch(self, event)
        if event.done == cells:
            (key or (lambda: os.kill(os.getpid(), signal.SIGINT)))()

    monkeypatch.setattr(run_command._Watch, "__call__", pressing)


def test_sigterm_stops_a_run_as_ctrl_c_does(capsys: Capture, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    press_after(1, monkeypatch, lambda: os.kill(os.getpid(), signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)
    assert small() == 130
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_real_run_with_workers_and_a_mirror_says_nothing_that_it_should_not(place: Path) -> None:
    """Libraries warn and show bars when they are imported, load weights or begin a W&B run: none of it may be seen."""
    line = SMALL.replace("--workers 0 --no-track", "--workers 1")
    done = child("-m", "bench", "run", *line.split(), "--models", "./little-bert", "--methods", "lora", cwd=place)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert "custom  1 cell: 1 to run" in lines[0]
    assert "W&B: offline" in lines[1]
    assert lines[3].startswith("[1/1] sentiment/little-bert/lora  accuracy ")
    assert lines[5] == "1 cell: 1 OK   source: files"
    assert list(place.glob("runs/custom-files/wandb/offline-run-*"))


def test_the_time_left_is_no_less_than_the_longest_cell(place: Path) -> None:
    arguments = cli._parsers()[0].parse_args(["plan", "--models", "./little-bert", "--tasks", "sentiment"])
    found = outlook.Outlook.of(request.read(arguments).plan, Path("out"), workers=100)
    assert found.total_seconds() == max(found.seconds(cell) for cell in found.to_do)
    assert pool.default_workers() >= 1
