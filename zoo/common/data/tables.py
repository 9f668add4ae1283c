"""Read tables of text with a header, as CSV in its common dialects or as TSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import (
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_LINES,
    is_json_lines,
    parse_json_lines,
    parse_lines,
    read_file,
    read_lines,
)

# A line of a file: its number and its fields.
Record = tuple[int, list[str]]


@dataclass(frozen=True)
class Records:
    """The lines of a table.

    Args:
        delimiter: the character between two fields.
        rows: the records.
    """

    delimiter: str
    rows: list[Record]


@dataclass(frozen=True)
class Table:
    """A table with a header.

    Args:
        path: the file.
        number: number of the line of the header.
        names: names of the columns.
        rows: the records below the header.
    """

    path: Path
    number: int
    names: list[str]
    rows: list[Record]

    def parse(
        self,
        columns: tuple[str, ...],
        parse: Callable[[dict[str, str]], Any],
        join: Callable[[Any, Any], Any] | None = None,
    ) -> list[Any]:
        """Return an example for each row.

        Args:
            columns: required columns. The header may have others.
            parse: maps the fields of a row by column to an example. See `parse_lines`.
            join: joins two examples with the same id. See `parse_lines`.

        Raises:
            ZooError: as `parse_lines`, or a column is missing.
        """
        if missing := [name for name in columns if name not in self.names]:
            raise ZooError(
                f"{self.path}, line {self.number}: the header lacks {', '.join(missing)}. It must "
                f"have {','.join(columns)}. Received: {','.join(self.names)[:80]!r}"
            )

        def parse_row(fields: Any) -> Any:
            if len(fields) != len(self.names):
                raise ZooError(f"{len(fields)} fields where the header has {len(self.names)}")
            return parse(dict(zip(self.names, fields, strict=True)))

        rows: Any = self.rows
        return parse_lines(self.path, rows, parse_row, join)


def parse_rows(
    path: Path,
    columns: tuple[str, ...],
    parse: Callable[[dict[str, Any]], Any],
    join: Callable[[Any, Any], Any] | None = None,
) -> list[Any]:
    """Return an example for each row of a table with a header, or for each line of JSON lines.

    Args:
        path: the file.
        columns: required columns of a table. `parse` checks the keys of JSON lines.
        parse: maps a row to an example. See `parse_lines`.
        join: joins two examples with the same id. See `parse_lines`.

    Raises:
        ZooError: as `Table.parse` and `parse_json_lines`.
    """
    if is_json_lines(path):
        return parse_json_lines(path, parse, join)
    return read_table(path).parse(columns, parse, join)


def first_names(path: Path) -> list[str]:
    """Return the names of columns in the first line of a file, if it is the header of a table."""
    _, first = read_lines(path)[0]
    return [name.strip().strip('"') for name in re.split(r"[\t,;]", first)]


def read_table(path: Path) -> Table:
    """Return a table whose first line has the names of its columns. Blank lines are left out.

    Args:
        path: a file in a dialect that `read_records` reads.

    Raises:
        ZooError: as `read_records`, or the header is invalid.
    """
    rows = [(n, fields) for n, fields in read_records(path).rows if "".join(fields).strip()]
    number, header = rows[0]
    names = [name.strip() for name in header]
    if len(names) > MAX_COLUMNS:
        raise ZooError(f"{path}, line {number}: there must be at most {MAX_COLUMNS:,} columns.")
    if twice := [name for name in names if name and names.count(name) > 1]:
        raise ZooError(f"{path}, line {number}: the column {twice[0]!r} is not unique.")
    return Table(path, number, names, rows[1:])


def read_records(path: Path, at_most: int = MAX_BYTES) -> Records:
    """Return the number and the fields of each line; a blank line has one empty field.

    Blank lines at the end are left out.

    The first line that is not blank determines the delimiter: a tab, a semicolon, or else a comma. A
    quoted field may have line breaks, except in TSV. If a line of TSV is not valid with quoted fields,
    quotes are characters like others. Lines may end with LF, CRLF or CR. A last field that is empty in
    every line, as after a trailing comma, is left out.

    Args:
        path: the file, in UTF-8 or in UTF-16 with a byte order mark, plain or gzipped.
        at_most: maximum size in bytes.

    Raises:
        ZooError: the file cannot be read, or is not CSV. The message has the line.
    """
    text = read_file(path, at_most)
    first = re.sub(r'"[^"]*"', "", text[: 2**20].lstrip("\r\n ")).splitlines()[:1]
    delimiter = next((mark for mark in "\t;" if mark in "".join(first)), ",")
    records: list[Record] = []
    for number, fields in (_tsv_records if delimiter == "\t" else _csv_records)(
        path, text, delimiter
    ):
        if number > MAX_LINES:
            raise ZooError(f"{path} is too large: it must have at most {MAX_LINES:,} lines.")
        records.append((number, fields or [""]))
    if not any("".join(fields).strip() for _, fields in records):
        raise ZooError(f"{path} is empty.")
    while records[-1][1] == [""]:
        records.pop()
    filled = [fields for _, fields in records if fields != [""]]
    width = max(map(len, filled), default=1)
    if width > 1 and all(len(fields) < width or not fields[-1].strip() for fields in filled):
        records = [(number, fields[: width - 1]) for number, fields in records]
    return Records(delimiter, records)


def _csv_records(path: Path, text: str, delimiter: str) -> Iterator[Record]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 1
    try:
        for fields in reader:
            yield number, fields
            number = reader.line_num + 1
    except csv.Error as error:
        raise ZooError(f"{path}, line {number}: invalid CSV: {error}") from None


def _tsv_records(path: Path, text: str, delimiter: str) -> Iterator[Record]:
    lines = text.removesuffix("\n").split("\n")
    try:
        rows = [next(csv.reader([line], delimiter=delimiter, strict=True), []) for line in lines]
    except csv.Error:
        rows = [line.split(delimiter) for line in lines]
    return enumerate(rows, start=1)
