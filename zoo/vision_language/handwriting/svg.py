"""Write drawings as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from zoo.common.core.formats import Format

# Size of the cell of a drawing, margin in the cell, and width of lines, in SVG units.
CELL, MARGIN, LINE = 100.0, 10.0, 2.0


def svg_lines(answers: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of one SVG file with all drawings of answers, in rows, each at its own scale.

    Args:
        answers: answers of `StrokeGeneration`. Those with an `error` have no drawings.
    """
    drawings = [drawing for answer in answers for drawing in answer.get("drawings", ())]
    columns, rows = grid(len(drawings))
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


def grid(count: int) -> tuple[int, int]:
    """Return the numbers of columns and rows of a page that is about as high as wide."""
    columns = max(1, math.ceil(math.sqrt(count)))
    return columns, max(1, math.ceil(count / columns))


def _path(drawing: Sequence[Sequence[Sequence[float]]], corner: np.ndarray) -> str:
    """Return strokes as commands of a path in a cell. A dot is a line of length 0 with round ends."""
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
