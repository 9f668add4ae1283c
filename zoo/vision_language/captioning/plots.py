"""Images with their captions, as a sheet to look at."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.tasks.sequence_to_sequence import ENCODER, STEP, decode
from zoo.common.utils.plots import figure, save
from zoo.vision_language.captioning.images import read_image
from zoo.vision_language.captioning.vgg16 import SHAPE

if TYPE_CHECKING:
    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe

COLUMNS, SHOWN = 4, 16
WORD_COLUMNS = 6
ATTENTION = "attention"


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


def plot_attention(recipe: Recipe, graphs: Graphs, source: str, path: Path) -> Path:
    """Draw a PNG: an image, and for each word of its caption the places that counted for it.

    Args:
        recipe: of a captioner with the step output `attention`. source: an image file.

    Raises:
        ZooError: the image cannot be read, or the captioner has no attention.
    """
    if ATTENTION not in {spec.name for spec in recipe.model.step_outputs}:
        raise ZooError(f"{recipe.name} has no attention to draw.")
    item = recipe.data.read_input(source, recipe)
    states = graphs[ENCODER](**recipe.data.collate([item]))
    decoded = decode(recipe, graphs[STEP], states, np)
    count = int(decoded.lengths[0, 0])
    tokens = recipe.data.vocabulary.decode(decoded.tokens[0, 0, :count])
    lines = -(-(count + 1) // WORD_COLUMNS)
    picture = figure(figsize=(2.2 * WORD_COLUMNS, 2.5 * lines))
    plots = picture.subplots(lines, WORD_COLUMNS, squeeze=False).ravel()
    for axes in plots:
        axes.axis("off")
    pixels = item["image"].astype(np.uint8)
    plots[0].imshow(pixels)
    extent = (0, pixels.shape[1], pixels.shape[0], 0)
    for axes, token, weights in zip(
        plots[1:], tokens, decoded.extras[ATTENTION][0, 0], strict=False
    ):
        axes.imshow(pixels)
        grid = weights.reshape(SHAPE[:2])
        axes.imshow(grid, cmap="magma", alpha=0.6, extent=extent, interpolation="bilinear", vmin=0)
        axes.set_title(f"{token}  {weights.max():.2f}", fontsize=10)
    picture.suptitle(" ".join(tokens), fontsize=11)
    return save(picture, path)
