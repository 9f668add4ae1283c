"""Draw networks with boxes, arrows and vectors of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INPUT, STATE, OUTPUT, PLAIN = "#f6c6c0", "#c8e6c4", "#c5d8f5", "#eeeeee"
FORWARD, BACKWARD = "tab:blue", "tab:red"
CELL = 0.42  # the height of a number in a vector

Point = tuple[float, float]


def canvas(axes: Axes, width: float, height: float) -> None:
    """Set the size of axes, with equal units in both directions and without frame and ticks."""
    axes.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    axes.axis("off")


def box(
    axes: Axes,
    center: Point,
    text: str,
    *,
    color: str = PLAIN,
    width: float = 1.0,
    height: float = 0.6,
    edge: str = "#444444",
    size: float = 9,
) -> None:
    """Draw a rounded box with a text."""
    from matplotlib.patches import FancyBboxPatch

    x, y = center
    patch = FancyBboxPatch(
        (x - width / 2, y - height / 2),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.08",
        facecolor=color,
        edgecolor=edge,
    )
    axes.add_patch(patch)
    axes.text(x, y, text, ha="center", va="center", fontsize=size)


def vector(
    axes: Axes,
    center: Point,
    values: Sequence[float],
    *,
    color: str = PLAIN,
    colors: Sequence[str] | None = None,
    digits: int = 2,
    size: float = 8,
) -> float:
    """Draw a column of numbers, the first one at the top.

    Args:
        axes: where to draw.
        center: center of the column.
        values: the numbers.
        color: color of all cells.
        colors: color of each cell, instead of `color`.
        digits: digits after the decimal point.
        size: font size.

    Returns:
        Half the height of the column.
    """
    from matplotlib.patches import Rectangle

    x, y = center
    width, half = 0.9, CELL * len(values) / 2
    for i, value in enumerate(np.asarray(values, float)):
        below = y + half - CELL * (i + 1)
        fill = colors[i] if colors else color
        axes.add_patch(
            Rectangle((x - width / 2, below), width, CELL, facecolor=fill, edgecolor="#444444")
        )
        number = f"{value:.{digits}f}" if digits else f"{value:.0f}"
        axes.text(x, below + CELL / 2, number, ha="center", va="center", fontsize=size)
    return half


def arrow(
    axes: Axes,
    start: Point,
    end: Point,
    *,
    color: str = "#444444",
    label: str = "",
    offset: Point = (0.0, 0.0),
    style: str = "-|>",
    bend: float = 0.0,
    width: float = 1.3,
    size: float = 8,
) -> None:
    """Draw an arrow with a label at its middle, shifted by `offset`."""
    axes.annotate(
        "",
        xy=end,
        xytext=start,
        arrowprops={
            "arrowstyle": style,
            "color": color,
            "linewidth": width,
            "shrinkA": 0,
            "shrinkB": 0,
            "connectionstyle": f"arc3,rad={bend}",
        },
    )
    if label:
        middle = ((start[0] + end[0]) / 2 + offset[0], (start[1] + end[1]) / 2 + offset[1])
        axes.text(*middle, label, ha="center", va="center", fontsize=size, color=color)
