"""Segments of series: the examples of forecasting models, and how they are read from tables."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

from zoo.timeseries.forecasting.tables import VALUE, Columns, Table, read_table
from zoo.timeseries.forecasting.time_index import TimeIndex


@dataclass(frozen=True)
class Segment:
    """Consecutive, equally spaced values of a series.

    Args:
        id: name of the file, and the part of it.
        values: the values in order of time, NaN for a missing one.
        history: the values before them, which models read but do not forecast.
        split: name of the split; None for a series without splits.
        covariates: covariates of each time of history and values, and possibly of later times; empty
            without covariates.
        time_index: times of history and values; None for a series without times.
    """

    id: str
    values: tuple[float, ...]
    history: tuple[float, ...] = ()
    split: str | None = None
    covariates: tuple[tuple[float, ...], ...] = ()
    time_index: TimeIndex | None = None


def read_values(path: Path) -> tuple[float, ...]:
    """Return the values of a file with one series: one number per line, or a column `value`.

    Raises:
        ZooError: see `zoo.timeseries.forecasting.tables.read_table`.
    """
    return tuple(read_table(path, Columns(VALUE)).values[VALUE].tolist())


def read_segments(path: Path, columns: Columns) -> list[Segment]:
    """Return one segment of each series of a file for each run of rows with the same split.

    A segment that is not for training has all rows before it as its history.

    Args:
        path: a file that `zoo.timeseries.forecasting.tables.read_table` reads.
        columns: the columns to read.

    Raises:
        ZooError: see `zoo.timeseries.forecasting.tables.read_table`.
    """
    table = read_table(path, columns)
    segments = []
    for whole in table_segments(table, path.name).values():
        begin = 0
        for split, part in itertools.groupby(table.splits):
            end = begin + len(list(part))
            # Values of other splits are not read in training, not even as history.
            first = begin if split in (None, "train") else 0
            segments.append(
                Segment(
                    whole.id if split is None else f"{whole.id} ({split}, from value {begin + 1})",
                    whole.values[begin:end],
                    whole.values[first:begin],
                    split,
                    whole.covariates[first:end],
                    whole.time_index.shift(first) if whole.time_index else None,
                )
            )
            begin = end
    return segments


def table_segments(table: Table, name: str) -> dict[str, Segment]:
    """Return each series of a table as one segment, by the name of its column.

    Args:
        table: the table.
        name: name of the table, for the ids.
    """
    covariates = tuple(map(tuple, table.covariates.tolist())) if table.covariates.size else ()
    return {
        column: Segment(
            name if len(table.values) == 1 else f"{name}, {column}",
            tuple(values.tolist()),
            covariates=covariates,
            time_index=table.time_index,
        )
        for column, values in table.values.items()
    }
