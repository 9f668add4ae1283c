"""What a captioner says of images, as a sheet to look at."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.common.plots import figure
from zoo.vision_language.corpora import Example
from zoo.vision_language.images import read_image

if TYPE_CHECKING:
    from zoo.common.presets import Preset

COLUMNS = 4


def plot_captions(preset: Preset, examples: Sequence[Example], path: Path) -> None:
    """Writes a PNG: each image, what the preset says of it, and in grey what a person wrote.

    Raises `ZooError` if an image cannot be read.
    """
    answers = preset.predict([str(example.image) for example in examples])
    rows = -(-len(examples) // COLUMNS)
    picture = figure(figsize=(3.2 * COLUMNS, 4.1 * rows))
    plots = picture.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axes in plots:
        axes.axis("off")
    for axes, example, answer in zip(plots, examples, answers, strict=False):
        axes.imshow(read_image(example.image))
        axes.set_title(textwrap.fill(answer["output"], 36), fontsize=9, loc="left")
        person = textwrap.fill(example.captions[0], 40)
        axes.text(0, -0.03, person, transform=axes.transAxes, fontsize=8, color="gray", va="top")
    picture.savefig(path, dpi=100)
