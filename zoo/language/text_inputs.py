"""Inputs of models of texts: texts, or files with one text per line."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zoo.common.core.capabilities import FileInputs
from zoo.common.core.data import Data, Item
from zoo.common.core.errors import ZooError, nearest
from zoo.common.data.manifests import MAX_BYTES, read_file, read_lines
from zoo.common.data.tables import first_names, parse_rows
from zoo.common.data.text import Line, single_spaces

TABLES = (".csv", ".tsv", ".json", ".jsonl")


class TextInputs(Data, FileInputs):
    """Data whose inputs are texts, or files with one text per line or a column of texts.

    Items may have `unknown`, the number of tokens that are not in the vocabulary.

    Args:
        column: column of the texts in tables and JSON lines; None for files of lines.
    """

    column: str | None = None

    def read_texts(self, path: Path, at_most: int = MAX_BYTES) -> list[str]:
        """Return the lines of a file, including empty ones, or the texts of its column.

        Args:
            path: the file.
            at_most: maximum size of a file of lines in bytes.

        Raises:
            ZooError: the file is empty, too large, or not UTF-8; a table without the column, or with an
                invalid row.
        """
        lines = read_column(path, self.column) if self.column else None
        if lines is None:
            lines = read_file(path, at_most).removesuffix("\n").split("\n")
        return lines

    def find_inputs(self, source: str) -> list[str]:
        """Return the lines of a file, including empty ones, or of its column; or the text itself.

        A text that is also the name of a file is read as a text if it begins with a space.

        Raises:
            ZooError: the file is empty, too large, or not UTF-8.
        """
        if isinstance(source, Line) or not os.path.isfile(source):
            return [source]
        lines = self.read_texts(Path(source))
        return [Line(line, number) for number, line in enumerate(lines, start=1)]

    def example_digest(self, example: Any) -> str:
        """Return a digest without the id, which is the number of a line."""
        return super().example_digest(replace(example, id=""))

    def accepts_text(self, text: str) -> bool:
        return True

    def input_metadata(self, item: Item) -> dict[str, Any]:
        """Return `unknown` if it is above 0."""
        return {"unknown": item["unknown"]} if item.get("unknown") else {}


@dataclass(frozen=True)
class _Row:
    """A text with its number as `id`."""

    id: int
    text: str


def _has_key(path: Path, key: str) -> bool:
    _, first = read_lines(path)[0]
    return first.lstrip().startswith("{") and f'"{key}"' in first


def read_column(path: Path, column: str) -> list[str] | None:
    """Return the texts of a column of CSV, TSV or JSON lines, on one line each.

    Args:
        path: the file.
        column: the column or key.

    Returns:
        The texts; None for a file of lines: its first line does not name the column, and its suffix is
        not one of `TABLES`.

    Raises:
        ZooError: a table does not have the column, or a row is invalid.
    """
    if (
        column not in first_names(path)
        and path.suffix.lower() not in TABLES
        and not _has_key(path, column)
    ):
        return None
    numbers = itertools.count(1)

    def parse(row: dict[str, Any]) -> _Row:
        if column not in row:
            raise ZooError(f"there is no column {column!r}. {nearest(column, row)}")
        return _Row(next(numbers), single_spaces(str(row[column] or "")))

    rows = parse_rows(path, (column,), parse)
    if not any(row.text for row in rows):
        raise ZooError(f"{path}: the column {column!r} is empty.")
    return [row.text for row in rows]
