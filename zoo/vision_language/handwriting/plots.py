"""Pen strokes with the letters they are read as, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.common.ctc.alignment import Alignment, align
from zoo.common.ctc.plots import colours, draw_path, draw_posteriors
from zoo.common.runtime.keras_model import MODEL
from zoo.common.utils.plots import figure, save
from zoo.vision_language.handwriting.ink import read_ink
from zoo.vision_language.handwriting.stroke_features import preprocess

if TYPE_CHECKING:
    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe


def plot_ink(graphs: Graphs, recipe: Recipe, source: str, path: Path) -> None:
    """Draw a word in the colours of its letters, as a PNG; below it the best path and the posteriors.

    Args:
        graphs: of a preset. recipe: its data is `PenStrokes`, its task `CTC`.
        source: a JSON file of points or strokes. path: of the PNG.

    Raises:
        ZooError: the file cannot be read, or holds no ink.
    """
    item, labels = recipe.data.read_input(source, recipe), recipe.data.labels
    strokes = preprocess(read_ink(Path(source)), recipe.data.spacing)
    outputs = graphs[MODEL](**recipe.data.collate([item]))
    logits = outputs["logits"][0, : outputs["logit_lengths"][0]]
    found = recipe.task.transcriptions(logits, recipe)[0]
    best = align(logits, found.labels)
    points = sum(map(len, strokes))
    edges = np.arange(len(logits) + 1) * recipe.model.subsampling_factor

    picture = figure(figsize=(10, 8))
    above, middle, below = picture.subplots(3, 1, height_ratios=(6, 1, 4))
    hue = colours(found.labels)
    letter = _letter_of_points(best, edges, points)
    first = 0
    for stroke in strokes:
        numbers = letter[first : first + len(stroke)]
        first += len(stroke)
        for i in range(len(stroke)):
            colour = hue[found.labels[numbers[i]]] if numbers[i] >= 0 else "black"
            above.plot(*stroke[i : i + 2].T, "o-", color=colour, markersize=2, linewidth=2.5)
    above.set_title(f"read as: {found.text}", loc="left", family="monospace")
    above.set(aspect="equal", xticks=[], yticks=[])
    above.invert_yaxis()  # y grows downwards, as on a screen
    draw_path(middle, best, found.labels, labels, edges)
    draw_posteriors(below, logits, found.labels, labels, edges)
    for axes in (middle, below):
        axes.set_xlim(0, edges[-1])
    below.set_xlabel("point")
    save(picture, path)


def _letter_of_points(best: Alignment, edges: np.ndarray, points: int) -> np.ndarray:
    """The place of the label that each point belongs to: a border is half-way between two labels; -1
    where there are no labels."""
    borders = (edges[best.last[:-1] + 1] + edges[best.first[1:]]) / 2
    if not len(best.first):
        return np.full(points, -1)
    return np.searchsorted(borders, np.arange(points), side="right")
