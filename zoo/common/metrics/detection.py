"""Metrics and figures of classes: confusion matrix; ROC, precision and recall of two classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def area_under_roc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Return the area under the ROC curve.

    It is the probability that a positive example has a higher score than a negative example, where a
    tie counts as half (Mann & Whitney 1947).

    Args:
        scores: float [examples].
        positive: bool [examples], with at least one example of each class.

    Examples:
        >>> scores = np.array([0.1, 0.4, 0.35, 0.8])
        >>> area_under_roc(scores, np.array([False, False, True, True]))
        0.75
    """
    from scipy.stats import rankdata

    num_positive = int(positive.sum())
    num_negative = len(scores) - num_positive
    rank_sum = rankdata(scores)[positive].sum()
    u_statistic = rank_sum - num_positive * (num_positive + 1) / 2
    return float(u_statistic / (num_positive * num_negative))


def counts_by_threshold(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of true positives and of false positives at each threshold.

    The thresholds are the different scores, from the highest to the lowest. An example is detected if
    its score is at least the threshold.

    Args:
        scores: float [examples].
        positive: bool [examples].

    Returns:
        Two int arrays [thresholds].
    """
    thresholds, indices = np.unique(-scores, return_inverse=True)
    size = len(thresholds)
    true_positives = np.bincount(indices[positive], minlength=size)
    false_positives = np.bincount(indices[~positive], minlength=size)
    return np.cumsum(true_positives), np.cumsum(false_positives)


def roc_figure(scores: np.ndarray, positive: np.ndarray, name: str) -> Figure:
    """Return a figure of the ROC curve: recall against the false positive rate.

    Args:
        scores: float [examples].
        positive: bool [examples], with at least one example of each class.
        name: name of the positive class.
    """
    hits, false_alarms = counts_by_threshold(scores, positive)
    recall, alarms = hits / hits[-1], false_alarms / false_alarms[-1]
    title = f"{name}: AUC {area_under_roc(scores, positive):.4f}, {len(scores)} examples"
    return _curve([0, *alarms], [0, *recall], [0, 1], ("false alarms / negatives", "recall"), title)


def precision_recall_figure(scores: np.ndarray, positive: np.ndarray, name: str) -> Figure:
    """Return a figure of precision against recall.

    Args:
        scores: float [examples].
        positive: bool [examples], with at least one positive example.
        name: name of the positive class.
    """
    hits, false_alarms = counts_by_threshold(scores, positive)
    recall, precision = hits / hits[-1], hits / (hits + false_alarms)
    # The average precision weights each precision by the increase in recall.
    average = float(np.sum(np.diff(recall, prepend=0) * precision))
    share = float(positive.mean())
    title = (
        f"{name}: average precision {average:.4f}, {int(positive.sum())} of {len(scores)} examples"
    )
    return _curve(
        [0, *recall], [precision[0], *precision], [share] * 2, ("recall", "precision"), title
    )


def confusion_figure(
    pairs: Sequence[tuple[str, str]], symbols: Sequence[str], title: str
) -> Figure:
    """Return a figure of the number of examples by true class and answer.

    Args:
        pairs: (true class, answer) of each example.
        symbols: names of the classes. Examples of other classes are not shown.
        title: title of the figure.
    """
    from zoo.common.utils.plots import figure

    index = {name: i for i, name in enumerate(symbols)}
    counts = np.zeros((len(symbols), len(symbols)), int)
    for reference, output in pairs:
        if reference in index:
            counts[index[reference], index[output]] += 1
    size = max(4.0, 0.5 * len(symbols) + 1.5)
    picture = figure(figsize=(size, size))
    axes = picture.subplots()
    axes.imshow(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), cmap="Blues")
    for i, j in zip(*np.nonzero(counts), strict=True):
        colour = "white" if counts[i, j] > counts[i].sum() / 2 else "black"
        axes.text(j, i, counts[i, j], ha="center", va="center", color=colour, fontsize=8)
    ticks = range(len(symbols))
    axes.set_xticks(ticks, symbols, rotation=90 if max(map(len, symbols)) > 2 else 0)
    axes.set_yticks(ticks, symbols)
    axes.set(xlabel="answer", ylabel="true class", title=title)
    return picture


def _curve(
    x: Sequence[float],
    y: Sequence[float],
    chance: Sequence[float],
    names: tuple[str, str],
    title: str,
) -> Figure:
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
