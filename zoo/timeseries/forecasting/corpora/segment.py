"""Segments of series: the examples of forecasting models, and how they are read from tables."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.common.data.content import Content
from zoo.timeseries.forecasting.columns import VALUE, Columns
from zoo.timeseries.forecasting.tables import Table, read_table, read_tables
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

    def content(self) -> Content:
        """Return the values and the covariates."""
        return Content((), (self.values, self.covariates))


def read_values(path: Path) -> tuple[float, ...]:
    """Return the values of a file with one series: one number per line, or a column `value`.

    Raises:
        ZooError: see `zoo.timeseries.forecasting.tables.read_table`.
    """
    return tuple(read_table(path, Columns(VALUE)).values[VALUE].tolist())


def read_segments(path: Path, columns: Columns) -> list[Segment]:
    """Return one segment of each series of a file for each run of rows with the same split.

    A segment that is not for training has all rows before it as its history. Rows after the last value
    of a series, which may have covariates, belong to no segment.

    Args:
        path: a file that `zoo.timeseries.forecasting.tables.read_tables` reads.
        columns: the columns to read.

    Raises:
        ZooError: see `zoo.timeseries.forecasting.tables.read_tables`.
    """
    segments = []
    for series, table in read_tables(path, columns).items():
        for whole in table_segments(table, path.name, series).values():
            segments += _split(whole, table.splits)
    return segments


def _split(whole: Segment, splits: list[str | None]) -> list[Segment]:
    """Return the runs of rows of a segment with the same split."""
    segments = []
    begin = 0
    for split, part in itertools.groupby(splits[: len(whole.values)]):
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


def table_segments(table: Table, name: str, series: str = "") -> dict[str, Segment]:
    """Return each series of a table as one segment that ends with its last value, by its name.

    Covariates may also be those of later rows.

    Args:
        table: the table.
        name: name of the table, for the ids.
        series: name of the series in a long table.
    """
    covariates = tuple(map(tuple, table.covariates.tolist())) if table.covariates.size else ()
    segments = {}
    for column, values in table.values.items():
        labels = [series] if series else []
        if not series or len(table.values) > 1:
            labels.append(column)
        id_ = ", ".join([name, *(labels if series or len(table.values) > 1 else [])])
        length = int(np.flatnonzero(~np.isnan(values))[-1]) + 1
        segments[", ".join(labels)] = Segment(
            id_,
            tuple(values[:length].tolist()),
            covariates=covariates,
            time_index=table.time_index,
        )
    return segments
