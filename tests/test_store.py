"""The directory as a database: whole files or none, safe names, clear words about broken ones."""

from __future__ import annotations

import random
import string
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.errors import StoreError
from bench.record import Outcome, Record
from bench.store import RETRIED, Store, is_fresh, safe_name

NAMES = ("sentiment", "bert-mini", "full")
RECORD = Record(*NAMES, "bundled", "encoder", "classify", "f" * 64, Outcome.OK, "accuracy", score=0.1 + 0.2)
ROW: dict[str, Any] = {
    "row": 0, "input": "a\nb", "reference": '"x"', "seed": 1, "prediction": '"é"', "score": 50.0, "phenomena": None,
    "unseen": None, "statistics": [1.0, 0.5],
}


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = store.write_record(RECORD)
    assert path == tmp_path / "records" / "sentiment" / "bert-mini" / "full.json"
    assert store.read_record(NAMES) == RECORD
    assert store.records() == [RECORD]


def test_a_record_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert Store(tmp_path).read_record(NAMES) is None


def test_a_run_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no run in"):
        Store(tmp_path / "nowhere").records()


BROKEN = ["", "{", "[]", "{}", '{"schema": 1}', '{"schema": 1, "colour": "red"}', '{"schema": 99}']


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_record_is_reported_and_the_others_are_listed(tmp_path: Path, text: str) -> None:
    store = Store(tmp_path)
    store.write_record(RECORD)
    broken = store.path("records", ("sentiment", "bert-mini", "lora"), "json")
    broken.write_text(text)
    listing = store.listing()
    assert listing.records == (RECORD,)
    assert len(listing.problems) == 1
    assert listing.problems[0].startswith(str(broken))
    with pytest.raises(StoreError, match=r"lora\.json"):
        store.read_record(("sentiment", "bert-mini", "lora"))


@pytest.mark.parametrize("score", ["NaN", '"high"', "1e999"])
def test_a_record_whose_score_is_no_number_is_reported_with_its_file(tmp_path: Path, score: str) -> None:
    store = Store(tmp_path)
    path = store.write_record(RECORD)
    path.write_text(path.read_text().replace(f'"score": {RECORD.score}', f'"score": {score}'))
    listing = store.listing()
    assert listing.records == ()
    assert listing.problems[0].startswith(f"{path}: not a readable record (score must be ")


def test_a_stray_copy_of_a_record_is_reported_and_left_out(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = store.write_record(RECORD)
    copy = path.with_name("full (copy).json")
    copy.write_bytes(path.read_bytes())
    listing = store.listing()
    assert listing.records == (RECORD,)
    assert listing.problems == (
        f"{copy}: holds the record of sentiment/bert-mini/full, whose place is {path}. Move it there, or remove it.",
    )


def test_a_number_that_json_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        Store(tmp_path).write_record(replace(RECORD, score=float("nan")))
    assert Store(tmp_path).records() == []


def test_half_written_files_of_a_killed_run_are_swept_away(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = store.write_record(RECORD)
    (path.parent / ".full.json.abc.tmp").write_text("{")
    assert store.listing().problems == ()
    store.sweep()
    assert list(path.parent.iterdir()) == [path]


def test_a_directory_takes_the_place_of_an_earlier_one_whole(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for content in ("old", "new"):
        with store.new_models(NAMES) as place:
            (place / "seed-1").mkdir()
            (place / "seed-1" / content).write_text(content)
            if content == "new":
                assert (store.model(NAMES, 1) / "old").exists()
    assert [path.name for path in store.model(NAMES, 1).iterdir()] == ["new"]
    assert [path.name for path in store.model(NAMES, 1).parent.parent.iterdir()] == ["full"]


def test_a_directory_that_is_not_finished_leaves_the_earlier_one_and_no_rubbish(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.new_models(NAMES) as place:
        (place / "seed-1").mkdir()
    with pytest.raises(FileNotFoundError), store.new_models(NAMES) as place:
        (place / "seed-2" / "too deep").mkdir()
    assert [path.name for path in store.model(NAMES, 1).parent.iterdir()] == ["seed-1"]
    with store.new_models(NAMES):
        """Nothing is put in."""
    assert list((tmp_path / "models" / "sentiment" / "bert-mini").iterdir()) == []


def test_half_written_models_of_a_killed_run_are_swept_away(tmp_path: Path) -> None:
    half = tmp_path / "models" / "sentiment" / "bert-mini" / ".full.abc.tmp" / "seed-1"
    half.mkdir(parents=True)
    Store(tmp_path).sweep()
    assert list((tmp_path / "models" / "sentiment" / "bert-mini").iterdir()) == []


def test_predictions_come_back_as_they_were(tmp_path: Path) -> None:
    store = Store(tmp_path)
    rows = [ROW, {**ROW, "row": 1, "score": None, "phenomena": '["negation"]', "unseen": True}]
    store.write_predictions(NAMES, rows)
    assert store.read_predictions(NAMES) == rows
    store.remove_predictions(NAMES)
    assert store.read_predictions(NAMES) == []


def test_no_digit_and_no_character_of_predictions_is_lost(tmp_path: Path) -> None:
    numbers = [0.1 + 0.2, 1e-308, 1 / 3, -0.0, 1e300]
    texts = ["\u2028 \0 \\ \" 'é\U0001f600", "2026-11-23T10:00:00", "NaN", ""]
    rows = [{**ROW, "score": number, "statistics": numbers, "input": text} for number in numbers for text in texts]
    store = Store(tmp_path)
    store.write_predictions(NAMES, rows)
    assert store.read_predictions(NAMES) == rows


def test_pandas_is_not_imported_to_write_predictions(tmp_path: Path) -> None:
    """It would cost every cell half a second and 68 MiB."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom bench.store import Store\n"
        f"Store(Path({str(tmp_path)!r})).write_predictions({NAMES!r}, [{ROW!r}])\nprint('pandas' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"


def test_answers_come_back_seed_by_seed_with_what_was_asked(tmp_path: Path) -> None:
    store = Store(tmp_path)
    rows = [{**ROW, "seed": seed, "row": row, "statistics": [seed, row]} for seed in (3, 1) for row in range(4)]
    store.write_predictions(NAMES, rows)
    first, second = store.read_answers(NAMES)
    assert (first.seed, second.seed) == (3, 1)
    assert first.asked == second.asked
    assert first.statistics.tolist() == [[3, 0], [3, 1], [3, 2], [3, 3]]
    assert second.scores.tolist() == [50] * 4
    store.write_predictions(NAMES, [{**row, "input": "another"} for row in rows])
    assert store.read_answers(NAMES)[0].asked != first.asked


def test_answers_that_were_never_written_are_none_and_uneven_ones_an_error(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.read_answers(NAMES) == []
    store.write_predictions(NAMES, [ROW, {**ROW, "row": 1, "statistics": [1.0]}])
    with pytest.raises(StoreError, match=r"full\.parquet: not readable as answers"):
        store.read_answers(NAMES)


def test_predictions_without_statistics_are_no_answers(tmp_path: Path) -> None:
    store = Store(tmp_path)
    nothing: tuple[list[float] | None, ...] = (None, [])
    for statistics in nothing:
        store.write_predictions(NAMES, [{**ROW, "statistics": statistics}])
        assert store.read_answers(NAMES) == []


def test_columns_of_the_first_seed_come_by_row(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.read_first_seed(NAMES, ("row", "score")) == {}
    store.write_predictions(NAMES, [{**ROW, "seed": seed, "row": row} for seed in (3, 1) for row in range(2)])
    assert store.read_first_seed(NAMES, ("row", "score")) == {"row": [0, 1], "score": [50.0, 50.0]}
    store.path("predictions", NAMES, "parquet").write_bytes(b"broken")
    with pytest.raises(StoreError, match=r"full\.parquet: not readable as answers"):
        store.read_first_seed(NAMES, ("row",))


def test_broken_predictions_are_an_error_that_names_the_file(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write_predictions(NAMES, [ROW]).write_bytes(b"PAR1 not really")
    with pytest.raises(StoreError, match=r"full\.parquet"):
        store.read_predictions(NAMES)


def test_a_plan_that_is_no_text_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(b"caf\xe9")
    with pytest.raises(StoreError, match=r"plan\.json: not UTF-8 text"):
        Store(tmp_path).read_plan()


def test_plan_and_events_are_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / "new")
    with pytest.raises(StoreError, match=r"no plan\.json"):
        store.read_plan()
    store.write_plan("{}")
    store.append_event({"kind": "started"})
    store.append_event({"kind": "finished"})
    assert store.read_plan() == "{}"
    assert len((tmp_path / "new" / "events.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize("name", ["bert-mini", "head_only", "t5-small", "v1.2"])
def test_plain_names_are_their_own_file_names(name: str) -> None:
    assert safe_name(name) == name


def test_other_names_stay_readable() -> None:
    assert safe_name("FacebookAI/roberta-base").startswith("facebookai-roberta-base-")
    assert safe_name("lora[r=16,alpha=32]").startswith("lora-r=16-alpha=32-")


@pytest.mark.parametrize(("one", "other"), [("org/name", "org-name"), ("Bert", "bert"), ("a/b", "a:b"), ("../x", "x")])
def test_different_names_never_share_a_file_name(one: str, other: str) -> None:
    assert safe_name(one) != safe_name(other)


def test_every_name_is_safe_in_a_file_system() -> None:
    rng = random.Random(0)
    letters = string.printable + "éß名\U0001f600\0"
    names = ["..", ".", "/", "-", "é", *("".join(rng.choices(letters, k=rng.randint(1, 200))) for _ in range(500))]
    for safe in map(safe_name, names):
        assert set(safe) <= set(string.ascii_lowercase + string.digits + "_.=@-")
        assert not safe.startswith(".")
        assert len(safe) < 120


@pytest.mark.parametrize("outcome", Outcome)
def test_a_record_is_fresh_when_nothing_changed_and_another_try_would_not_help(outcome: Outcome) -> None:
    record = replace(RECORD, outcome=outcome)
    assert is_fresh(record, "f" * 64) is (outcome not in RETRIED)
    assert not is_fresh(record, "0" * 64)
    assert not is_fresh(None, "f" * 64)
