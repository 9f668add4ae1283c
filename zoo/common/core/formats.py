"""Formats: what answers to inputs look like in a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Format:
    """A form of answers, offered by a task or a data kind: see `Task.formats`.

    suffix: str. Of a file, such as ".srt".
    lines: of answers, each with its `input` and its `output` or `error`, to lines of text. It yields
        those of an answer before it takes the next one.
    joins: bool. Whether answers to several inputs make one file.
    options: of the decoder, which the answers are made with, such as `{"times": True}`.
    """

    suffix: str
    lines: Callable[[Iterable[dict[str, Any]]], Iterator[str]]
    joins: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)


def csv_row(cells: Iterable[Any]) -> str:
    """Return a line of a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()
