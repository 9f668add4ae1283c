"""Ink: words and drawings as pen strokes, and how they are read and checked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import find_below, read_file
from zoo.vision_language.handwriting.inkml import parse_inkml

# What a folder is searched for.
SUFFIXES = (".inkml", ".json")
# A page of writing with all that a pen records has fewer.
MAX_BYTES = 4_000_000
# Larger coordinates are no pen's.
MAX_COORDINATE = 1e7


@dataclass(frozen=True, eq=False)
class HandwrittenWord:
    """A word as it was written.

    id: str. Its own among the words of a run.
    transcript: str. What it says.
    points: float64 [points, 3]. See `parse_ink`.
    page: str. What was written together; dev pages are not among those of train.
    split: str. "" where there are no splits.
    """

    id: str
    transcript: str
    points: np.ndarray
    page: str = ""
    split: str = ""


@dataclass(frozen=True, eq=False)
class Drawing:
    """Something drawn by a pen, without a name.

    id: str. Its own among the drawings of a run.
    points: float64 [points, 3]. See `parse_ink`.
    group: str. What was drawn together; dev groups are not among those of train.
    split: str. "" where there are no splits.
    """

    id: str
    points: np.ndarray
    group: str = ""
    split: str = ""


def find_ink(source: str) -> list[str]:
    """Return the files of ink in a folder and those below it, sorted; what is no folder, alone.

    Raises:
        ZooError: the folder has none.
    """
    return find_below(source, SUFFIXES, "ink")


def read_ink(path: Path) -> np.ndarray:
    """Return the points of a JSON or InkML file. See `parse_ink` and `zoo.vision_language.handwriting.inkml`.

    Raises:
        ZooError: it cannot be read, is too large, is neither, or `parse_ink` finds no ink in it.
    """
    text = read_file(path, MAX_BYTES)
    try:
        if text.lstrip().startswith("<"):
            return parse_ink({"strokes": parse_inkml(text)})
        return parse_ink(_json_object(text))
    except ZooError as error:
        raise ZooError(f"{path}: {error}") from None


def _json_object(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ZooError(f"invalid JSON: {error}") from None
    if not isinstance(content, dict):
        raise ZooError('there must be a JSON object with "points" or "strokes".')
    return content


def parse_ink(row: dict[str, Any]) -> np.ndarray:
    """Return the points of a JSON object, y growing downwards as on a screen.

    Args:
        row: with `points`, [[x, y, pen_up], ...], pen_up 1 where the pen was lifted after the point and
            else 0; or with `strokes`, [[[x, y], ...], ...].

    Returns:
        float64 [points, 3]: x, y and pen_up, which is 1 at the last point.

    Raises:
        ZooError: there are no points or only one, they are no finite numbers, or all at one place.
    """
    if "points" in row:
        points = _numbers(row["points"], "points", "[x, y, pen_up]", 3)
        if not np.isin(points[:, 2], (0, 1)).all():
            raise ZooError("pen_up must be 0 or 1 in every point.")
    elif isinstance(row.get("strokes"), list):
        strokes = [_numbers(s, f"strokes[{i}]", "[x, y]", 2) for i, s in enumerate(row["strokes"])]
        points = join_strokes(strokes) if strokes else np.zeros((0, 3))
    else:
        raise ZooError('there must be a list under the key "points" or "strokes".')
    if len(points) < 2:
        raise ZooError(f"ink must have at least 2 points. Received: {len(points)}.")
    if not np.ptp(points[:, :2], axis=0).any():
        raise ZooError(f"all {len(points)} points are at one place: there is no ink.")
    points[-1, 2] = 1
    return points


def _numbers(values: Any, name: str, form: str, columns: int) -> np.ndarray:
    """Lists of so many numbers as float64 [values, columns]. Raises `ZooError`."""
    try:
        array = np.array(values if isinstance(values, list) else None)
    except (ValueError, OverflowError):  # rows of several lengths
        array = np.array(None)
    if array.shape == (0,):
        return np.zeros((0, columns))
    if array.dtype.kind not in "iuf" or array.shape != (len(values), columns):
        raise ZooError(f"{name} must be a list of {form}, all numbers.")
    array = array.astype(np.float64)
    if not (np.abs(array) <= MAX_COORDINATE).all():  # NaN is not
        raise ZooError(f"{name} must have finite numbers of at most {MAX_COORDINATE:,.0f}.")
    return array


def join_strokes(strokes: list[np.ndarray]) -> np.ndarray:
    """Return strokes [points, 2] as points [points, 3]; empty strokes leave nothing."""
    parts = [np.column_stack([s, np.zeros(len(s))]) for s in strokes if len(s)]
    for part in parts:
        part[-1, 2] = 1
    return np.concatenate(parts) if parts else np.zeros((0, 3))


def split_strokes(points: np.ndarray) -> list[np.ndarray]:
    """Return points [points, 3] as strokes [points, 2], from one lifting of the pen to the next."""
    return np.split(points[:, :2], np.flatnonzero(points[:-1, 2]) + 1)
