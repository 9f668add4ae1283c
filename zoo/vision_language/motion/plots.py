"""A clip with the answer over time, as a picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from zoo.common.runtime.keras_model import MODEL
from zoo.common.utils.plots import figure, save
from zoo.vision_language.motion.skeleton_files import BONES
from zoo.vision_language.motion.task import frame_probabilities

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe

# How many frames are shown, and how many classes, those with the highest probability at some frame.
SHOWN, CLASSES = 8, 5


def plot_clip(
    graphs: Graphs,
    recipe: Recipe,
    source: str,
    path: Path,
    panel: Callable[[Axes, np.ndarray, int], None],
) -> None:
    """Draw frames of a clip at even distances, and below them the probability of classes over time.

    Args:
        graphs: of a preset. recipe: its data is `Clips`, its task `FrameClasses`.
        source: of `read_input`. path: of the PNG.
        panel: draws on axes, of all frames of the clip, that of a number.

    Raises:
        ZooError: the input cannot be read, or the picture not be written.
    """
    item, symbols = recipe.data.read_input(source, recipe), recipe.data.labels.symbols
    outputs = graphs[MODEL](**recipe.data.collate([item]))
    probabilities = frame_probabilities(outputs)
    times, frames = item["times"], item[recipe.data.frames]

    picture = figure(figsize=(11, 5.5))
    above, below = picture.subfigures(2, 1, height_ratios=(2, 3))
    shown = np.linspace(0, len(frames) - 1, SHOWN).round().astype(int)
    for axes, frame in zip(above.subplots(1, SHOWN), shown, strict=True):
        panel(axes, frames, frame)
        name = symbols[int(probabilities[frame].argmax())]
        axes.set_title(f"{times[frame]:.2f} s\n{name}", fontsize=8)
        axes.set(xticks=[], yticks=[])
    above.suptitle(f"the whole: {symbols[int(outputs['logits'][0].argmax())]}")
    axes = below.subplots()
    best = np.argsort(-probabilities.max(axis=0), kind="stable")[:CLASSES]
    for i in best:
        axes.stairs(probabilities[:, i], times, label=symbols[i], linewidth=1.8)
    axes.vlines(times[shown], 0, 1, color="0.85", linewidth=0.8, zorder=0)
    axes.set(xlabel="seconds", ylabel="probability", ylim=(0, 1.02), xlim=(times[0], times[-1]))
    axes.legend(loc="upper left", fontsize=8)
    save(picture, path)


def skeleton_panel(axes: Axes, frames: np.ndarray, number: int) -> None:
    """Draw a skeleton as its camera sees it, at the scale of all frames [frames, 60]."""
    points = frames.reshape(len(frames), -1, 3)
    for first, second in BONES:
        axes.plot(*points[number, (first, second), :2].T, color="tab:blue", linewidth=1.6)
    axes.plot(*points[number, :, :2].T, "o", color="tab:red", markersize=2)
    low, high = points[:, :, :2].min(axis=(0, 1)), points[:, :, :2].max(axis=(0, 1))
    margin = 0.05 * (high - low).max()
    axes.set(xlim=(low[0] - margin, high[0] + margin), ylim=(low[1] - margin, high[1] + margin))
    axes.set_aspect("equal")


def picture_panel(axes: Axes, frames: np.ndarray, number: int) -> None:
    """Draw a picture of frames [frames, size, size, 3], with values from 0 to 255."""
    axes.imshow(frames[number].astype(np.uint8))
