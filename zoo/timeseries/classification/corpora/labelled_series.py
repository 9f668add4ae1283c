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
from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError, check_choice
from zoo.common.data.content import Content
from zoo.common.data.manifests import Line, parse_lines, read_lines
from zoo.common.data.text import is_number
from zoo.timeseries.fields import read_fields

# Header lines of a `.ts` file.
HEADERS = (
    "problemname",
    "timestamps",
    "missing",
    "univariate",
    "dimensions",
    "equallength",
    "serieslength",
    "classlabel",
    "targetlabel",
)
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

    def content(self) -> Content:
        """Return the label and the values."""
        return Content((self.label,), (self.values,))


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
    channels, length, labels = _read_header(path, head)
    numbered = iter(lines[len(head) + 1 :])
    count = itertools.count(1)

    def parse(line: str) -> LabelledSeries:
        *texts, label = line.split(":")
        if channels and len(texts) != channels:
            raise ZooError(f"a series must have {channels} channels. Received: {len(texts)}")
        columns = [[_number(text) for text in channel.split(",")] for channel in texts]
        if len({len(column) for column in columns}) != 1:
            sizes = sorted({len(column) for column in columns})
            raise ZooError(f"all channels must have the same length. Received: {sizes}")
        if length and len(columns[0]) != length:
            raise ZooError(f"a series must have {length} values. Received: {len(columns[0])}")
        if not label.strip():
            raise ZooError("a series must end with its label")
        if labels:
            check_choice("the label", label.strip(), labels)
        return LabelledSeries(
            f"{path.name} {next(count)}", label.strip(), tuple(zip(*columns, strict=True)), split
        )

    return parse_lines(path, numbered, parse)


def _read_header(path: Path, head: list[Line]) -> tuple[int, int, list[str]]:
    """Return the number of channels, the length and the labels of a `.ts` file; 0 and [] for any.

    Raises:
        ZooError: a line is not one of `HEADERS`, has an invalid value, or states that the lines have
            other fields than the values and the label.
    """
    settings: dict[str, str] = {}
    for number, line in head:
        name, _, value = line.strip().lstrip("@").partition(" ")
        if name and name.lower() not in HEADERS:
            raise ZooError(f"{path}, line {number}: the header @{name[:80]} is not supported.")
        settings[name.lower()] = value.strip()
    label, *labels = settings.get("classlabel", "true").split() or [""]
    for name, value in (("timestamps", "true"), ("targetlabel", "true"), ("classlabel", "false")):
        found = label if name == "classlabel" else settings.get(name, "")
        if found.lower() == value:
            raise ZooError(f"{path}: series with @{name} {value} are not supported.")
    sizes = []
    for name in ("dimensions", "serieslength"):
        text = settings.get(name, "")
        if not re.fullmatch(r"[0-9]{0,6}", text):
            raise ZooError(f"{path}: @{name} must be an integer. Received: {text[:80]!r}.")
        sizes.append(int(text or 0))
    if settings.get("univariate", "").lower() == "true":
        sizes[0] = sizes[0] or 1
    if settings.get("equallength", "").lower() == "false":
        sizes[1] = 0
    return sizes[0], sizes[1], labels


def read_rows(path: Path) -> np.ndarray:
    """Return one series of a CSV file, float32 [time, channels].

    Args:
        path: a file with one row per time step and one column per channel, in a dialect that
            `zoo.timeseries.fields.read_fields` reads. A first line without numbers is a header.

    Raises:
        ZooError: the file does not exist, or a field is not a finite number. The message has the line.
    """
    records = read_fields(path, MAX_BYTES)
    first = next(i for i, (_, fields) in enumerate(records) if fields != [""])
    header = not any(map(is_number, records[first][1]))
    width = len(records[first][1])
    records = [record for record in records[first + header :] if width == 1 or record[1] != [""]]
    numbers = itertools.count(1)

    def parse(fields: Any) -> LabelledSeries:
        if len(fields) != width:
            raise ZooError(
                f"a row must have {width} numbers, as the first row. Received: {len(fields)}"
            )
        return LabelledSeries(str(next(numbers)), "", (tuple(map(_number, fields)),))

    lines: Any = records
    return np.array([row.values[0] for row in parse_lines(path, lines, parse)], np.float32)


def _number(text: str) -> float:
    number = float(text) if is_number(text) else math.nan
    if not abs(number) <= float(np.finfo(np.float32).max):
        raise ZooError(f"a value must be a finite number. Received: {text.strip()[:80]!r}")
    return number
