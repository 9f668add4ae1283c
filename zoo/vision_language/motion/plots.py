"""Draw a clip and the answers over time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common.core.predictor import Predictor
from zoo.common.runtime.keras_model import MODEL
from zoo.common.tasks.frames import frame_probabilities
from zoo.common.utils.plots import figure, save
from zoo.vision_language.motion.data import Clips
from zoo.vision_language.motion.skeleton_files import BONES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Number of frames, and number of classes, those with the highest probability at any frame.
NUM_FRAMES, NUM_CLASSES = 8, 5


def plot_clip(
    predictor: Predictor[Clips, Any, Any],
    source: Any,
    path: Path,
    panel: Callable[[Axes, np.ndarray, int], None],
) -> None:
    """Draw frames of a clip at even distances, and below them the probabilities of classes over time.

    Args:
        predictor: the trained model, whose task is `FrameClasses`.
        source: an input of `Clips.read_input`.
        path: the PNG file to write.
        panel: draws one frame. Its arguments are axes, all frames of the clip, and the index of the
            frame.

    Raises:
        ZooError: the input cannot be read, or the file cannot be written.
    """
    data = predictor.data
    item, symbols = data.read_input(source, predictor.model), data.labels.symbols
    outputs = predictor.graphs[MODEL](**data.collate([item]))
    (probabilities,) = frame_probabilities(outputs)
    times, frames = item["times"], item[data.frames]

    picture = figure(figsize=(11, 5.5))
    above, below = np.asarray(picture.subfigures(2, 1, height_ratios=(2, 3)))
    shown = np.linspace(0, len(frames) - 1, NUM_FRAMES).round().astype(int)
    for axes, frame in zip(above.subplots(1, NUM_FRAMES), shown, strict=True):
        panel(axes, frames, frame)
        name = symbols[int(probabilities[frame].argmax())]
        axes.set_title(f"{times[frame]:.2f} s\n{name}", fontsize=8)
        axes.set(xticks=[], yticks=[])
    above.suptitle(f"whole clip: {symbols[int(outputs['logits'][0].argmax())]}")
    axes = below.subplots()
    best = np.argsort(-probabilities.max(axis=0), kind="stable")[:NUM_CLASSES]
    for i in best:
        axes.stairs(probabilities[:, i], times, label=symbols[i], linewidth=1.8)
    axes.vlines(times[shown], 0, 1, color="0.85", linewidth=0.8, zorder=0)
    axes.set(xlabel="seconds", ylabel="probability", ylim=(0, 1.02), xlim=(times[0], times[-1]))
    axes.legend(loc="upper left", fontsize=8)
    save(picture, path)


def skeleton_panel(axes: Axes, frames: np.ndarray, index: int) -> None:
    """Draw one skeleton, seen from the camera, at the scale of all frames.

    Args:
        axes: axes to draw into.
        frames: float [frames, 60].
        index: index of the frame.
    """
    points = frames.reshape(len(frames), -1, 3)
    for first, second in BONES:
        axes.plot(*points[index, (first, second), :2].T, color="tab:blue", linewidth=1.6)
    axes.plot(*points[index, :, :2].T, "o", color="tab:red", markersize=2)
    low, high = points[:, :, :2].min(axis=(0, 1)), points[:, :, :2].max(axis=(0, 1))
    margin = 0.05 * (high - low).max()
    axes.set(xlim=(low[0] - margin, high[0] + margin), ylim=(low[1] - margin, high[1] + margin))
    axes.set_aspect("equal")


def picture_panel(axes: Axes, frames: np.ndarray, index: int) -> None:
    """Draw one picture of a video.

    Args:
        axes: axes to draw into.
        frames: float [frames, size, size, 3], from 0 to 255.
        index: index of the frame.
    """
    axes.imshow(frames[index].astype(np.uint8))
