"""The use of the columns of a table: values, covariates, times, splits, and names of series."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from zoo.common.core.errors import ZooError, nearest
from zoo.timeseries.fields import Fields

# Names of the columns of values and splits.
VALUE, SPLIT = "value", "split"
# Names of the column of a long table that has the name of the series of each row, and of its values.
SERIES = ("unique_id", "item_id", "series_id")
LONG_VALUES = (VALUE, "y", "target")
# Names of columns of times, and those that are one time together.
TIMES = ("time", "timestamp", "datetime", "date", "day", "month", "year", "ds")
PARTS = (
    ("year", "month"),
    ("year", "month", "day"),
    ("year", "month", "day", "hour"),
    ("date", "time"),
    ("date", "hour"),
)
# Names that pandas gives to an index without a name: the first column of CSV, the last one of Parquet.
INDEX_LEVEL = "__index_level_0__"
UNNAMED = ("", "Unnamed: 0", INDEX_LEVEL)


@dataclass(frozen=True)
class Columns:
    """The columns of a table that are read.

    Args:
        target: column of the values; None for the column `value` or, without such a column, for all
            columns that have no other use, where each is a series.
        covariates: columns that are known for all times, including the forecast ones.
        time: column of the times; None for the columns in `TIMES` and `PARTS`.
        date_format: format of the times, as in `datetime.strptime`; None for ISO 8601 or another format
            that all times have without doubt.
        fill: whether times that are missing between others are rows without values.
    """

    target: str | None = None
    covariates: tuple[str, ...] = ()
    time: str | None = None
    date_format: str | None = None
    fill: bool = False


@dataclass(frozen=True)
class Roles:
    """The numbers of the columns by their use.

    Args:
        targets: number of the column of each target, by its name.
        covariates: columns of covariates.
        times: column of the time of a row by its name in lower case, or the columns of one of `PARTS`.
        split: column of splits.
        series: column of names of series.
    """

    targets: dict[str, int]
    covariates: tuple[int, ...]
    times: dict[str, int]
    split: int | None
    series: int | None

    def time(self, fields: Sequence[str]) -> str | None:
        """Return the text of the time of a row; None for a table without times."""
        parts = {name: fields[column].strip() for name, column in self.times.items()}
        if len(parts) < 2:
            return next(iter(parts.values()), None)
        if "year" in parts:
            parts["date"] = f"{parts['year']:0>4}-{parts['month']:0>2}"
            parts["date"] += f"-{parts['day']:0>2}" if "day" in parts else ""
        if "hour" in parts:
            parts["time"] = f"{parts['hour']:0>2}:00"
        return " ".join(parts[name] for name in ("date", "time") if name in parts)


def find_roles(where: str, table: Fields, columns: Columns) -> Roles:
    """Return the use of the columns of a table.

    Args:
        where: position of the header, for error messages.
        table: the table.
        columns: the columns to read.

    Raises:
        ZooError: a column is missing, has no name or occurs twice; there is no column of values; or
            columns of times contradict each other.
    """
    names = table.names
    if twice := next((name for name in names if name and names.count(name) > 1), None):
        raise ZooError(f"{where}: the column {twice!r} occurs twice.")
    given = tuple(filter(None, (*columns.covariates, columns.target, columns.time)))
    for name in given:
        if name not in names:
            raise ZooError(f"{where}: there is no column {name!r}. {nearest(name, names)}")
    free = [name for name in names if name not in given]
    times = (columns.time,) if columns.time else _find_times(where, free)
    index = _find_index(where, table, has_times=bool(times))
    if index is not None:
        times = (index,)
    series = next((name for name in SERIES if name in free), None)
    used = {*times, SPLIT, series, *UNNAMED}
    others = [name for name in free if name not in used]
    target = columns.target or next(
        (name for name in (LONG_VALUES if series else (VALUE,)) if name in others), None
    )
    targets = [target] if target else others
    if not targets:
        raise ZooError(
            f"{where}: there must be a column of values. Received: {','.join(names)[:80]!r}"
        )
    return Roles(
        {name: names.index(name) for name in targets},
        tuple(map(names.index, columns.covariates)),
        {name.lower(): names.index(name) for name in times},
        names.index(SPLIT) if SPLIT in free else None,
        names.index(series) if series else None,
    )


def _find_times(where: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of times among names, in the order of `PARTS`."""
    found = {name.lower(): name for name in names if name.lower() in (*TIMES, "hour")}
    if len(found) > 1:
        for parts in PARTS:
            if set(parts) == set(found):
                return tuple(found[part] for part in parts)
    found.pop("hour", None)
    if len(found) < 2:
        return tuple(found.values())
    raise ZooError(
        f"{where}: the time must be in one column, or in year, month, day and hour, or in date and "
        f"time. Received: {', '.join(map(repr, found.values()))}."
    )


def _find_index(where: str, table: Fields, has_times: bool) -> str | None:
    """Return the name of an index column with times; None without one, or if it numbers the rows.

    Raises:
        ZooError: a column that is no index has no name; or the numbers are not consecutive, and there
            are no times.
    """
    unnamed = [i for i, name in enumerate(table.names) if name in UNNAMED]
    if not unnamed:
        return None
    column = unnamed[0]
    texts = [(row, fields[column].strip()) for row, fields in table.rows if len(fields) > column]
    # Four digits are years, and eight digits are days.
    sizes = {len(text) for _, text in texts}
    is_numbering = all(text.isdecimal() for _, text in texts) and sizes not in ({4}, {8})
    is_index = unnamed == [0] or [table.names[i] for i in unnamed] == [INDEX_LEVEL]
    if not is_index or (has_times and not is_numbering):
        raise ZooError(f"{where}: column {unnamed[-1] + 1} must have a name.")
    if has_times:
        return None
    if not is_numbering:
        return table.names[column]
    for (_, before), (number, text) in itertools.pairwise(texts):
        if int(text) != int(before) + 1:
            raise ZooError(
                f"{where}: the numbers in the column without a name must be consecutive. "
                f"Received: {text} after {before} in line {number}."
            )
    return None
