"""Read the fields of CSV files in their common dialects."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from pathlib import Path

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import MAX_BYTES, MAX_LINES, read_file

# Words for a missing value, in lower case.
MISSING = ("", "nan", "na", "n/a", "null", "none", "?")
_COMMA = re.compile(r"\s*[+-]?\d*,\d+(e[+-]?\d+)?\s*", re.IGNORECASE)
_POINT = re.compile(r"\s*[+-]?\d*\.\d+(e[+-]?\d+)?\s*", re.IGNORECASE)

# A line of a file: its number and its fields.
Record = tuple[int, list[str]]


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


def read_records(path: Path, at_most: int = MAX_BYTES) -> list[Record]:
    """Return the number and the fields of each line; a blank line has one empty field.

    Blank lines at the end are left out.

    The first line that is not blank determines the delimiter: a tab, a semicolon, or else a comma. If it
    is not a comma, numbers may have a decimal comma, which is replaced by a point. A quoted field may
    have line breaks. Lines may end with LF, CRLF or CR. A last field that is empty in every line, as
    after a trailing comma, is left out.

    Args:
        path: the file, in UTF-8 or in UTF-16 with a byte order mark.
        at_most: maximum size in bytes.

    Raises:
        ZooError: the file cannot be read, is not CSV, or has numbers with a comma and numbers with a
            point. The message has the line.
    """
    text = read_file(path, at_most)
    first = re.sub(r'"[^"]*"', "", text[: 2**20].lstrip("\r\n ")).splitlines()[0]
    delimiter = next((mark for mark in "\t;" if mark in first), ",")
    records: list[Record] = []
    number = 1
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for fields in reader:
            records.append((number, fields or [""]))
            number = reader.line_num + 1
            if number > MAX_LINES + 1:
                raise ZooError(f"{path} is too large: it must have at most {MAX_LINES:,} lines.")
    except csv.Error as error:
        raise ZooError(f"{path}, line {number}: invalid CSV: {error}") from None
    if not any("".join(fields).strip() for _, fields in records):
        raise ZooError(f"{path} is empty.")
    while records[-1][1] == [""]:
        records.pop()
    filled = [fields for _, fields in records if fields != [""]]
    width = max(map(len, filled), default=1)
    if width > 1 and all(len(fields) < width or not fields[-1].strip() for fields in filled):
        records = [(number, fields[: width - 1]) for number, fields in records]
    return records if delimiter == "," else _with_points(path, records)


def is_number(text: str) -> bool:
    """Return whether Python reads a text as a number, including NaN and infinity."""
    try:
        float(text)
    except ValueError:
        return False
    return True


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
