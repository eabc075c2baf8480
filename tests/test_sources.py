"""Sources hand out checked rows, cut to the budget; mistakes in files are named with file, line and fix."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench import sources
from bench.errors import DataError, RequestError, UnknownNameError
from bench.sources import Splits
from bench.spec import SPLITS, Budget, Bundled, Task
from tasks.ner import TASK as NER
from tasks.paraphrase import TASK as PARAPHRASE
from tasks.qa import TASK as QA
from tasks.sentiment import TASK as SENTIMENT
from tasks.similarity import TASK as SIMILARITY
from tasks.summarization import TASK as SUMMARIZATION
from tasks.translation import TASK as TRANSLATION

Table = Sequence[Mapping[str, Any]]

GOOD: dict[str, Table] = {
    "sentiment": [{"text": "a joy", "label": "positive"}, {"text": "a bore", "label": "negative"}],
    "ner": [{"tokens": ["ann", "lee", "sat"], "tags": ["B-PER", "I-PER", "O"]}],
    "qa": [{"context": "ann sat", "question": "who sat?", "answers": {"text": ["ann"], "answer_start": [0]}}],
    "similarity": [
        {"sentence1": "a dog", "sentence2": "the dog, barking", "score": 3.75},
        {"sentence1": "a", "sentence2": "b", "score": 0},
    ],
    "paraphrase": [
        {"sentence1": "a dog", "sentence2": "the dog", "label": "equivalent"},
        {"sentence1": "a", "sentence2": "b", "label": "not_equivalent"},
    ],
    "translation": [{"source": "day", "target": "día"}],
    "summarization": [{"document": "it rained, all day, on us", "summary": "it rained"}],
}
TASKS = (SENTIMENT, PARAPHRASE, SIMILARITY, NER, QA, TRANSLATION, SUMMARIZATION)


def write_jsonl(path: Path, rows: Table) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def write_csv(path: Path, rows: Table) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        for row in rows:
            writer.writerow({k: v if isinstance(v, str) else json.dumps(v) for k, v in row.items()})


def write_parquet(path: Path, rows: Table) -> None:
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), path)


WRITERS = {"jsonl": write_jsonl, "csv": write_csv, "parquet": write_parquet}


def directory(tmp_path: Path, task: Task, **splits: Table) -> Path:
    """A data directory for `task` with good rows, but for the splits given."""
    (tmp_path / task.name).mkdir(exist_ok=True)
    for split in SPLITS:
        write_jsonl(tmp_path / task.name / f"{split}.jsonl", splits.get(split, GOOD[task.name]))
    return tmp_path


def loaded(task: Task, data_dir: Path, **sizes: int) -> Splits:
    return sources.load(task, "files", data_dir=data_dir, budget=Budget(**sizes))  # type: ignore[arg-type]


def complaint(task: Task, data_dir: Path) -> str:
    """The message of the error that checking `data_dir` ends in."""
    with pytest.raises(DataError) as caught:
        sources.check(task, "files", data_dir)
    return str(caught.value)


def complaint_on(tmp_path: Path, task: Task, row: Mapping[str, Any]) -> str:
    """The message where `row` is the second of the train split."""
    message = complaint(task, directory(tmp_path, task, train=[GOOD[task.name][0], row]))
    where = f"{tmp_path / task.name / 'train.jsonl'}, line 2: "
    assert message.startswith(where)
    return message.removeprefix(where)


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_all_three_kinds_of_file_give_the_same_rows(task: Task, kind: str, tmp_path: Path) -> None:
    rows = [{**row, "phenomena": ["x", "y"]} for row in GOOD[task.name]]
    (tmp_path / task.name).mkdir()
    for split in SPLITS:
        WRITERS[kind](tmp_path / task.name / f"{split}.{kind}", rows)
    splits = loaded(task, tmp_path)
    expected = [{**row, "id": f"test-{n}"} for n, row in enumerate(rows, 1)] if task is QA else rows
    assert splits.test() == expected
    assert splits.data.test == len(rows)


def test_other_columns_pass_through(tmp_path: Path) -> None:
    rows = [{"text": "a joy", "label": "positive", "critic": 7}]
    assert loaded(SENTIMENT, directory(tmp_path, SENTIMENT, train=rows)).train == rows


def test_an_id_of_its_own_is_kept(tmp_path: Path) -> None:
    row = {"id": "q9", **GOOD["qa"][0]}
    assert loaded(QA, directory(tmp_path, QA, test=[row])).test() == [row]


def test_the_test_split_is_opened_only_when_called(tmp_path: Path) -> None:
    data_dir = directory(tmp_path, SENTIMENT, test=[{"text": "no label"}])
    splits = loaded(SENTIMENT, data_dir)
    assert splits.data.test == 1
    with pytest.raises(DataError, match=r"test\.jsonl, line 1"):
        splits.test()


def test_sizes_take_the_same_rows_every_time_and_smaller_cuts_are_part_of_larger_ones(tmp_path: Path) -> None:
    rows = [{"text": f"line {i}", "label": "positive"} for i in range(50)]
    data_dir = directory(tmp_path, SENTIMENT, train=rows)
    small, large, again = (loaded(SENTIMENT, data_dir, train_size=n).train for n in (10, 20, 20))
    assert large == again != rows[:20]
    assert all(row in large for row in small)
    assert sorted(large, key=lambda row: int(row["text"].split()[1])) == large


def test_sizes_beyond_the_data_take_all_and_the_counts_say_so(tmp_path: Path) -> None:
    data = loaded(SENTIMENT, directory(tmp_path, SENTIMENT), train_size=9, validation_size=1, test_size=9).data
    assert (data.train, data.validation, data.test) == (2, 1, 2)


def test_overlap_counts_test_rows_with_the_inputs_of_a_train_row(tmp_path: Path) -> None:
    rows = [{"text": "a joy", "label": "negative"}, {"text": "new", "label": "positive"}]
    assert sources.overlap(SENTIMENT, loaded(SENTIMENT, directory(tmp_path, SENTIMENT, test=rows))) == 1


def test_labels_come_from_train_and_validation_with_outside_first(tmp_path: Path) -> None:
    tagged = [{"tokens": ["a", "b"], "tags": ["B-LOC", "I-LOC"]}]
    splits = loaded(NER, directory(tmp_path, NER, validation=tagged, test=[{"tokens": ["a"], "tags": ["B-ORG"]}]))
    assert sources.labels(NER, splits) == ("O", "B-LOC", "B-PER", "I-LOC", "I-PER")
    classes = loaded(SENTIMENT, directory(tmp_path, SENTIMENT))
    assert sources.labels(SENTIMENT, classes) == ("negative", "positive")
    assert sources.labels(TRANSLATION, loaded(TRANSLATION, directory(tmp_path, TRANSLATION))) == ()


@pytest.mark.parametrize("value", [None, "3.5", True, float("nan"), float("inf"), [3]])
def test_what_is_no_finite_number_is_refused_where_one_is_scored(tmp_path: Path, value: object) -> None:
    message = complaint_on(tmp_path, SIMILARITY, {**GOOD["similarity"][0], "score": value})
    assert message.startswith("column 'score': must be a finite number, not ")


def test_a_csv_cell_that_is_no_number_is_named_with_its_line(tmp_path: Path) -> None:
    data_dir = directory(tmp_path, SIMILARITY)
    (data_dir / "similarity" / "train.jsonl").unlink()
    (data_dir / "similarity" / "train.csv").write_text("sentence1,sentence2,score\na,b,1.5\na,b,high\n")
    assert re.search(r"train\.csv, line 3, column 'score': not valid", complaint(SIMILARITY, data_dir))


def test_training_numbers_that_do_not_differ_are_refused(tmp_path: Path) -> None:
    row = GOOD["similarity"][0]
    assert "all training rows have the number 3.75" in complaint(
        SIMILARITY, directory(tmp_path, SIMILARITY, train=[row, row])
    )


def test_a_label_whose_name_the_metric_does_not_know_is_refused_before_anything_is_scored(tmp_path: Path) -> None:
    row = {"sentence1": "a", "sentence2": "b", "label": "1"}
    message = complaint(PARAPHRASE, directory(tmp_path, PARAPHRASE, train=[{**row, "label": "equivalent"}, row]))
    assert "line 2: column 'label': '1' is no label of this task. Write one of 'equivalent', 'not_equ" in message


def test_a_pair_overlaps_when_both_texts_do(tmp_path: Path) -> None:
    one, other = GOOD["similarity"]
    mixed = {**one, "sentence2": other["sentence2"]}
    splits = loaded(SIMILARITY, directory(tmp_path, SIMILARITY, test=[mixed, {**one, "score": 1.0}]))
    assert sources.overlap(SIMILARITY, splits) == 1
    assert sources.labels(SIMILARITY, splits) == ()


def test_the_fingerprint_changes_with_any_split_and_size_and_is_what_the_record_holds(tmp_path: Path) -> None:
    data_dir = directory(tmp_path, SENTIMENT)
    small = Budget(test_size=1)
    first = sources.fingerprint(SENTIMENT, "files", data_dir, Budget())
    assert first == loaded(SENTIMENT, data_dir).data.sha256
    assert first != sources.fingerprint(SENTIMENT, "files", data_dir, small)
    directory(tmp_path, SENTIMENT, test=[{"text": "changed", "label": "positive"}])
    assert first != sources.fingerprint(SENTIMENT, "files", data_dir, Budget())


def test_the_bundled_rows_load_without_a_network() -> None:
    splits = sources.load(SENTIMENT, "bundled", budget=Budget(train_size=100))
    assert (len(splits.train), splits.data.synthetic, splits.data.revision) == (100, True, None)
    assert splits.data.origin == sources.origin(SENTIMENT, "bundled") == "tasks.corpora.sentiment"
    assert sources.resolve(SENTIMENT, "bundled") is None


def test_content_that_is_not_the_pinned_one_is_an_error_with_both_hashes() -> None:
    changed = replace(SENTIMENT, sources={"bundled": Bundled("sentiment", sha256="f" * 64)})
    with pytest.raises(DataError, match=r"(?s)'sentiment'.*[0-9a-f]{64}.*f{64}.*version.*tasks/sentiment\.py"):
        sources.load(changed, "bundled", budget=Budget())


def test_an_unknown_source_gets_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match=r"'fils'.*Did you mean 'files'"):
        sources.check(SENTIMENT, "fils")


def test_files_without_a_directory_ask_for_it() -> None:
    with pytest.raises(RequestError, match="--data-dir"):
        sources.check(SENTIMENT, "files")


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    assert f"{tmp_path / 'qa'}: no such directory" in complaint(QA, tmp_path)


def test_a_missing_file_is_named_with_what_is_there(tmp_path: Path) -> None:
    data_dir = directory(tmp_path, QA)
    (data_dir / "qa" / "validation.jsonl").rename(data_dir / "qa" / "dev.jsonl")
    message = complaint(QA, data_dir)
    assert "no validation split, found dev.jsonl, test.jsonl, train.jsonl" in message
    assert "validation.jsonl (or .csv, .parquet)" in message


def test_two_files_for_a_split_are_refused(tmp_path: Path) -> None:
    data_dir = directory(tmp_path, SENTIMENT)
    write_csv(data_dir / "sentiment" / "test.csv", GOOD["sentiment"])
    assert "both test.jsonl and test.csv" in complaint(SENTIMENT, data_dir)


def test_an_empty_split_is_refused(tmp_path: Path) -> None:
    message = complaint(SENTIMENT, directory(tmp_path, SENTIMENT, validation=[]))
    assert "sentiment/validation.jsonl: the validation split has no rows" in message


def test_a_misnamed_column_gets_the_nearest_name(tmp_path: Path) -> None:
    assert "Rename 'texts' to 'text'" in complaint_on(tmp_path, SENTIMENT, {"texts": "a joy", "label": "positive"})


def test_a_missing_column_is_named_with_those_of_the_task(tmp_path: Path) -> None:
    message = complaint_on(tmp_path, SENTIMENT, {"text": "a joy"})
    assert message == "no column 'label'; the row has 'text'. Add it; this task's columns are text, label."


@pytest.mark.parametrize(
    ("task", "change", "says"),
    [
        (SENTIMENT, {"text": " "}, "column 'text': the text is empty"),
        (SENTIMENT, {"label": 1}, "column 'label': must be text, not 1. Make it text"),
        (SENTIMENT, {"label": "positive "}, "'positive ' has white space around it, which would make it another label"),
        (NER, {"tags": ["B-PER ", "O", "O"]}, "tag 1: 'B-PER ' is not an IOB2 tag"),
        (SENTIMENT, {"text": None}, "must be text, not null. Fill it in, or remove the row."),
        (NER, {"tokens": "ann lee sat"}, "column 'tokens': must be a list of tokens, not 'ann lee sat'"),
        (NER, {"tokens": []}, "the list has no token"),
        (NER, {"tokens": ["ann", "", "sat"]}, "token 2: the text is empty"),
        (NER, {"tags": ["PER", "I-PER", "O"]}, "tag 1: 'PER' is not an IOB2 tag"),
        (NER, {"tags": ["O", "I-PER", "O"]}, "tag 2: 'I-PER' cannot follow 'O' in IOB2. Begin the entity with 'B-PER'"),
        (NER, {"tags": ["I-PER", "O", "O"]}, "tag 1: 'I-PER' cannot follow 'O'"),
        (NER, {"tags": ["B-PER", "I-LOC", "O"]}, "'I-LOC' cannot follow 'B-PER'"),
        (NER, {"tags": ["O", "O"]}, "3 in 'tokens', but 2 in 'tags'. Give every token one tag"),
        (QA, {"id": 7}, "column 'id': must be text"),
        (QA, {"answers": ["ann"]}, "column 'answers': must be an object"),
        (QA, {"answers": {"text": ["ann"]}}, "needs a list 'answer_start'"),
        (QA, {"answers": {"text": [], "answer_start": []}}, "the list has no answer"),
        (QA, {"answers": {"text": ["ann"], "answer_start": [0, 1]}}, "1 answers, but 2 in answer_start"),
        (QA, {"answers": {"text": ["ann"], "answer_start": [-1]}}, "must be character offsets, not -1"),
        (QA, {"answers": {"text": ["sat"], "answer_start": [3]}}, "'sat' is not at answer_start 3, there is ' sa'. "
         "Its first occurrence is at 4."),
        (QA, {"answers": {"text": ["bob"], "answer_start": [0]}}, "It is not in 'context'"),
        (TRANSLATION, {"target": ""}, "column 'target': the text is empty"),
        (SUMMARIZATION, {"summary": ["it rained"]}, "column 'summary': must be text"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_its_column_is_named_with_line_and_fix(
    task: Task, change: Mapping[str, Any], says: str, tmp_path: Path
) -> None:
    assert says in complaint_on(tmp_path, task, {**GOOD[task.name][0], **change})


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("train.jsonl", b'{"text": "a", "label": "b"}\n{"text": }\n', "train.jsonl, line 2: not valid JSON"),
        ("train.jsonl", b'["a", "b"]\n', "line 1: not a JSON object: '[\"a\", \"b\"]'"),
        ("train.jsonl", b'{"text": "caf\xe9", "label": "b"}\n', "train.jsonl: not UTF-8 text"),
        ("train.csv", b'text,label\n"two\nlines",good\na,b,c\n', "train.csv, line 4: 3 cells under 2 column names"),
        ("train.csv", b'text,label\na,b\n"open,good\n', "train.csv, line 3: not valid CSV"),
        ("train.csv", b"txt,label\na,b\n", "train.csv, line 2: no column 'text'"),
        ("train.csv", b"text,label,label\na,b,c\n", "train.csv, line 1: columns 2 and 3 are both named 'label'"),
        ("train.csv", b",text,label\n0,a,b\n", "train.csv, line 1: column 1 has no name"),
        ("train.csv", b"text;label\na;b\n", "line 1: the column names are separated by ';'. Separate cells by commas"),
        ("train.jsonl", b'{"text": "a \\ud83d", "label": "b"}\n', "line 1: \\ud83d alone is half a character"),
        ("train.parquet", b"PAR", "train.parquet: not a parquet file"),
    ],
)
def test_a_file_that_is_not_what_its_ending_says_is_refused(
    name: str, content: bytes, says: str, tmp_path: Path
) -> None:
    data_dir = directory(tmp_path, SENTIMENT)
    (data_dir / "sentiment" / "train.jsonl").unlink()
    (data_dir / "sentiment" / name).write_bytes(content)
    assert says in complaint(SENTIMENT, data_dir)


@pytest.mark.parametrize("split", ["validation", "test"])
@pytest.mark.parametrize(
    ("task", "row", "says"),
    [
        (SENTIMENT, {"text": "good", "label": "pos"}, "no training row has the label 'pos'. Did you mean 'positive'?"),
        (SENTIMENT, {"text": "good", "label": "Positive"}, "the label 'Positive'. Did you mean 'positive'?"),
        (SENTIMENT, {"text": "good", "label": "4"}, "the label '4'. Known: negative, positive. Correct it, or add"),
        (NER, {"tokens": ["bo", "ann"], "tags": ["O", "B-PERSON"]}, "the tag 'B-PERSON'. Did you mean 'B-PER'?"),
        (NER, {"tokens": ["rome"], "tags": ["B-LOC"]}, "no training row has the tag 'B-LOC'. Known: B-PER. "),
    ],
)  # fmt: skip
def test_a_label_that_no_training_row_has_is_named_with_row_and_nearest_one(
    task: Task, row: Mapping[str, Any], says: str, split: str, tmp_path: Path
) -> None:
    message = complaint(task, directory(tmp_path, task, **{split: [GOOD[task.name][0], row]}))
    assert f"{split}.jsonl, line 2: " in message
    assert says in message


def test_a_tag_that_only_goes_on_an_entity_of_a_known_type_is_no_mistake(tmp_path: Path) -> None:
    short = [{"tokens": ["ann"], "tags": ["B-PER"]}]
    sources.check(NER, "files", directory(tmp_path, NER, train=short))


def test_training_rows_of_one_label_are_refused(tmp_path: Path) -> None:
    message = complaint(SENTIMENT, directory(tmp_path, SENTIMENT, train=GOOD["sentiment"][:1]))
    assert "train.jsonl, line 1: all training rows have the label 'positive'. Add rows of another." in message


def test_a_csv_cell_that_is_no_json_is_named_with_its_column(tmp_path: Path) -> None:
    data_dir = directory(tmp_path, NER)
    (data_dir / "ner" / "test.jsonl").unlink()
    (data_dir / "ner" / "test.csv").write_text('tokens,tags\nann lee,"[""O"", ""O""]"\n')
    assert "test.csv, line 2, column 'tokens': not valid JSON" in complaint(NER, data_dir)


def test_a_wrong_column_type_in_parquet_is_named_with_its_row(tmp_path: Path) -> None:
    data_dir = directory(tmp_path, SENTIMENT)
    (data_dir / "sentiment" / "train.jsonl").unlink()
    write_parquet(data_dir / "sentiment" / "train.parquet", [{"text": "a", "label": 0}])
    assert "train.parquet, row 1: column 'label': must be text, not 0" in complaint(SENTIMENT, data_dir)


def test_a_damaged_page_of_a_parquet_file_names_the_file(tmp_path: Path) -> None:
    data_dir = directory(tmp_path, SENTIMENT)
    (data_dir / "sentiment" / "train.jsonl").unlink()
    path = data_dir / "sentiment" / "train.parquet"
    write_parquet(path, [{"text": f"film {n}", "label": "good"} for n in range(50)])
    content = path.read_bytes()
    path.write_bytes(content[:4] + b"\xff" * 60 + content[64:])
    assert "train.parquet: a damaged parquet file" in complaint(SENTIMENT, data_dir)


def test_a_character_written_as_both_its_halves_is_read(tmp_path: Path) -> None:
    data_dir = directory(tmp_path, SENTIMENT)
    path = data_dir / "sentiment" / "train.jsonl"
    path.write_text('{"text": "fun \\ud83d\\ude00", "label": "b"}\n')
    assert loaded(SENTIMENT, data_dir).train == [{"text": "fun 😀", "label": "b"}]


def test_a_byte_order_mark_and_blank_lines_are_read_over(tmp_path: Path) -> None:
    data_dir = directory(tmp_path, SENTIMENT)
    path = data_dir / "sentiment" / "train.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n\n"))
    splits = loaded(SENTIMENT, data_dir)
    assert splits.train == GOOD["sentiment"]
