"""The `files` source: finds and reads `DATA_DIR/<task>/<split>.{jsonl,csv,parquet}`.

Knows the three formats, nothing of what a row must hold. A row comes with the file and line where it stands.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.errors import DataError
from bench.rows import Located

JSON_TYPES = frozenset({"tokens", "tags", "answers", "number"})
"""Column types whose value is a list, an object or a number: a CSV cell holds them as JSON."""

OTHER_SEPARATORS = (";", "\t", "|")
"""What some programs write between the cells of a CSV file. Only commas are read."""


def find(directory: Path, split: str) -> Path:
    """The one file of `split` in `directory`. Raises DataError where there is none, or more than one."""
    if not directory.is_dir():
        raise DataError(f"{directory}: no such directory. Put {_wanted(split)} there, or correct --data-dir.")
    found = [path for path in (directory / f"{split}.{kind}" for kind in READERS) if path.is_file()]
    if not found:
        others = ", ".join(sorted(path.name for path in directory.iterdir())) or "nothing"
        raise DataError(f"{directory}: no {split} split, found {others}. Name the file {_wanted(split)}.")
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise DataError(f"{directory}: both {names} for the {split} split. Keep one of them.")
    return found[0]


def read(path: Path, schema: Mapping[str, str]) -> list[Located]:
    """The rows of a file in order. `schema` maps columns to types; `phenomena` is a list wherever it stands.

    Raises DataError, naming file and line, where the file is not what its ending says.
    """
    structured = {column for column, kind in schema.items() if kind in JSON_TYPES} | {"phenomena"}
    reader = READERS[path.suffix.removeprefix(".")]
    try:
        return list(reader(path, structured))
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start}). Save it as UTF-8.") from error


def read_any(path: Path, schema: Mapping[str, str]) -> list[Located]:
    """The rows of a file that a user named, as `read` gives them.

    Raises DataError as well where it has no known ending, or no rows.
    """
    if path.suffix.removeprefix(".") not in READERS:
        raise DataError(f"{path}: not a kind of file that is read. Name it .jsonl, .csv or .parquet, as what it is.")
    if not path.is_file():
        raise DataError(f"{path}: no such file. Check the path.")
    found = read(path, schema)
    if not found:
        raise DataError(f"{path}: there are no rows. Add at least one.")
    return found


def count(path: Path) -> int:
    """How many rows a file has, without looking into them."""
    if path.suffix == ".parquet":
        return int(_parquet(path).metadata.num_rows)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        if path.suffix == ".csv":
            return max(0, sum(1 for record in csv.reader(file) if record) - 1)
        return sum(1 for line in file if line.strip())


def digest(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _wanted(split: str) -> str:
    return f"{split}.jsonl (or .csv, .parquet)"


def _jsonl(path: Path, structured: Collection[str]) -> Iterator[Located]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                where = f"{path}, line {number}"
                yield where, _object(where, line)


def _object(where: str, line: str) -> dict[str, Any]:
    row = _from_json(where, line)
    if not isinstance(row, dict):
        raise DataError(f"{where}: not a JSON object: {line.strip()[:40]!r}. Write a row as {{\"column\": ...}}.")
    return row


def _from_json(where: str, text: str) -> Any:
    try:
        value = json.loads(text)
        if "\\ud" in text.lower():
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise DataError(f"{where}: not valid JSON ({error.msg} at character {error.pos + 1}). Correct it.") from error
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise DataError(f"{where}: {half} alone is half a character. Write the whole one, or remove it.") from error
    return value


def _csv(path: Path, structured: Collection[str]) -> Iterator[Located]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        line = 1
        try:
            header = next(reader, [])
            _check_header(path, header)
            line = reader.line_num + 1
            for cells in reader:
                if cells:
                    where = f"{path}, line {line}"
                    yield where, _record(where, header, cells, structured)
                line = reader.line_num + 1
        except csv.Error as error:
            raise DataError(f"{path}, line {line}: not valid CSV ({error}). Correct it, or use jsonl.") from error


def _check_header(path: Path, header: list[str]) -> None:
    """Two columns of one name would silently be one."""
    where = f"{path}, line 1"
    separator = next((sign for sign in OTHER_SEPARATORS if len(header) == 1 and sign in header[0]), None)
    if separator is not None:
        raise DataError(f"{where}: the column names are separated by {separator!r}. Separate cells by commas.")
    for number, name in enumerate(header, 1):
        if not name.strip():
            raise DataError(f"{where}: column {number} has no name. Name it, or remove the column.")
        first = header.index(name) + 1
        if first < number:
            raise DataError(f"{where}: columns {first} and {number} are both named {name!r}. Rename or remove one.")


def _record(where: str, header: list[str], cells: list[str], structured: Collection[str]) -> dict[str, Any]:
    if len(cells) != len(header):
        raise DataError(
            f"{where}: {len(cells)} cells under {len(header)} column names. Put cells with commas in double quotes."
        )
    return {
        name: _from_json(f"{where}, column {name!r}", cell) if name in structured else cell
        for name, cell in zip(header, cells, strict=True)
    }


def _parquet_rows(path: Path, structured: Collection[str]) -> Iterator[Located]:
    import pyarrow

    try:
        rows = _parquet(path).read().to_pylist()
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(f"{path}: a damaged parquet file ({error}). Write it again, or use jsonl.") from error
    for number, row in enumerate(rows, 1):
        yield f"{path}, row {number}", row


def _parquet(path: Path) -> Any:
    import pyarrow
    import pyarrow.parquet

    try:
        return pyarrow.parquet.ParquetFile(path)
    except pyarrow.ArrowInvalid as error:
        raise DataError(f"{path}: not a parquet file ({error}). Write it again, or use jsonl.") from error


READERS: dict[str, Callable[[Path, Collection[str]], Iterator[Located]]] = {
    "jsonl": _jsonl,
    "csv": _csv,
    "parquet": _parquet_rows,
}
"""How each kind of file is read, by its ending."""
