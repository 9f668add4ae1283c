"""Read words and drawings as pen strokes, called ink."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.data.content import Content
from zoo.common.data.manifests import find_below, read_file
from zoo.vision_language.handwriting.inkml import parse_inkml

# Files of ink in a folder.
SUFFIXES = (".inkml", ".json")
# More than a page of writing.
MAX_BYTES = 4_000_000
# More than the coordinates of any pen.
MAX_COORDINATE = 1e7


@dataclass(frozen=True, eq=False)
class HandwrittenWord:
    """A handwritten word with its transcript.

    Args:
        id: unique name.
        transcript: the text of the word.
        points: float64 [points, 3], see `parse_ink`.
        page: words of one page are not divided between train and dev; "" if unknown.
        split: name of the split; "" without splits.
    """

    id: str
    transcript: str
    points: np.ndarray
    page: str = ""
    split: str = ""

    def content(self) -> Content:
        """Return the transcript and the points."""
        return Content((self.transcript,), (self.points,))


@dataclass(frozen=True, eq=False)
class Drawing:
    """A drawing without a label.

    Args:
        id: unique name.
        points: float64 [points, 3], see `parse_ink`.
        group: drawings of one group are not divided between train and dev; "" without groups.
        split: name of the split; "" without splits.
    """

    id: str
    points: np.ndarray
    group: str = ""
    split: str = ""

    def content(self) -> Content:
        """Return the points."""
        return Content((), (self.points,))


def find_ink(source: str) -> list[str]:
    """Return the files of ink in a folder and its subfolders, sorted, or the path of a file itself.

    Raises:
        ZooError: the folder has no files of ink.
    """
    return find_below(source, SUFFIXES, "ink")


def read_ink(source: Any) -> np.ndarray:
    """Return the points of a file or an array, float64 [points, 3]. See `parse_ink`.

    Args:
        source: path of a JSON or InkML file, or an array float [points, 3] of x, y and pen_up.

    Raises:
        ZooError: the file cannot be read, is too large, or has another format, or as `parse_ink`.
    """
    if not isinstance(source, str | Path):
        return parse_ink({"points": np.asarray(source).tolist()})
    path = Path(source)
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
        raise ZooError('the file must be a JSON object with "points" or "strokes".')
    return content


def parse_ink(row: dict[str, Any]) -> np.ndarray:
    """Return the points of a JSON object, where y grows downwards as on a screen.

    Args:
        row: has `points`, [[x, y, pen_up], ...], where pen_up is 1 at the last point of a stroke,
            else 0; or `strokes`, [[[x, y], ...], ...].

    Returns:
        float64 [points, 3]: x, y and pen_up, which is 1 at the last point.

    Raises:
        ZooError: there are fewer than two points, a value is not a finite number, or all points have the
            same position.
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
        raise ZooError(f"ink must have two different points. Received: {len(points)} equal points.")
    points[-1, 2] = 1
    return points


def _numbers(values: Any, name: str, form: str, columns: int) -> np.ndarray:
    """Return a list of lists of numbers as float64 [values, columns]. Raises `ZooError`."""
    try:
        array = np.array(values if isinstance(values, list) else None)
    except (ValueError, OverflowError):  # rows of different lengths
        array = np.array(None)
    if array.shape == (0,):
        return np.zeros((0, columns))
    if array.dtype.kind not in "iuf" or array.shape != (len(values), columns):
        raise ZooError(f"{name} must be a list of {form}, all numbers.")
    array = array.astype(np.float64)
    if not (np.abs(array) <= MAX_COORDINATE).all():  # False for NaN
        raise ZooError(f"{name} must have finite numbers of at most {MAX_COORDINATE:,.0f}.")
    return array


def join_strokes(strokes: list[np.ndarray]) -> np.ndarray:
    """Return strokes [points, 2] as points [points, 3], without empty strokes."""
    parts = [np.column_stack([s, np.zeros(len(s))]) for s in strokes if len(s)]
    for part in parts:
        part[-1, 2] = 1
    return np.concatenate(parts) if parts else np.zeros((0, 3))


def split_strokes(points: np.ndarray) -> list[np.ndarray]:
    """Return points [points, 3] as strokes [points, 2], which end where pen_up is 1."""
    return np.split(points[:, :2], np.flatnonzero(points[:-1, 2]) + 1)
