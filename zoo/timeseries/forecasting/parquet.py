"""Read Parquet tables."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import MAX_BYTES, MAX_COLUMNS, MAX_LINES
from zoo.common.utils.files import check_file
from zoo.timeseries.fields import Fields

SUFFIXES = (".parquet", ".pq")
_BATCH = 1024  # number of rows that are unpacked at a time


def read_parquet(path: Path) -> Fields:
    """Return the fields of a Parquet file.

    Raises:
        ZooError: the file cannot be read or is too large, or pyarrow is not installed.
    """
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise ZooError(
            f"{path}: Parquet files require pyarrow: pip install 'recurrent-zoo[tables]'"
        ) from None
    check_file(path, MAX_BYTES)
    columns: list[list[str]] = []
    size = 0
    try:
        with parquet.ParquetFile(path) as file:
            if file.metadata.num_rows > MAX_LINES or file.metadata.num_columns > MAX_COLUMNS:
                raise _too_large(path)
            schema = file.schema_arrow
            columns = [[] for _ in schema.names]
            for batch in file.iter_batches(_BATCH):
                size += batch.nbytes
                if size > MAX_BYTES:
                    raise _too_large(path)
                for column, array in zip(columns, batch.columns, strict=True):
                    column += map(_text, array.to_pylist())
    except ZooError:
        raise
    except Exception as error:  # pyarrow raises many types for a damaged file
        reason = " ".join(str(error).split())[:120]
        raise ZooError(f"{path} cannot be read as a Parquet file: {reason}") from None
    rows = [(number, list(row)) for number, row in enumerate(zip(*columns, strict=True), start=1)]
    zones = {name: getattr(schema.field(i).type, "tz", None) for i, name in enumerate(schema.names)}
    named = {name: zone for name, zone in zones.items() if zone and zone[0] not in "+-"}
    return Fields(list(schema.names), rows, named)


def _too_large(path: Path) -> ZooError:
    return ZooError(
        f"{path} is too large: a table must have at most {MAX_LINES:,} rows, {MAX_COLUMNS:,} columns "
        f"and, unpacked, {MAX_BYTES:,} bytes."
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value)
