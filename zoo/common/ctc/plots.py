"""Plot the alignment of labels with the frames of a CTC model: posteriors, spikes and best path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common.ctc.alignment import Alignment
from zoo.common.data.labels import BLANK_INDEX, Labels
from zoo.common.decoding.generation import log_softmax

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SPACE, SPACE_SIGN = " ", "␣"


def colours(labels: Sequence[int]) -> dict[int, Any]:
    """Return a colour for each label. Labels next to each other have very different hues."""
    import matplotlib

    ordered = sorted(set(labels))
    hues = (np.arange(len(ordered)) * 0.618034) % 1.0
    return {
        label: matplotlib.colors.hsv_to_rgb((hue, 0.9, 0.65 + 0.2 * (i % 2)))
        for i, (label, hue) in enumerate(zip(ordered, hues, strict=True))
    }


def draw_path(
    axes: Axes, path: Alignment, found: Sequence[int], labels: Labels, edges: np.ndarray
) -> None:
    """Draw the best path: a bar with the symbol over the frames of each label.

    Args:
        axes: Matplotlib axes to draw into.
        path: the alignment of `found`.
        found: labels without blanks.
        labels: the labels of the model.
        edges: float [frames + 1], the begin of each frame and the end of the last one.
    """
    hue = colours(found)
    symbols = [symbol.replace(SPACE, SPACE_SIGN) for symbol in labels.decode(found)]
    long = max(map(len, symbols), default=1) > 1
    for i, (label, symbol) in enumerate(zip(found, symbols, strict=True)):
        begin, end = edges[path.first[i]], edges[path.last[i] + 1]
        # Symbols of several letters are wider than their frames: every second one is drawn lower.
        height = (0.72, 0.28)[i % 2] if long else 0.5
        axes.axvspan(begin, end, color=hue[label], alpha=0.3, linewidth=0)
        axes.text(
            (begin + end) / 2, height, symbol, ha="center", va="center", color=hue[label],
            weight="bold", fontsize=8 if long else 10,
        )  # fmt: skip
    axes.set(ylim=(0, 1), yticks=[], ylabel="best\npath")


def draw_posteriors(
    axes: Axes, logits: np.ndarray, found: Sequence[int], labels: Labels, edges: np.ndarray
) -> None:
    """Draw the posterior of each label in `found`, and of the blank as a dotted line.

    Args:
        axes: Matplotlib axes to draw into.
        logits: float [frames, vocabulary_size].
        found: labels without blanks.
        labels: the labels of the model.
        edges: float [frames + 1], the begin of each frame and the end of the last one.
    """
    posteriors = np.exp(log_softmax(np.asarray(logits, np.float64), np))
    centres = (edges[:-1] + edges[1:]) / 2
    axes.plot(centres, posteriors[:, BLANK_INDEX], ":", color="gray", label="blank")
    for label, colour in colours(found).items():
        axes.plot(centres, posteriors[:, label], color=colour, clip_on=False)
    if SPACE in labels.decode(found):
        axes.plot([], [], " ", label=f"{SPACE_SIGN}  the space between words")
    axes.set(ylabel="posterior", ylim=(0, 1))
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.16), ncols=2, frameon=False)
