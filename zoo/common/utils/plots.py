"""Create and save figures, and draw the learning curves of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.common.core.metrics import best
from zoo.common.utils.files import atomic_file
from zoo.common.utils.packages import import_package

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def figure(**arguments: Any) -> Figure:
    """Return a matplotlib figure that needs no display. `save` writes it.

    Args:
        arguments: arguments of `matplotlib.figure.Figure`.

    Raises:
        ZooError: matplotlib is not installed.
    """
    pictures = import_package("matplotlib.figure", "matplotlib", "plot")
    return pictures.Figure(layout="constrained", **arguments)


def save(picture: Figure, path: Path) -> Path:
    """Write a figure as a PNG file atomically, and return the path."""
    with atomic_file(path) as temporary:
        picture.savefig(temporary, dpi=110)
    return path


def plot_learning_curves(history: list[dict[str, float]], metric: str, path: Path) -> None:
    """Draw training loss, dev metric and learning rate over the epochs of a run.

    Args:
        history: one row per epoch with the keys `epoch`, `loss`, `learning_rate` and `metric`.
        metric: name of the dev metric that chooses the best epoch.
        path: the PNG file to write.
    """
    from matplotlib.ticker import MaxNLocator

    epochs = [row["epoch"] for row in history]
    picture = figure(figsize=(7, 6))
    loss, dev, rate = picture.subplots(3, 1, sharex=True, height_ratios=(3, 3, 1))
    loss.plot(epochs, [row["loss"] for row in history], color="tab:blue")
    loss.set(ylabel="training loss")
    chosen = best(history, metric)
    dev.plot(epochs, [row[metric] for row in history], color="tab:orange")
    dev.plot(chosen["epoch"], chosen[metric], "o", color="tab:red")
    # In the title, so that it covers no curve.
    words = f"best {chosen[metric]:.4g}, epoch {chosen['epoch']:g}"
    dev.set_title(words, loc="right", fontsize="medium", color="tab:red")
    dev.set(ylabel=f"dev {metric}")
    rate.plot(epochs, [row["learning_rate"] for row in history], color="tab:gray")
    rate.set(ylabel="rate", xlabel="epoch")
    rate.xaxis.set_major_locator(MaxNLocator(integer=True))
    for axes in (loss, dev, rate):
        axes.grid(alpha=0.3)
    save(picture, path)
