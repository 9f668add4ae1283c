"""Recognize handwriting: python read_ink.py EXPORT word.json

The file contains {"strokes": [[[x, y], ...], ...]}, where y increases downwards. The script prints the
answer of `zoo predict`.
"""

import json
import sys
from pathlib import Path

import numpy as np
from ctc import best_text
from graphs import open_export


def lengths_of(stroke):
    """Return the lengths of the segments of a stroke."""
    return np.hypot(*np.diff(stroke, axis=0).T)


def unit(vectors):
    """Return vectors scaled to length 1. Zero vectors stay zero."""
    return vectors / np.maximum(np.hypot(*vectors.T), 1e-9)[:, np.newaxis]


def normalize(strokes):
    """Shift strokes to x = 0 and to their mean height, and scale the deviation of the height to 1."""
    weights = np.concatenate([lengths_of(stroke) for stroke in strokes])
    starts = np.concatenate([stroke[:-1, 1] for stroke in strokes])
    ends = np.concatenate([stroke[1:, 1] for stroke in strokes])
    middle = np.average((starts + ends) / 2, weights=weights)
    above, below = starts - middle, ends - middle
    size = np.sqrt(np.average((above**2 + above * below + below**2) / 3, weights=weights))
    low, high = (f(np.concatenate(strokes), axis=0) for f in (np.min, np.max))
    return [
        (stroke - (low[0], middle)) / max(size, 0.05 * np.hypot(*(high - low)))
        for stroke in strokes
    ]


def resample(stroke, spacing):
    """Return a stroke with points at equal distances along it."""
    along = np.concatenate([[0.0], np.cumsum(lengths_of(stroke))])
    at = np.linspace(0, along[-1], round(along[-1] / spacing) + 1)
    return np.stack([np.interp(at, along, column) for column in stroke.T], axis=1)


def features(stroke, before):
    """Return the features of a stroke, [points, 8]; `features` of signature.json has their names.

    Args:
        stroke: [points, 2].
        before: the previous stroke, or None.
    """
    rows = np.zeros((len(stroke), 8), np.float32)
    if before is not None:
        rows[0, :3] = [*(stroke[0] - before[-1]), 1]
    rows[:, 3] = stroke[:, 1]
    if len(stroke) > 1:
        steps = unit(np.diff(stroke, axis=0))
        first, second = np.vstack([steps[:1], steps]), np.vstack([steps, steps[-1:]])
        rows[:, 4:6], rows[:, 6] = unit(first + second), (first * second).sum(axis=1)
        rows[:, 7] = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    return rows


graphs, signature = open_export(sys.argv[1])
ink = json.loads(Path(sys.argv[2]).read_text("utf-8"))["strokes"]
word = [resample(s, signature["spacing"]) for s in normalize([np.array(s, float) for s in ink])]
points = np.concatenate(
    [features(s, before) for s, before in zip(word, [None, *word[:-1]], strict=True)]
)
lengths = np.array([len(points)], np.int32)
print(best_text(graphs["model"](strokes=points[np.newaxis], lengths=lengths), signature))
