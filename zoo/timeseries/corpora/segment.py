"""Segments of a series, and how they are read from a column of numbers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import parse_lines, parse_table, read_lines

# What the header of a table calls the values, and the split of each where they have one.
VALUE, SPLIT = "value", "split"


@dataclass(frozen=True)
class Segment:
    """Values that follow each other, at equal distances in time.

    id: str. The file's name, and the part of it.
    values: tuple of float. In order of time.
    history: tuple of float. The values before them, which models may read but which are not forecast.
    split: str. None where the series has none.
    """

    id: str
    values: tuple[float, ...]
    history: tuple[float, ...] = ()
    split: str | None = None


def read_values(path: Path) -> tuple[float, ...]:
    """Return the values of a file: one number a line, or a table with a column `value`.

    Raises:
        ZooError: there is no such file or column, or a value is no finite number, by its line.
    """
    return tuple(row.value for row in _read_rows(path))


def read_segments(path: Path) -> list[Segment]:
    """Return the segments of a file as of `read_values`: of a table with a column `split`, one for each
    stretch of rows of one split; else one in all.

    A segment that is not for training has all rows before it as its history. Raises as `read_values`.
    """
    rows = _read_rows(path)
    values = tuple(row.value for row in rows)
    segments, begin = [], 0
    for split, part in itertools.groupby(rows, key=lambda row: row.split):
        end = begin + len(list(part))
        name = path.name if split is None else f"{path.name} ({split}, from value {begin + 1})"
        history = () if split in (None, "train") else values[:begin]
        segments.append(Segment(name, values[begin:end], history, split))
        begin = end
    return segments


@dataclass(frozen=True)
class _Row:
    """A value of a file. id: int. Which one it is."""

    id: int
    value: float
    split: str | None = None


def _read_rows(path: Path) -> list[_Row]:
    lines, numbers = read_lines(path), itertools.count(1)
    if _is_number(lines[0][1]):
        return parse_lines(path, lines, lambda line: _Row(next(numbers), _number(line)))
    return parse_table(
        path,
        (VALUE,),
        lambda row: _Row(next(numbers), _number(row[VALUE]), row.get(SPLIT, "").strip() or None),
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(text: str) -> float:
    """The number in a text that a model can take, in float32."""
    limit = float(np.finfo(np.float32).max)
    if not _is_number(text) or not abs(float(text)) <= limit:
        raise ZooError(f"a value must be a finite number. Received: {text.strip()[:80]!r}")
    return float(text)
