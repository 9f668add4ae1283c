"""Inputs of forecasting models: files, arrays, and pandas objects as tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.core.task import input_name
from zoo.timeseries.forecasting.tables import VALUE, Columns, Table, parse_rows, read_table

# Column of the times of a datetime index.
TIME = "time"


def table_name(source: Any) -> str:
    """Return the name of a file, or the type of an object."""
    return Path(source).name if isinstance(source, str | Path) else input_name(source)


def read_input_table(source: Any, columns: Columns) -> Table:
    """Return an input as a table.

    Args:
        source: path of a file that `read_table` reads; a NumPy array [time] or a list of numbers, NaN
            for a missing value; or a pandas Series or DataFrame, whose datetime index gives the times.
        columns: the columns to read. An array and a Series are the target, whatever their name.

    Raises:
        ZooError: see `read_table`, or the object has another type or shape.
    """
    if isinstance(source, str | Path):
        return read_table(Path(source), columns)
    if hasattr(source, "to_frame") and hasattr(source, "index"):  # a pandas Series
        source = source.to_frame(columns.target or source.name or VALUE)
    rows = _frame_rows(source) if hasattr(source, "columns") else _array_rows(source, columns)
    return parse_rows(Path(input_name(source)), rows, columns)


def _array_rows(source: Any, columns: Columns) -> list[dict[str, str]]:
    """Return the rows of an array."""
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
    return [{columns.target or VALUE: str(value)} for value in values.tolist()]


def _frame_rows(frame: Any) -> list[dict[str, str]]:
    """Return the rows of a pandas DataFrame, with the times of a datetime index as the first column."""
    texts = {str(name): _texts(frame.iloc[:, i]) for i, name in enumerate(frame.columns)}
    if frame.index.dtype.kind == "M":
        texts = {TIME: _texts(frame.index)} | texts
    return [dict(zip(texts, row, strict=True)) for row in zip(*texts.values(), strict=True)]


def _texts(column: Any) -> list[str]:
    """Return the fields of a column or an index as text, with dates instead of times at midnight."""
    texts = ["" if value is None else str(value).replace("<NA>", "") for value in column.tolist()]
    midnight = " 00:00:00"
    if column.dtype.kind == "M" and all(text.endswith(midnight) for text in texts):
        return [text.removesuffix(midnight) for text in texts]
    return texts
