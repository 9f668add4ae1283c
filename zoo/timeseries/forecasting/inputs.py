"""Inputs of forecasting models: files, arrays, and pandas objects as tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.core.task import input_name
from zoo.timeseries.fields import Fields
from zoo.timeseries.forecasting.columns import SERIES, TIMES, VALUE, Columns
from zoo.timeseries.forecasting.tables import Table, parse_tables, read_tables

# Column of the times of an index.
TIME = "time"


def table_name(source: Any) -> str:
    """Return the name of a file, or the type of an object."""
    return Path(source).name if isinstance(source, str | Path) else input_name(source)


def read_input_tables(source: Any, columns: Columns) -> dict[str, Table]:
    """Return an input as tables. See `zoo.timeseries.forecasting.tables.read_tables`.

    Args:
        source: path of a file that `read_tables` reads; a NumPy array [time] or a list of numbers, NaN
            for a missing value; or a pandas Series or DataFrame. An index of times or periods gives the
            times. Any other index except the default one is read as a column.
        columns: the columns to read. An array and a Series are the target, whatever their name.

    Raises:
        ZooError: see `read_tables`, or the object has another type or shape.
    """
    if isinstance(source, str | Path):
        return read_tables(Path(source), columns)
    if hasattr(source, "to_frame") and hasattr(source, "index"):  # a pandas Series
        source = source.to_frame(columns.target or source.name or VALUE)
    is_frame = hasattr(source, "columns")
    fields = _frame_fields(source) if is_frame else _array_fields(source, columns)
    name = input_name(source)
    if not fields.rows:
        raise ZooError(f"{name}: a series must have values. Received: none.")
    return parse_tables(Path(name), fields, columns)


def _array_fields(source: Any, columns: Columns) -> Fields:
    """Return the fields of an array."""
    try:
        values = np.asarray(source, np.float64)
    except (TypeError, ValueError):
        values = np.zeros((0, 0))
    if values.ndim != 1:
        raise ZooError(
            "A series must be a path, a list of numbers, an array [time], or a pandas Series or "
            f"DataFrame. Received: {input_name(source)}"
            + (f" of the shape {list(values.shape)}." if values.size else ".")
        )
    rows = [(number, [str(value)]) for number, value in enumerate(values.tolist(), start=1)]
    return Fields([columns.target or VALUE], rows)


def _frame_fields(frame: Any) -> Fields:
    """Return the fields of a pandas DataFrame, with its index as the first column."""
    columns = [(str(name), frame.iloc[:, i]) for i, name in enumerate(frame.columns)]
    index = frame.index
    if index.nlevels > 1:
        levels = [index.get_level_values(i) for i in range(index.nlevels)]
        columns = [(str(level.name or ""), level) for level in levels] + columns
    elif index.dtype.kind == "M" or str(index.dtype).startswith("period"):
        columns = [(TIME, index), *columns]
    elif str(index.name).lower() in (*TIMES, *SERIES):
        columns = [(str(index.name), index), *columns]
    elif list(index) != list(range(len(index))):
        columns = [("", index), *columns]
    texts = [_texts(column) for _, column in columns]
    rows = [(number, list(row)) for number, row in enumerate(zip(*texts, strict=True), start=1)]
    zones = {name: _zone(column) for name, column in columns}
    return Fields([name for name, _ in columns], rows, zones)


def _zone(column: Any) -> str:
    """Return the name of the time zone of a column or an index; empty for none."""
    zone = getattr(column.dtype, "tz", None)
    return getattr(zone, "key", None) or getattr(zone, "zone", None) or ""


def _texts(column: Any) -> list[str]:
    """Return the fields of a column or an index as text, with dates instead of times at midnight."""
    texts = ["" if value is None else str(value).replace("<NA>", "") for value in column.tolist()]
    midnight = " 00:00:00"
    if column.dtype.kind == "M" and all(text.endswith(midnight) for text in texts):
        return [text.removesuffix(midnight) for text in texts]
    return texts
