"""Drawings as pictures: a sheet of them as SVG, or as a PNG."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.common.core.formats import Format
from zoo.common.utils.plots import figure, save
from zoo.vision_language.handwriting.ink import split_strokes

# Of the SVG, in its own units: a drawing's cell, and the part of it around the drawing.
CELL, MARGIN, LINE = 100.0, 10.0, 2.0
# Of the PNG, in inches.
INCHES = 0.9


def svg_lines(answers: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of one SVG with all drawings of answers, in rows, each at its own size.

    Args:
        answers: with `drawings`, as of `StrokeGeneration.answer`; those with an `error` have none.
    """
    drawings = [drawing for answer in answers for drawing in answer.get("drawings", ())]
    columns, rows = _grid(len(drawings))
    width, height = columns * CELL, rows * CELL
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}">'
    )
    yield f'<rect width="{width:g}" height="{height:g}" fill="white"/>'
    yield f'<g fill="none" stroke="black" stroke-width="{LINE:g}" stroke-linecap="round">'
    for i, drawing in enumerate(drawings):
        corner = np.array([i % columns, i // columns]) * CELL
        yield f'<path d="{_path(drawing, corner)}"/>'
    yield "</g></svg>"


SVG = Format(".svg", svg_lines)


def plot_drawings(drawings: Sequence[np.ndarray], path: Path) -> None:
    """Draw drawings, points [points, 3] each, in rows, each at its own size, as a PNG."""
    columns, rows = _grid(len(drawings))
    picture = figure(figsize=(columns * INCHES, rows * INCHES))
    for axes in picture.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, points in zip(picture.axes, drawings, strict=False):
        for stroke in split_strokes(points):
            axes.plot(*stroke.T, "k-" if len(stroke) > 1 else "k.", linewidth=1.2, markersize=2)
        axes.set_aspect("equal", adjustable="datalim")
        axes.invert_yaxis()  # y grows downwards, as on a screen
    save(picture, path)


def _grid(count: int) -> tuple[int, int]:
    """Columns and rows of a sheet about as high as it is wide."""
    columns = max(1, math.ceil(math.sqrt(count)))
    return columns, max(1, math.ceil(count / columns))


def _path(drawing: Sequence[Sequence[Sequence[float]]], corner: np.ndarray) -> str:
    """Strokes as the commands of a path in a cell; a dot is a line without length, with round ends."""
    strokes = [np.array(stroke) for stroke in drawing]
    low, high = np.concatenate(strokes).min(axis=0), np.concatenate(strokes).max(axis=0)
    size = max(*(high - low), 1e-9)
    middle = corner + CELL / 2
    commands = []
    for stroke in strokes:
        stroke = middle + (stroke - (low + high) / 2) * ((CELL - 2 * MARGIN) / size)
        stroke = np.repeat(stroke, 2, axis=0) if len(stroke) == 1 else stroke
        commands.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in stroke))
    return "".join(commands)
