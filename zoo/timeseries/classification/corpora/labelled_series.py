"""Series of several channels with a label, and files of them in the format of the UEA archive.

A `.ts` file has header lines that begin with "@", such as "@dimensions 12". After "@data" it has one
line per series: the channels, separated by ":", and the label. The numbers of a channel are separated by
",".
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

# Python numbers use thirty times the memory of their text.
MAX_BYTES = 2**25


@dataclass(frozen=True)
class LabelledSeries:
    """A series with a label.

    Args:
        id: name of the file, and number of the series.
        label: the class.
        values: one row per time step, with one number per channel.
        split: name of the split; None for a file without splits.
    """

    id: str
    label: str
    values: tuple[tuple[float, ...], ...]
    split: str | None = None


def read_ts(path: Path, split: str | None = None) -> list[LabelledSeries]:
    """Return the series of a `.ts` file.

    Args:
        path: the file.
        split: name of the split that each series is assigned to.

    Raises:
        ZooError: the file does not exist, has no data or has an invalid line. The message has the line.
    """
    lines = [
        (n, line) for n, line in read_lines(path, MAX_BYTES) if not line.lstrip().startswith("#")
    ]
    head = list(itertools.takewhile(lambda line: line[1].lower().strip() != "@data", lines))
    if len(head) == len(lines):
        raise ZooError(f'{path}: a .ts file must have a line "@data".')
    pairs = (line.lower().lstrip("@").split(maxsplit=1) for _, line in head)
    settings = dict(pair for pair in pairs if len(pair) == 2)
    channels = settings.get(
        "dimensions", "1" if settings.get("univariate") == "true" else ""
    ).strip()
    if not re.fullmatch(r"\d{0,6}", channels):
        raise ZooError(f"{path}: @dimensions must be an integer. Received: {channels[:80]!r}.")
    numbered = iter(lines[len(head) + 1 :])
    count = itertools.count(1)

    def parse(line: str) -> LabelledSeries:
        *texts, label = line.split(":")
        if channels and len(texts) != int(channels):
            raise ZooError(f"a series must have {channels} channels. Received: {len(texts)}")
        columns = [[_number(text) for text in channel.split(",")] for channel in texts]
        if len({len(column) for column in columns}) != 1:
            sizes = sorted({len(column) for column in columns})
            raise ZooError(f"all channels must have the same length. Received: {sizes}")
        if not label.strip():
            raise ZooError("a series must end with its label")
        return LabelledSeries(
            f"{path.name} {next(count)}", label.strip(), tuple(zip(*columns, strict=True)), split
        )

    return parse_lines(path, numbered, parse)


def read_rows(path: Path) -> np.ndarray:
    """Return one series of a CSV file, float32 [time, channels].

    Args:
        path: a file with one row per time step and one column per channel. A first line that does not
            begin with a number is a header.

    Raises:
        ZooError: the file does not exist, or a field is not a finite number. The message has the line.
    """
    lines = read_lines(path, MAX_BYTES)
    if not _is_number(lines[0][1].split(",")[0]):
        lines = lines[1:]
    width = len(lines[0][1].split(",")) if lines else 0
    numbers = itertools.count(1)

    def parse(line: str) -> LabelledSeries:
        row = tuple(_number(text) for text in line.split(","))
        if len(row) != width:
            raise ZooError(
                f"a row must have {width} numbers, as the first row. Received: {len(row)}"
            )
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
