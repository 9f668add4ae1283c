"""Tables of series: a column of numbers, or a CSV, TSV or Parquet table with named columns."""

from __future__ import annotations

import csv
import importlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError, nearest
from zoo.common.data.manifests import (
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_LINES,
    parse_lines,
    parse_table,
    read_lines,
)
from zoo.common.utils.files import check_file
from zoo.timeseries.forecasting.time_index import TimeIndex, find_time_index, parse_time

# Names of the columns of values, splits and times.
VALUE, SPLIT = "value", "split"
TIMES = ("time", "timestamp", "datetime", "date", "day", "month", "year", "ds")
MISSING = ("", "nan", "na", "n/a", "null", "none", "?")
PARQUET = (".parquet", ".pq")
_BATCH = 1024  # number of rows of a Parquet file that are unpacked at a time


@dataclass(frozen=True)
class Columns:
    """The columns of a table that are read.

    Args:
        target: column of the values; None for the column `value` or, without such a column, for all
            columns that have no other use, where each is a series.
        covariates: columns that are known for all times, including the forecast ones.
    """

    target: str | None = None
    covariates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """The columns of a table.

    Args:
        values: values of each series by the name of its column, float64 [rows], NaN for a missing value.
        covariates: float32 [rows, covariates].
        splits: name of the split of each row, or None.
        time_index: times of the rows; None for a table without times.
    """

    values: dict[str, np.ndarray]
    covariates: np.ndarray
    splits: list[str | None]
    time_index: TimeIndex | None


@dataclass(frozen=True)
class _Row:
    """A row of a table, with its number as `id`."""

    id: int
    values: dict[str, float]
    covariates: tuple[float, ...] = ()
    time: str | None = None
    split: str | None = None


def read_table(path: Path, columns: Columns) -> Table:
    """Return the columns of a file with one number per line, or of a table with a header.

    A column with a name in `TIMES`, in upper or lower case, has the time of each row; the column `split`
    has its split. An empty field and the words in `MISSING` are missing values.

    Args:
        path: the file.
        columns: the columns to read.

    Raises:
        ZooError: the file or a column does not exist; a value is not a finite number; all values of a
            series are missing; times are not in ascending order or not equally spaced; or pyarrow is
            not installed and the file is Parquet. The message has the line.
    """
    if path.suffix.lower() in PARQUET:
        return parse_rows(path, _parquet_rows(path), columns)
    numbers = itertools.count(1)
    lines = read_lines(path)
    number, header = lines[0]
    if _is_number(header):
        for name in (columns.target, *columns.covariates):
            if name not in (None, VALUE):
                raise ZooError(f"{path} has one column without a name: there is no {name!r}.")
        rows = parse_lines(
            path, lines, lambda line: _Row(next(numbers), {VALUE: _number(VALUE, line, MISSING)})
        )
        return _table(path, rows)
    names = next(csv.reader([header], delimiter="\t" if "\t" in header else ","))
    roles = _find_roles(f"{path}, line {number}", [name.strip() for name in names], columns)
    return _table(path, parse_table(path, (), lambda fields: _row(next(numbers), fields, roles)))


def parse_rows(path: Path, rows: list[dict[str, str]], columns: Columns) -> Table:
    """Return the columns of rows that have the same keys.

    Args:
        path: name of the table, for error messages.
        rows: the fields of each row by the name of their column.
        columns: the columns to read.

    Raises:
        ZooError: see `read_table`.
    """
    if not rows:
        raise ZooError(f"{path}: a series must have values. Received: none.")
    numbers = itertools.count(1)
    roles = _find_roles(f"{path}", list(rows[0]), columns)

    def parse(row: Any) -> _Row:
        return _row(next(numbers), row, roles)

    lines: Any = enumerate(rows, start=1)
    return _table(path, parse_lines(path, lines, parse))


def _table(path: Path, rows: list[_Row]) -> Table:
    for name in rows[0].values:
        if all(math.isnan(row.values[name]) for row in rows):
            raise ZooError(f"{path}: all {len(rows)} values of {name!r} are missing.")
    times = [row.time for row in rows if row.time is not None]
    return Table(
        {name: np.array([row.values[name] for row in rows]) for name in rows[0].values},
        np.array([row.covariates for row in rows], np.float32),
        [row.split for row in rows],
        find_time_index(times, [f"{path}, row {row.id}" for row in rows]),
    )


@dataclass(frozen=True)
class _Roles:
    """The use of the columns of a header."""

    targets: tuple[str, ...]
    covariates: tuple[str, ...]
    time: str | None


def _find_roles(where: str, names: list[str], columns: Columns) -> _Roles:
    if all(map(_is_number, names)):
        raise ZooError(
            f"{where}: the first line must have the names of the columns. "
            f"Received: {','.join(names)[:80]!r}"
        )
    for name in (*columns.covariates, *([columns.target] if columns.target else [])):
        if name not in names:
            raise ZooError(f"{where}: there is no column {name!r}. {nearest(name, names)}")
    time = next((n for n in names if n.lower() in TIMES and n != columns.target), None)
    others = tuple(n for n in names if n not in (time, SPLIT, *columns.covariates))
    target = columns.target or (VALUE if VALUE in names else None)
    targets = (target,) if target else others
    if not targets:
        raise ZooError(
            f"{where}: there must be a column of values. Received: {','.join(names)[:80]!r}"
        )
    return _Roles(targets, columns.covariates, time)


def _row(number: int, fields: dict[str, str], roles: _Roles) -> _Row:
    return _Row(
        number,
        {name: _number(name, fields[name], MISSING) for name in roles.targets},
        tuple(_number(name, fields[name]) for name in roles.covariates),
        parse_time(fields[roles.time]) if roles.time else None,
        fields.get(SPLIT, "").strip() or None,
    )


def _parquet_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a Parquet file, with each field as text."""
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise ZooError(
            f"{path}: Parquet files require pyarrow: pip install 'recurrent-zoo[tables]'"
        ) from None
    check_file(path, MAX_BYTES)
    rows, size = [], 0
    try:
        with parquet.ParquetFile(path) as file:
            if file.metadata.num_rows > MAX_LINES or file.metadata.num_columns > MAX_COLUMNS:
                raise _too_large(path)
            for batch in file.iter_batches(_BATCH):
                size += batch.nbytes
                if size > MAX_BYTES:
                    raise _too_large(path)
                rows += batch.to_pylist()
    except ZooError:
        raise
    except Exception as error:  # pyarrow raises many types for a damaged file
        reason = " ".join(str(error).split())[:120]
        raise ZooError(f"{path} cannot be read as a Parquet file: {reason}") from None
    return [{name: _text(value) for name, value in row.items()} for row in rows]


def _too_large(path: Path) -> ZooError:
    return ZooError(
        f"{path} is too large: a table must have at most {MAX_LINES:,} rows, {MAX_COLUMNS:,} columns "
        f"and, unpacked, {MAX_BYTES:,} bytes."
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(name: str, text: str, missing: Sequence[str] = ()) -> float:
    """Return a number in the range of float32; NaN for one of the words in `missing`."""
    text = text.strip()
    if text.lower() in missing:
        return math.nan
    limit = float(np.finfo(np.float32).max)
    if not _is_number(text) or not abs(float(text)) <= limit:
        empty = " or empty" if missing else ""
        raise ZooError(f"{name}: a value must be a finite number{empty}. Received: {text[:80]!r}")
    return float(text)
