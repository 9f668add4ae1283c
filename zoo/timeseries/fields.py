"""Read tables of numbers as text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import MAX_BYTES
from zoo.common.data.tables import Record, read_records

# Words for a missing value, in lower case.
MISSING = ("", "nan", "na", "n/a", "null", "none", "?")
_COMMA = re.compile(r"\s*[+-]?\d*,\d+(e[+-]?\d+)?\s*", re.IGNORECASE)
_POINT = re.compile(r"\s*[+-]?\d*\.\d+(e[+-]?\d+)?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Fields:
    """The fields of a table as text.

    Args:
        names: names of the columns.
        rows: the number of each row or line, and its fields.
        zones: name of the time zone of each column that has one.
    """

    names: list[str]
    rows: list[Record]
    zones: dict[str, str] = field(default_factory=dict)


def read_fields(path: Path, at_most: int = MAX_BYTES) -> list[Record]:
    """Return the number and the fields of each line of a table of numbers.

    If the delimiter is not a comma, numbers may have a decimal comma, which is replaced by a point.

    Args:
        path: a file in a dialect that `zoo.common.data.tables.read_records` reads.
        at_most: maximum size in bytes.

    Raises:
        ZooError: as `read_records`, or there are numbers with a comma and numbers with a point. The
            message has the line.
    """
    records = read_records(path, at_most)
    return records.rows if records.delimiter == "," else _with_points(path, records.rows)


def _with_points(path: Path, records: list[Record]) -> list[Record]:
    """Return records with decimal points instead of decimal commas."""
    marks: dict[str, tuple[int, str]] = {}
    for number, fields in records:
        for text in fields:
            for mark, pattern in ((",", _COMMA), (".", _POINT)):
                if mark in text and mark not in marks and pattern.fullmatch(text):
                    marks[mark] = (number, text.strip())
    if len(marks) == 2:
        (number, comma), (other, point) = marks[","], marks["."]
        raise ZooError(
            f"{path}, line {number}: all numbers must have the same decimal mark. "
            f"Received: {comma!r}, and {point!r} in line {other}."
        )
    if "," not in marks:
        return records
    return [
        (number, [x.replace(",", ".") if _COMMA.fullmatch(x) else x for x in fields])
        for number, fields in records
    ]
