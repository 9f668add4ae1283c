"""Features of pen strokes: normalize and resample strokes, and describe the movement at each point.

Based on section 3 of Graves, Liwicki, Fernandez, Bertolami, Bunke and Schmidhuber, "A novel
connectionist system for unconstrained handwriting recognition" (2009).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.common.core.errors import ZooError, check_range
from zoo.vision_language.handwriting.ink import split_strokes

# The features of a point. See `stroke_features`.
FEATURES = ("jump_x", "jump_y", "in_air", "height", "cos", "sin", "turn_cos", "turn_sin")
# Maximum number of points of a word after resampling.
MAX_POINTS = 5_000
# Distance between the points where jitter is drawn, in units of the size of the word. Jitter is linear
# between them, so that letters bend and lines stay smooth.
KNOT_DISTANCE = 1.0
# Minimum size of a word as a fraction of its diagonal, for words as flat as a dash.
FLATTEST = 0.05


@dataclass(frozen=True)
class Distortion:
    """Limits of random changes of ink in training, which are drawn for each word in each epoch.

    Args:
        rotation: maximum angle, in degrees.
        shear: maximum slant to either side, as a fraction of the height.
        stretch: maximum change of the width relative to the height, as a natural logarithm.
        size: maximum error of the estimated size, as a natural logarithm.
        jitter: standard deviation of a smooth shift along the ink, in units of the size of the word.
        drop: fraction of the points inside strokes that are dropped.
    """

    rotation: float = 4.0
    shear: float = 0.2
    stretch: float = 0.2
    size: float = 0.15
    jitter: float = 0.1
    drop: float = 0.1

    def __post_init__(self):
        check_range("data.distortion.rotation", self.rotation, at_least=0, at_most=90)
        for name in ("shear", "stretch", "size", "jitter"):
            check_range(f"data.distortion.{name}", getattr(self, name), at_least=0, at_most=1)
        check_range("data.distortion.drop", self.drop, at_least=0, below=1)


def preprocess(points: np.ndarray, spacing: float) -> list[np.ndarray]:
    """Return normalized and resampled strokes.

    Args:
        points: float64 [points, 3], see `zoo.vision_language.handwriting.ink.parse_ink`.
        spacing: as in `resample`.

    Returns:
        Strokes float64 [points, 2].

    Raises:
        ZooError: the word has more than `MAX_POINTS` points after resampling.
    """
    strokes = normalize(split_strokes(points))
    count = round(sum(_lengths(stroke).sum() for stroke in strokes) / spacing) + len(strokes)
    if count > MAX_POINTS:
        raise ZooError(
            f"a word must have at most {MAX_POINTS:,} resampled points. Received: {count:,}."
        )
    return resample(strokes, spacing)


def normalize(strokes: list[np.ndarray]) -> list[np.ndarray]:
    """Return strokes in units of the size of the word, with the mean height 0 and the smallest x 0.

    The size is the standard deviation of the height along the ink. Unlike the height of the whole word,
    it depends little on the number of ascenders and descenders. The height of the letter x is about 1.6.

    Args:
        strokes: float [points, 2] each.
    """
    weights = np.concatenate([_lengths(stroke) for stroke in strokes])
    starts = np.concatenate([stroke[:-1, 1] for stroke in strokes])
    ends = np.concatenate([stroke[1:, 1] for stroke in strokes])
    corners = np.concatenate(strokes)
    low, high = corners.min(axis=0), corners.max(axis=0)
    if weights.sum() > 0:
        middle = np.average((starts + ends) / 2, weights=weights)
        above, below = starts - middle, ends - middle
        # The mean of the square over a segment, where the height is linear from start to end.
        squares = (above**2 + above * below + below**2) / 3
        size = np.sqrt(np.average(squares, weights=weights))
    else:  # only dots
        middle, size = (low[1] + high[1]) / 2, 0.0
    size = max(size, FLATTEST * np.hypot(*(high - low)))
    return [(stroke - (low[0], middle)) / size for stroke in strokes]


def distort(
    strokes: list[np.ndarray], by: Distortion, generator: np.random.Generator
) -> list[np.ndarray]:
    """Return normalized strokes with random changes.

    Args:
        strokes: float [points, 2] each.
        by: limits of the changes.
        generator: draws the changes.

    Returns:
        The same number of strokes, which must be resampled.
    """
    draw = generator.uniform(-1, 1, size=4)
    angle, shear = np.deg2rad(by.rotation) * draw[0], by.shear * draw[1]
    stretch, size = by.stretch * draw[2], by.size * draw[3]
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    slant = np.array([[np.exp(stretch), 0.0], [shear, 1.0]])
    matrix = np.exp(size) * slant @ turn
    changed = []
    for stroke in strokes:
        inside = np.ones(len(stroke), bool)
        inside[1:-1] = generator.random(max(0, len(stroke) - 2)) >= by.drop
        stroke = stroke[inside] @ matrix
        along = _distances(stroke)
        knots = np.arange(along[-1] // KNOT_DISTANCE + 2) * KNOT_DISTANCE
        noise = generator.normal(0, by.jitter, (2, len(knots)))
        shift = [np.interp(along, knots, column) for column in noise]
        changed.append(stroke + np.stack(shift, axis=1))
    return changed


def resample(strokes: list[np.ndarray], spacing: float) -> list[np.ndarray]:
    """Return strokes with points at equal distances, including both ends of each stroke.

    Args:
        strokes: float [points, 2] each.
        spacing: approximate distance. A stroke shorter than half of it becomes one point.
    """
    resampled = []
    for stroke in strokes:
        along = _distances(stroke)
        at = np.linspace(0, along[-1], round(along[-1] / spacing) + 1)
        resampled.append(np.stack([np.interp(at, along, column) for column in stroke.T], axis=1))
    return resampled


def stroke_features(strokes: list[np.ndarray]) -> np.ndarray:
    """Return the features of each point of resampled strokes.

    Args:
        strokes: float [points, 2] each.

    Returns:
        float32 [points, features], in the order of `FEATURES`. The first three are the movement of the
        lifted pen to the first point of each stroke except the first, and 1; they are 0 at other points.
        The others are the height of the point, the direction of the ink as cosine and sine, and the
        change of direction as cosine and sine, which are 0 in a dot.
    """
    rows = []
    for i, stroke in enumerate(strokes):
        row = np.zeros((len(stroke), len(FEATURES)), np.float32)
        if i:
            row[0, :2] = stroke[0] - strokes[i - 1][-1]
            row[0, 2] = 1
        row[:, 3] = stroke[:, 1]
        if len(stroke) > 1:
            steps = _directions(np.diff(stroke, axis=0))
            before, after = np.vstack([steps[:1], steps]), np.vstack([steps, steps[-1:]])
            row[:, 4:6] = _directions(before + after)
            row[:, 6] = (before * after).sum(axis=1)
            row[:, 7] = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
        rows.append(row)
    return np.concatenate(rows)


def _lengths(stroke: np.ndarray) -> np.ndarray:
    """Return the lengths [points - 1] of the segments of a stroke."""
    return np.hypot(*np.diff(stroke, axis=0).T)


def _distances(stroke: np.ndarray) -> np.ndarray:
    """Return the distance [points] along a stroke to each of its points."""
    return np.concatenate([[0.0], np.cumsum(_lengths(stroke))])


def _directions(vectors: np.ndarray) -> np.ndarray:
    """Return vectors [vectors, 2] with the length 1, or 0 for a vector of length 0."""
    return vectors / np.maximum(np.hypot(*vectors.T), 1e-9)[:, np.newaxis]
