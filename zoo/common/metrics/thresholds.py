"""Precision and recall of each class over thresholds of its probability; choice of a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

THRESHOLDS = np.arange(1, 100) / 100
# Number of classes in a picture: those with the most examples.
MAX_PANELS = 20
COLUMNS = 4


@dataclass(frozen=True)
class Operation:
    """Precision, recall and F1 of a class at each of `THRESHOLDS`.

    A class is detected where it is the most probable one besides the background and its probability is
    at least the threshold.

    Args:
        label: the class.
        examples: number of its examples.
        precision: float [thresholds]; NaN where the class is never detected.
        recall: float [thresholds].
        f1: float [thresholds].
    """

    label: str
    examples: int
    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per threshold; the precision is None where the class is never detected."""
        columns = zip(THRESHOLDS, self.precision, self.recall, self.f1, strict=True)
        return [
            {
                "class": self.label,
                "threshold": float(threshold),
                "precision": None if np.isnan(precision) else round(float(precision), 4),
                "recall": round(float(recall), 4),
                "f1": round(float(f1), 4),
            }
            for threshold, precision, recall, f1 in columns
        ]


def operations(
    references: Sequence[str], probabilities: np.ndarray, labels: Sequence[str], background: str
) -> list[Operation]:
    """Return the operation of each class that has examples, except the background.

    Args:
        references: the true class of each example.
        probabilities: float [examples, classes]; a row of zeros for an unreadable example.
        labels: names of the classes.
        background: the class that is never detected; empty if there is none.
    """
    names = np.array(references)
    shown = np.array(probabilities, float)
    if background in labels:
        shown[:, list(labels).index(background)] = -1
    best, confidence = shown.argmax(axis=1), shown.max(axis=1)
    found = []
    for index, label in enumerate(labels):
        positive = names == label
        if label == background or not positive.any():
            continue
        detected = (best == index)[:, None] & (confidence[:, None] >= THRESHOLDS)
        hits, total = (detected & positive[:, None]).sum(axis=0), detected.sum(axis=0)
        recall = hits / positive.sum()
        precision = np.where(total, hits / np.maximum(total, 1), np.nan)
        f1 = 2 * hits / (total + positive.sum())
        found.append(Operation(label, int(positive.sum()), precision, recall, f1))
    return found


def best_threshold(found: Sequence[Operation]) -> tuple[float, float]:
    """Return the threshold with the highest mean F1 of the classes, and that F1.

    Of equal thresholds, it is the middle one.
    """
    mean = np.mean([one.f1 for one in found], axis=0)
    (equal,) = np.nonzero(mean >= mean.max() - 1e-12)
    middle = equal[len(equal) // 2]
    return float(THRESHOLDS[middle]), float(mean[middle])


def thresholds_figure(found: Sequence[Operation], chosen: float) -> Figure:
    """Return a figure with precision and recall of each class over the thresholds.

    Args:
        found: the classes, at least one.
        chosen: a threshold to mark.
    """
    from zoo.common.utils.plots import figure

    shown = sorted(found, key=lambda one: -one.examples)[:MAX_PANELS]
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    picture = figure(figsize=(max(4.5, 3 * columns), 2.6 * rows + 0.4))
    panels = picture.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, one in zip(panels, shown, strict=False):
        axes.plot(THRESHOLDS, one.precision, color="tab:blue", label="precision")
        axes.plot(THRESHOLDS, one.recall, "--", color="tab:orange", label="recall")
        axes.axvline(chosen, color="tab:gray", linestyle=":", label=f"threshold {chosen:g}")
        axes.set_title(f"{one.label}, {one.examples} examples", fontsize=9)
        axes.set(xlim=(0, 1), ylim=(-0.02, 1.02))
        axes.grid(alpha=0.3)
    for axes in panels[len(shown) :]:
        axes.axis("off")
    panels[0].legend(fontsize=8, loc="lower left")
    picture.supxlabel("confidence", fontsize=10)
    return picture
