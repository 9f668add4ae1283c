"""Series of several channels, each with a class, and files of them in the form of the UEA archive.

A `.ts` file has a head of lines that begin with "@", such as "@dimensions 12", and after "@data" a line
for each series: its channels with ":" between them, each as numbers with "," between them, and the class
at the end.
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import parse_lines, read_lines

# Numbers one by one take thirty times their text in memory.
MAX_BYTES = 2**25


@dataclass(frozen=True)
class LabelledSeries:
    """A series with a class.

    id: str. The file's name, and the number of its line.
    transcript: str. The class.
    values: tuple of tuple of float. A row for each time, a number for each channel.
    split: str. None where the file has none.
    """

    id: str
    transcript: str
    values: tuple[tuple[float, ...], ...]
    split: str | None = None


def read_ts(path: Path, split: str | None = None) -> list[LabelledSeries]:
    """Return the series of a `.ts` file.

    Args:
        split: what each is said to be of.

    Raises:
        ZooError: there is no such file, no data, or a bad line, by number.
    """
    lines = [
        (n, line) for n, line in read_lines(path, MAX_BYTES) if not line.lstrip().startswith("#")
    ]
    head = list(itertools.takewhile(lambda line: line[1].lower().strip() != "@data", lines))
    if len(head) == len(lines):
        raise ZooError(f'{path}: there is no line "@data": it must be a .ts file.')
    pairs = (line.lower().lstrip("@").split(maxsplit=1) for _, line in head)
    settings = dict(pair for pair in pairs if len(pair) == 2)
    channels = settings.get(
        "dimensions", "1" if settings.get("univariate") == "true" else ""
    ).strip()
    if not re.fullmatch(r"\d{0,6}", channels):
        raise ZooError(f"{path}: @dimensions must be a whole number. Received: {channels[:80]!r}.")
    numbered = iter(lines[len(head) + 1 :])
    count = itertools.count(1)

    def parse(line: str) -> LabelledSeries:
        *texts, label = line.split(":")
        if channels and len(texts) != int(channels):
            raise ZooError(f"it must have {channels} channels and a class. Received: {len(texts)}")
        columns = [[_number(text) for text in channel.split(",")] for channel in texts]
        if len({len(column) for column in columns}) != 1:
            sizes = sorted({len(column) for column in columns})
            raise ZooError(f"its channels must be of one length. Received: {sizes}")
        if not label.strip():
            raise ZooError("it must end with its class")
        return LabelledSeries(
            f"{path.name} {next(count)}", label.strip(), tuple(zip(*columns, strict=True)), split
        )

    return parse_lines(path, numbered, parse)


def read_rows(path: Path) -> np.ndarray:
    """Return one series of a CSV file, a row for each time and a column for each channel, float32 [time,
    channels]. A first line that is not of numbers is taken for a header.

    Raises:
        ZooError: there is no such file, or a field is no finite number, by its line.
    """
    lines = read_lines(path, MAX_BYTES)
    if not _is_number(lines[0][1].split(",")[0]):
        lines = lines[1:]
    width = len(lines[0][1].split(",")) if lines else 0
    numbers = itertools.count(1)

    def parse(line: str) -> LabelledSeries:
        row = tuple(_number(text) for text in line.split(","))
        if len(row) != width:
            raise ZooError(f"{len(row)} numbers where the first line has {width}")
        return LabelledSeries(str(next(numbers)), "", (row,))

    return np.array([row.values[0] for row in parse_lines(path, lines, parse)], np.float32)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _number(text: str) -> float:
    if not _is_number(text) or abs(float(text)) > np.finfo(np.float32).max:
        raise ZooError(f"a value must be a finite number. Received: {text.strip()[:80]!r}")
    return float(text)
