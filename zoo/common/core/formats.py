"""File formats of answers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Format:
    """A file format of answers. See `zoo.common.core.capabilities.OutputFormats`.

    Args:
        suffix: file name extension, such as ".srt".
        lines: maps answers, each with `input` and with `output` or `error`, to lines of text. It yields
            the lines of an answer before it takes the next one.
        joins: whether one file can hold the answers to several inputs.
        options: decoder options that the format requires, such as `{"times": True}`.
    """

    suffix: str
    lines: Callable[[Iterable[dict[str, Any]]], Iterator[str]]
    joins: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)


def csv_row(cells: Iterable[Any]) -> str:
    """Return a row of a CSV file. Cells with line breaks are quoted."""
    text, end = io.StringIO(), "\r\n"
    # Python 3.11 quotes only the line breaks that end a row.
    csv.writer(text, lineterminator=end).writerow(cells)
    return text.getvalue().removesuffix(end)
