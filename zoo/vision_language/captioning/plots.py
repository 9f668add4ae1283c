"""Plots: images with their captions, and the attention of each word."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.core.predictor import Predictor
from zoo.common.core.states import STEP
from zoo.common.tasks.sequence_to_sequence import ENCODER, decode
from zoo.common.utils.plots import figure, save
from zoo.vision_language.captioning.images import ImageSource, read_image
from zoo.vision_language.captioning.vgg16 import SHAPE

COLUMNS, SHOWN = 4, 16
WORD_COLUMNS = 6
ATTENTION = "attention"


def plot_captions(rows: list[dict[str, Any]], path: Path) -> Path:
    """Draw images of an evaluation as a PNG file, at equal ranks from the best to the worst CIDEr.

    The generated caption is above each image, and a reference caption in grey below it.

    Args:
        rows: rows of an evaluation, with `image`, `output`, `references` and `cider`; rows with an
            `error` are left out.
        path: the file to write.

    Returns:
        The path.

    Raises:
        ZooError: an image cannot be read.
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
        reference = textwrap.fill(row["references"][0], 40)
        axes.text(0, -0.03, reference, transform=axes.transAxes, fontsize=8, color="gray", va="top")
    return save(picture, path)


def has_attention(predictor: Predictor[Any, Any, Any]) -> bool:
    """Return whether a captioner returns attention weights."""
    return ATTENTION in {spec.name for spec in predictor.model.step_outputs}


def plot_attention(predictor: Predictor[Any, Any, Any], source: ImageSource, path: Path) -> Path:
    """Draw an image and the regions that each word of its caption attends to, as a PNG file.

    Args:
        predictor: a captioner with the step output `attention`.
        source: an image, see `read_image`.
        path: the file to write.

    Returns:
        The path.

    Raises:
        ZooError: the image cannot be read, or the captioner has no attention.
    """
    if not has_attention(predictor):
        raise ZooError(f"{predictor.name} has no attention to draw.")
    item = predictor.data.read_input(source, predictor.model)
    states = predictor.graphs[ENCODER](**predictor.data.collate([item]))
    decoded = decode(predictor, predictor.graphs[STEP], states, np)
    count = int(decoded.lengths[0, 0])
    tokens = predictor.data.vocabulary.decode(decoded.tokens[0, 0, :count])
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
