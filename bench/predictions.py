"""A predictions file: what each seed of a cell answered to each test row, as parquet; its columns, writing and reading.

Knows files; not where in a run they lie, nor how an answer is made or scored.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.atomic import write_atomically
from bench.errors import StoreError

if TYPE_CHECKING:
    import pyarrow

    from bench.metrics.metric import Array


MAGIC = b"PAR1"
"""What a parquet file begins and ends with."""


@dataclass(frozen=True, eq=False)
class Answers:
    """One seed's answers to the test rows: (n, k) statistics, n example scores, and a digest of what was asked.

    Equal digests mean the same inputs and references in the same order.
    """

    seed: int
    asked: str
    statistics: Array
    scores: Array


_ANSWERS = ("seed", "input", "reference", "score", "statistics")
"""The columns that answers are read from."""


def prediction_schema() -> pyarrow.Schema:
    """Columns of a predictions file, a line for each test row and seed.

    `reference`, `prediction` and `phenomena` are JSON. `unseen` says whether the row asks for something that no
    training row has, null where that is not known. `statistics` are the row's sufficient statistics for its metric
    (`bench.metrics.metric`), from which every score, interval and comparison can be had again without the metric's
    libraries; equally many for all rows of a seed.
    """
    import pyarrow

    text = pyarrow.string()
    return pyarrow.schema([
        ("row", pyarrow.int64()), ("input", text), ("reference", text), ("seed", pyarrow.int64()),
        ("prediction", text), ("score", pyarrow.float64()), ("phenomena", text),
        ("unseen", pyarrow.bool_()), ("statistics", pyarrow.list_(pyarrow.float64())),
    ])


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put these rows (columns: `prediction_schema`) in place of any earlier ones."""
    import pyarrow
    import pyarrow.parquet

    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(_table(rows), sink, compression="zstd")
    write_atomically(path, sink.getvalue().to_pybytes())


def _table(rows: Sequence[Mapping[str, Any]]) -> pyarrow.Table:
    """By way of JSON: to make a table of Python's objects pyarrow imports pandas, half a second and 68 MiB a worker."""
    import pyarrow.json

    schema = prediction_schema()
    if not rows:
        return schema.empty_table()
    known = ({name: row.get(name) for name in schema.names} for row in rows)
    lines = "\n".join(json.dumps(row, allow_nan=False) for row in known).encode()
    return pyarrow.json.read_json(
        io.BytesIO(lines), pyarrow.json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
    )


def is_damaged(path: Path) -> bool:
    """Whether there is a file that is no parquet from its first to its last bytes: cut off, emptied, overwritten.

    Cheap, for the scan of a large run; what is wrong in between shows when the file is read.
    """
    try:
        with path.open("rb") as file:
            first = file.read(len(MAGIC))
            file.seek(max(0, file.seek(0, os.SEEK_END) - len(MAGIC)))
            return not first == file.read() == MAGIC
    except FileNotFoundError:
        return False


def read(path: Path) -> list[dict[str, Any]]:
    """All rows, empty where there is no file.

    Raises StoreError where the file cannot be read.
    """
    import pyarrow.parquet

    if not path.exists():
        return []
    with _readable(path, "parquet"):
        rows: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
    return rows


def read_answers(path: Path) -> list[Answers]:
    """What each seed answered, as statistics, in the order of the seeds; empty where that is not kept.

    Raises StoreError where the file cannot be read.
    """
    import pyarrow.parquet

    if not path.exists():
        return []
    with _readable(path, "answers"), pyarrow.parquet.ParquetFile(path) as file:
        kept = "statistics" in file.schema_arrow.names
        return _answers(file.read(columns=list(_ANSWERS), use_threads=False)) if kept else []


def read_first_seed(path: Path, columns: Sequence[str]) -> dict[str, list[Any]]:
    """These columns of what the first seed answered, by test row; empty where there is no file.

    Raises StoreError where the file cannot be read or lacks a column.
    """
    import pyarrow.compute
    import pyarrow.parquet

    if not path.exists():
        return {}
    with _readable(path, "answers"):
        table = pyarrow.parquet.read_table(path, columns=["seed", *columns], use_threads=False)
        first = table.filter(pyarrow.compute.equal(table["seed"], table["seed"][0])) if len(table) else table
        return {name: first[name].to_pylist() for name in columns}


@contextmanager
def _readable(path: Path, form: str) -> Iterator[None]:
    """Raises StoreError naming the file where reading it fails."""
    import pyarrow

    try:
        yield
    except (OSError, KeyError, ValueError, pyarrow.ArrowException) as error:
        raise StoreError(f"{path}: not readable as {form} ({error}). Delete it and run the cell again.") from error


def _answers(table: pyarrow.Table) -> list[Answers]:
    """Nothing where rows have no statistics. Raises ValueError for rows of one seed with different numbers of them."""
    import pyarrow.compute

    found: list[Answers] = []
    if not pyarrow.compute.sum(pyarrow.compute.list_value_length(table["statistics"])).as_py():
        return found
    for seed in table["seed"].unique().to_pylist():
        part = table.filter(pyarrow.compute.equal(table["seed"], seed)).combine_chunks()
        flat = part["statistics"].combine_chunks().flatten().to_numpy()
        asked = hashlib.sha256("\0".join([*part["input"].to_pylist(), *part["reference"].to_pylist()]).encode())
        statistics = flat.reshape(len(part), -1)
        found.append(Answers(seed, asked.hexdigest(), statistics, part["score"].to_numpy()))
    return found
