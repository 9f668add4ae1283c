"""Segments of a series: what an example of a forecaster is, and how a file becomes some."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

from zoo.timeseries.forecasting.tables import VALUE, Columns, Table, read_table
from zoo.timeseries.forecasting.time_index import Clock


@dataclass(frozen=True)
class Segment:
    """Values that follow each other, at equal distances in time.

    id: str. The file's name, and the part of it.
    values: tuple of float. In order of time; NaN for a missing one.
    history: tuple of float. The values before them, which models may read but which are not forecast.
    split: str. None where the series has none.
    covariates: tuple of tuple of float. For each time of history and values, and perhaps for times
        after them, what is known of it beside the value; empty where nothing is.
    clock: Clock. Of history and values; None where times are not known.
    """

    id: str
    values: tuple[float, ...]
    history: tuple[float, ...] = ()
    split: str | None = None
    covariates: tuple[tuple[float, ...], ...] = ()
    clock: Clock | None = None


def read_values(path: Path) -> tuple[float, ...]:
    """Return the values of a file of one series: one number a line, or a table's column `value`.

    Raises:
        ZooError: as `zoo.timeseries.forecasting.tables.read_table`.
    """
    return tuple(read_table(path, Columns(VALUE)).values[VALUE].tolist())


def read_series(path: Path, columns: Columns) -> list[tuple[str, Segment]]:
    """Return each series of a file with the name of its column, whatever the splits of its rows.

    Raises:
        ZooError: as `zoo.timeseries.forecasting.tables.read_table`.
    """
    table = read_table(path, columns)
    return [(name, _segment(path, table, name)) for name in table.values]


def read_segments(path: Path, columns: Columns) -> list[Segment]:
    """Return the segments of a file: of each series one for each stretch of rows of one split.

    A segment that is not for training has all rows before it as its history.

    Raises:
        ZooError: as `zoo.timeseries.forecasting.tables.read_table`.
    """
    table, segments = read_table(path, columns), []
    for name in table.values:
        whole, begin = _segment(path, table, name), 0
        for split, part in itertools.groupby(table.splits):
            end = begin + len(list(part))
            # What is not learnt from is not read in training either, not even before a target.
            first = begin if split in (None, "train") else 0
            segments.append(
                Segment(
                    whole.id if split is None else f"{whole.id} ({split}, from value {begin + 1})",
                    whole.values[begin:end],
                    whole.values[first:begin],
                    split,
                    whole.covariates[first:end],
                    whole.clock.after(first) if whole.clock else None,
                )
            )
            begin = end
    return segments


def _segment(path: Path, table: Table, name: str) -> Segment:
    """A whole column."""
    id_ = path.name if len(table.values) == 1 else f"{path.name}, {name}"
    covariates = tuple(map(tuple, table.covariates.tolist())) if table.covariates.size else ()
    values = tuple(table.values[name].tolist())
    return Segment(id_, values, covariates=covariates, clock=table.clock)
