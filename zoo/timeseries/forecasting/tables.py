"""Files of series: a column of numbers, or a CSV, TSV or Parquet table with columns by name."""

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
from zoo.timeseries.forecasting.time_index import Clock, find_clock, parse_time

# What the header of a table calls the values, the split of each, and its time.
VALUE, SPLIT = "value", "split"
TIMES = ("time", "timestamp", "datetime", "date", "day", "month", "year", "ds")
MISSING = ("", "nan", "na", "n/a", "null", "none", "?")
PARQUET = (".parquet", ".pq")
_BATCH = 1024  # rows of a Parquet file unpacked at a time


@dataclass(frozen=True)
class Columns:
    """Which columns of a table are read.

    target: str. The values; None for the column `value`, or, where there is none, for all columns
        but the others: each is a series.
    covariates: tuple of str. What is known of every time, also of those to be forecast.
    """

    target: str | None = None
    covariates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """The columns of a file.

    values: dict of str to float64 [rows]. Of each series; NaN where a value is missing.
    covariates: float32 [rows, covariates].
    splits: list of str or None. Of each row.
    clock: Clock. Of the rows; None where the file has no times.
    """

    values: dict[str, np.ndarray]
    covariates: np.ndarray
    splits: list[str | None]
    clock: Clock | None


@dataclass(frozen=True)
class _Row:
    """A row of a file. id: int. Which one it is."""

    id: int
    values: dict[str, float]
    covariates: tuple[float, ...] = ()
    time: str | None = None
    split: str | None = None


def read_table(path: Path, columns: Columns) -> Table:
    """Return the columns of a file: one number a line, or a table with a header.

    A column whose name is one of `TIMES`, in whatever case, has the time of each row; the column `split`
    has its split. A field that is empty or one of `MISSING` is a missing value.

    Raises:
        ZooError: there is no such file or column, a value is no finite number, all are missing, times do
            not rise in equal steps; by its line. Or pyarrow is missing for a Parquet file.
    """
    rows = _read_rows(path, columns)
    for name in rows[0].values:
        if all(math.isnan(row.values[name]) for row in rows):
            raise ZooError(f"{path}: all {len(rows)} values of {name!r} are missing.")
    clock = None
    if rows[0].time is not None:
        times, places = [row.time for row in rows], [f"{path}, row {row.id}" for row in rows]
        clock = find_clock(times, places)
    return Table(
        {name: np.array([row.values[name] for row in rows]) for name in rows[0].values},
        np.array([row.covariates for row in rows], np.float32),
        [row.split for row in rows],
        clock,
    )


def _read_rows(path: Path, columns: Columns) -> list[_Row]:
    numbers = itertools.count(1)
    if path.suffix.lower() in PARQUET:
        rows = _parquet_rows(path)
        roles = _find_roles(f"{path}", list(rows[0]) if rows else [], columns)
        lines = enumerate(rows, start=1)
        return parse_lines(path, lines, lambda row: _row(next(numbers), row, roles))
    lines = read_lines(path)
    number, header = lines[0]
    if _is_number(header):
        for wanted in (columns.target, *columns.covariates):
            if wanted not in (None, VALUE):
                raise ZooError(f"{path} is one column without a name: there is no {wanted!r}.")
        return parse_lines(
            path, lines, lambda line: _Row(next(numbers), {VALUE: _number(VALUE, line, MISSING)})
        )
    names = next(csv.reader([header], delimiter="\t" if "\t" in header else ","))
    roles = _find_roles(f"{path}, line {number}", [name.strip() for name in names], columns)
    return parse_table(path, (), lambda fields: _row(next(numbers), fields, roles))


@dataclass(frozen=True)
class _Roles:
    """What the columns of a header are."""

    targets: tuple[str, ...]
    covariates: tuple[str, ...]
    time: str | None


def _find_roles(where: str, names: list[str], columns: Columns) -> _Roles:
    if all(map(_is_number, names)):
        raise ZooError(f"{where}: it must name the columns. Received: {','.join(names)[:80]!r}")
    for name in (*columns.covariates, *([columns.target] if columns.target else [])):
        if name not in names:
            raise ZooError(f"{where}: there is no column {name!r}. {nearest(name, names)}")
    time = next((n for n in names if n.lower() in TIMES and n != columns.target), None)
    others = tuple(n for n in names if n not in (time, SPLIT, *columns.covariates))
    target = columns.target or (VALUE if VALUE in names else None)
    targets = (target,) if target else others
    if not targets:
        raise ZooError(f"{where}: there is no column of values. Received: {','.join(names)[:80]!r}")
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
    """The rows of a Parquet file, each field as the text that CSV would have."""
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise ZooError(
            f"{path}: Parquet is read by pyarrow: pip install 'recurrent-zoo[tables]'"
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
    except Exception as error:  # whatever a damaged file makes pyarrow raise
        reason = " ".join(str(error).split())[:120]
        raise ZooError(f"{path} is no Parquet file that can be read: {reason}") from None
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
    """The number in a text that a model can take, in float32; NaN for one of the words for missing."""
    text = text.strip()
    if text.lower() in missing:
        return math.nan
    limit = float(np.finfo(np.float32).max)
    if not _is_number(text) or not abs(float(text)) <= limit:
        empty = ", or nothing" if missing else ""
        raise ZooError(f"{name}: a value must be a finite number{empty}. Received: {text[:80]!r}")
    return float(text)
