"""How well scores tell two classes apart, whatever the threshold: ROC, precision and recall."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def area_under_roc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Return the share of pairs of a positive and a negative example that scores put in order.

    By ranks (Mann & Whitney 1947); a tie counts as half.

    Args:
        scores: float [examples]. positive: bool [examples], of both kinds.
    """
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    # Of equal scores each has the mean of their ranks, which begin at 1.
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    hits = int(positive.sum())
    below = ranks[positive].sum() - hits * (hits + 1) / 2
    return float(below / (hits * (len(scores) - hits)))


def counts_by_threshold(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many positive and how many negative examples score a threshold or more.

    Args:
        scores, positive: as of `area_under_roc`.

    Returns:
        Two int arrays [different scores]: at each score that occurs, from the highest to the lowest.
    """
    thresholds, place = np.unique(-scores, return_inverse=True)
    size = len(thresholds)
    hits = np.bincount(place[positive], minlength=size)
    false_alarms = np.bincount(place[~positive], minlength=size)
    return np.cumsum(hits), np.cumsum(false_alarms)


def roc_figure(scores: np.ndarray, positive: np.ndarray, name: str) -> Figure:
    """Return the ROC curve as a figure: recall over the share of false alarms. `name`: the class."""
    hits, false_alarms = counts_by_threshold(scores, positive)
    recall, alarms = hits / hits[-1], false_alarms / false_alarms[-1]
    title = f"{name}: AUC {area_under_roc(scores, positive):.4f}, {len(scores)} examples"
    return _curve([0, *alarms], [0, *recall], [0, 1], ("false alarms / negatives", "recall"), title)


def precision_recall_figure(scores: np.ndarray, positive: np.ndarray, name: str) -> Figure:
    """Return precision over recall as a figure. `name`: the class."""
    hits, false_alarms = counts_by_threshold(scores, positive)
    recall, precision = hits / hits[-1], hits / (hits + false_alarms)
    # Each hit counts with the precision at its score.
    mean = float(np.sum(np.diff(recall, prepend=0) * precision))
    share = positive.mean()
    title = f"{name}: average precision {mean:.4f}, {int(positive.sum())} of {len(scores)} examples"
    return _curve(
        [0, *recall], [precision[0], *precision], [share] * 2, ("recall", "precision"), title
    )


def _curve(x: list, y: list, chance: list, names: tuple[str, str], title: str) -> Figure:
    from zoo.common.utils.plots import figure

    picture = figure(figsize=(5, 5))
    axes = picture.subplots()
    axes.plot([0, 1], chance, color="tab:gray", linestyle=":", label="chance")
    axes.plot(x, y, color="tab:blue")
    axes.set(xlabel=names[0], ylabel=names[1], xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend()
    return picture
