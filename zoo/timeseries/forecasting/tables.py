"""Tables of series: a column of numbers, or a CSV, TSV or Parquet table with named columns."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import MAX_COLUMNS, parse_lines
from zoo.common.data.text import is_number
from zoo.common.utils.progress import say
from zoo.timeseries.fields import MISSING, Fields, read_fields
from zoo.timeseries.forecasting.columns import UNNAMED, VALUE, Columns, Roles, find_roles
from zoo.timeseries.forecasting.dates import find_format, is_date, parse_date
from zoo.timeseries.forecasting.parquet import SUFFIXES, read_parquet
from zoo.timeseries.forecasting.time_index import TimeIndex, find_times, parse_time


@dataclass(frozen=True)
class Table:
    """The columns of a table, or of the rows of one series of a long table.

    Args:
        values: values of each series by the name of its column, float64 [rows], NaN for a missing value.
        covariates: float64 [rows, covariates].
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
    values: list[float]
    covariates: list[float]
    time: str | None
    split: str | None
    series: str


def read_table(path: Path, columns: Columns) -> Table:
    """Return the columns of a file that is not a long table. See `read_tables`."""
    tables = read_tables(path, columns)
    if len(tables) > 1:
        raise ZooError(f"{path}: there must be one series. Received: {len(tables)}.")
    return next(iter(tables.values()))


def read_tables(path: Path, columns: Columns) -> dict[str, Table]:
    """Return the columns of a file with one number per line, or of a table with a header.

    A column with a name in `columns.TIMES`, in upper or lower case, has the time of each row, or several
    columns have parts of it. The column `split` has its split. A long table has a column with a name in
    `columns.SERIES`, which has the name of the series of each row. The index that pandas writes as a
    column without a name has the times or the numbers of the rows. An empty field and the words in
    `MISSING` are missing values.

    Args:
        path: the file.
        columns: the columns to read.

    Returns:
        A table for each series of a long table, by its name; or one table with the name "".

    Raises:
        ZooError: the file or a column does not exist; a value is not a finite number; all values of a
            series are missing; times are not in ascending order or not equally spaced; or pyarrow is
            not installed and the file is Parquet. The message has the line.
    """
    if path.suffix.lower() in SUFFIXES:
        return parse_tables(path, read_parquet(path), columns)
    records = read_fields(path)
    first = next(i for i, (_, fields) in enumerate(records) if any(map(str.strip, fields)))
    number, header = records[first]
    names = [name.strip() for name in header]
    if len(names) == 1 and _is_value(names[0]):
        for name in (columns.target, *columns.covariates):
            if name not in (None, VALUE):
                raise ZooError(f"{path} has one column without a name: there is no {name!r}.")
        return parse_tables(path, Fields([VALUE], records), columns)
    where = f"{path}, line {number}"
    _check_header(where, names)
    rows = records[first + 1 :]
    if len(names) > 1:
        rows = [
            (number, fields) for number, fields in rows if "".join(fields).strip() or fields[1:]
        ]
    return parse_tables(path, Fields(names, rows), columns, where)


def parse_tables(
    path: Path, fields: Fields, columns: Columns, where: str | None = None
) -> dict[str, Table]:
    """Return the columns of a table of text. See `read_tables`.

    Args:
        path: name of the table, for error messages.
        fields: the table.
        columns: the columns to read.
        where: position of the header, for error messages; None for the whole table.

    Raises:
        ZooError: see `read_tables`.
    """
    where = where or str(path)
    if len(fields.names) > MAX_COLUMNS:
        raise ZooError(f"{where}: a table must have at most {MAX_COLUMNS:,} columns.")
    roles = find_roles(where, fields, columns)
    columns = replace(columns, date_format=_date_format(where, fields, roles, columns))
    numbers = itertools.count(1)

    def parse(row: Any) -> _Row:
        if len(row) != len(fields.names):
            raise ZooError(f"{len(row)} fields where the header has {len(fields.names)}")
        return _row(next(numbers), row, roles, columns)

    lines: Any = fields.rows
    groups: dict[str, list[_Row]] = {}
    for row in parse_lines(path, lines, parse):
        groups.setdefault(row.series, []).append(row)
    zone = next((fields.zones.get(fields.names[i], "") for i in roles.times.values()), "")
    return {
        series: _table(
            f"{path}, {series}" if series else str(path),
            rows,
            list(roles.targets),
            zone,
            columns.fill,
        )
        for series, rows in groups.items()
    }


def _date_format(where: str, fields: Fields, roles: Roles, columns: Columns) -> str | None:
    """Return the format of the times of a table; None for ISO 8601, or a table without times."""
    if columns.date_format:
        return columns.date_format
    if len(roles.times) != 1:
        return None
    texts = (row for _, row in fields.rows if len(row) == len(fields.names))
    try:
        return find_format(filter(None, map(roles.time, texts)))
    except ZooError as error:
        raise ZooError(f"{where}: {error}") from None


def _table(where: str, rows: list[_Row], targets: list[str], zone: str, fill: bool) -> Table:
    values = dict(zip(targets, np.array([row.values for row in rows]).T, strict=True))
    for name, column in values.items():
        if np.isnan(column).all():
            raise ZooError(f"{where}: all {len(rows)} values of {name!r} are missing.")
    times = [row.time for row in rows if row.time is not None]
    positions = [f"{where}, row {row.id}" for row in rows]
    covariates, splits = np.array([row.covariates for row in rows]), [row.split for row in rows]
    time_index, steps = find_times(times, positions, zone, fill)
    if steps is None or steps[-1] == len(steps) - 1:
        return Table(values, covariates, splits, time_index)
    missing = int(steps[-1]) + 1 - len(steps)
    if covariates.size:
        raise ZooError(
            f"{where}: {missing} times are missing, and covariates cannot be filled. "
            "Add a row with the covariates for each."
        )
    say(f"{where}: {missing} missing time(s) are read as rows without values.")
    source = np.searchsorted(steps, np.arange(steps[-1] + 1), side="right") - 1
    filled = {name: np.full(len(source), np.nan) for name in values}
    for name, column in values.items():
        filled[name][steps] = column
    return Table(filled, np.zeros((len(source), 0)), [splits[i] for i in source], time_index)


def _check_header(where: str, names: list[str]) -> None:
    """Check that a line has names of columns, and not the first values."""
    numbers = [name for name in names if name not in UNNAMED]
    if names[0] in UNNAMED and numbers == [str(i) for i in range(len(numbers))]:
        return  # A pandas DataFrame without names of columns.
    if all(map(_is_value, names)) or any(map(_is_day, names)):
        raise ZooError(
            f"{where}: the first line must have the names of the columns. "
            f"Received: {','.join(names)[:80]!r}"
        )


def _is_value(text: str) -> bool:
    return is_number(text) or text.lower() in MISSING


def _is_day(text: str) -> bool:
    try:
        return len(parse_time(text)) >= 10
    except ZooError:
        return is_date(text)


def _row(number: int, fields: Sequence[str], roles: Roles, columns: Columns) -> _Row:
    time = roles.time(fields)
    series = "" if roles.series is None else fields[roles.series].strip()
    if roles.series is not None and not series:
        raise ZooError("the name of the series must not be empty")
    covariates = zip(columns.covariates, roles.covariates, strict=True)
    return _Row(
        number,
        [_number(name, fields[i], MISSING) for name, i in roles.targets.items()],
        [_number(name, fields[i]) for name, i in covariates],
        None if time is None else parse_date(time, columns.date_format),
        None if roles.split is None else fields[roles.split].strip() or None,
        series,
    )


def _number(name: str, text: str, missing: Sequence[str] = ()) -> float:
    """Return a number in the range of float32; NaN for one of the words in `missing`."""
    text = text.strip()
    if text.lower() in missing:
        return math.nan
    limit = float(np.finfo(np.float32).max)
    if not is_number(text) or not abs(float(text)) <= limit:
        empty = " or empty" if missing else ""
        raise ZooError(f"{name}: a value must be a finite number{empty}. Received: {text[:80]!r}")
    return float(text)
