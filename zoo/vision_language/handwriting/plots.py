"""Draw handwritten words with the recognized letters, and generated drawings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.common.core.predictor import Predictor
from zoo.common.ctc.alignment import Alignment, align
from zoo.common.ctc.plots import colours, draw_path, draw_posteriors
from zoo.common.decoding.decoders import CTCSearch
from zoo.common.runtime.keras_model import MODEL
from zoo.common.tasks.ctc import CTC
from zoo.common.utils.plots import figure, save
from zoo.vision_language.handwriting.ink import read_ink, split_strokes
from zoo.vision_language.handwriting.stroke_features import preprocess
from zoo.vision_language.handwriting.svg import grid

# Side of one generated drawing.
INCHES = 0.9


def plot_ink(predictor: Predictor[Any, Any, CTCSearch], task: CTC, source: Any, path: Path) -> None:
    """Draw a word in the colours of its letters, and below it the best path and the posteriors.

    Args:
        predictor: the trained model, whose data is `PenStrokes`.
        task: the task of the model.
        source: an input of `PenStrokes.read_input`.
        path: the PNG file to write.

    Raises:
        ZooError: the input cannot be read, or it contains no ink.
    """
    data, model, labels = predictor.data, predictor.model, predictor.data.labels
    item = data.read_input(source, model)
    strokes = preprocess(read_ink(source), data.spacing)
    outputs = predictor.graphs[MODEL](**data.collate([item]))
    logits = outputs["logits"][0, : outputs["logit_lengths"][0]]
    found = task.transcriptions(logits, predictor.decoder, labels)[0]
    best = align(logits, found.labels)
    points = sum(map(len, strokes))
    edges = np.arange(len(logits) + 1) * model.subsampling_factor

    picture = figure(figsize=(10, 8))
    above, middle, below = picture.subplots(3, 1, height_ratios=(6, 1, 4))
    hue = colours(found.labels)
    letter = _letter_of_points(best, edges, points)
    first = 0
    for stroke in strokes:
        indices = letter[first : first + len(stroke)]
        first += len(stroke)
        for i in range(len(stroke)):
            colour = hue[found.labels[indices[i]]] if indices[i] >= 0 else "black"
            above.plot(*stroke[i : i + 2].T, "o-", color=colour, markersize=2, linewidth=2.5)
    above.set_title(f"recognized: {found.text}", loc="left", family="monospace")
    above.set(aspect="equal", xticks=[], yticks=[])
    above.invert_yaxis()  # y grows downwards, as on a screen
    draw_path(middle, best, found.labels, labels, edges)
    draw_posteriors(below, logits, found.labels, labels, edges)
    for axes in (middle, below):
        axes.set_xlim(0, edges[-1])
    below.set_xlabel("point")
    save(picture, path)


def plot_drawings(drawings: Sequence[np.ndarray], path: Path) -> None:
    """Draw several drawings in rows, each at its own scale.

    Args:
        drawings: float [points, 3] each, as `zoo.vision_language.handwriting.ink.parse_ink`.
        path: the PNG file to write.
    """
    columns, rows = grid(len(drawings))
    picture = figure(figsize=(columns * INCHES, rows * INCHES))
    for axes in picture.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, points in zip(picture.axes, drawings, strict=False):
        for stroke in split_strokes(points):
            axes.plot(*stroke.T, "k-" if len(stroke) > 1 else "k.", linewidth=1.2, markersize=2)
        axes.set_aspect("equal", adjustable="datalim")
        axes.invert_yaxis()  # y grows downwards, as on a screen
    save(picture, path)


def _letter_of_points(best: Alignment, edges: np.ndarray, points: int) -> np.ndarray:
    """Return the index of the label of each point, or -1 without labels.

    The border between two labels is in the middle between their frames.
    """
    if not len(best.first):
        return np.full(points, -1)
    borders = (edges[best.last[:-1] + 1] + edges[best.first[1:]]) / 2
    return np.searchsorted(borders, np.arange(points), side="right")
