"""Pictures every task shares."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def figure(**arguments) -> Figure:
    """A figure that needs no display; save it with `savefig`."""
    from matplotlib.figure import Figure

    return Figure(layout="constrained", **arguments)


def plot_learning_curves(history: list[dict[str, float]], metric: str, path: Path) -> None:
    """Training loss, dev metric and learning rate over the epochs of a run, as a PNG."""
    epochs = [row["epoch"] for row in history]
    plot = figure(figsize=(7, 6))
    loss, dev, rate = plot.subplots(3, 1, sharex=True, height_ratios=(3, 3, 1))
    loss.plot(epochs, [row["loss"] for row in history], color="tab:blue")
    loss.set(ylabel="training loss", yscale="log")
    values = [row[metric] for row in history]
    best = min(range(len(values)), key=values.__getitem__)
    dev.plot(epochs, values, color="tab:orange")
    dev.plot(epochs[best], values[best], "o", color="tab:red")
    dev.annotate(
        f"best {values[best]:.4g}, epoch {epochs[best]}",
        (epochs[best], values[best]),
        xytext=(0, 12),
        textcoords="offset points",
        ha="right" if best > len(values) / 2 else "left",
    )
    dev.set(ylabel=f"dev {metric}", ylim=(0, max(values) * 1.05 or 1))
    rate.plot(epochs, [row["learning_rate"] for row in history], color="tab:gray")
    rate.set(ylabel="rate", xlabel="epoch")
    for axes in (loss, dev, rate):
        axes.grid(alpha=0.3)
    plot.savefig(path, dpi=110)
