"""Images with their captions, as a sheet to look at."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from zoo.common.utils.plots import figure, save
from zoo.vision_language.images import read_image

COLUMNS, SHOWN = 4, 16


def plot_captions(rows: list[dict[str, Any]], path: Path) -> Path:
    """Draw a PNG: images from the best to the worst by CIDEr, at equal distances.

    Each has the caption that was generated above it, and in grey one that a person wrote below.

    Args:
        rows: of an evaluation, with `image`, `output`, `references` and `cider`; those with an `error`
            are left out.

    Returns:
        The path.

    Raises:
        ZooError: an image cannot be read any more.
    """
    rows = sorted((row for row in rows if "error" not in row), key=lambda row: -row["cider"])
    count = min(SHOWN, len(rows))
    shown = [rows[i * (len(rows) - 1) // max(1, count - 1)] for i in range(count)]
    lines = max(1, -(-count // COLUMNS))
    picture = figure(figsize=(3.2 * COLUMNS, 4.1 * lines))
    plots = picture.subplots(lines, COLUMNS, squeeze=False).ravel()
    for axes in plots:
        axes.axis("off")
    for axes, row in zip(plots, shown, strict=False):
        axes.imshow(read_image(row["image"]))
        axes.set_title(textwrap.fill(row["output"], 36), fontsize=9, loc="left")
        person = textwrap.fill(row["references"][0], 40)
        axes.text(0, -0.03, person, transform=axes.transAxes, fontsize=8, color="gray", va="top")
    return save(picture, path)
