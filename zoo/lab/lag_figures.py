"""Draw which cell learnt which lag, and its loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from zoo.common.utils.plots import figure
from zoo.lab.lags import BLOCK, Problem, Trial

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEARNT, NOT_LEARNT, NOT_TRIED = "#bfe3b9", "#f4c2bd", "#f3f3f3"


def draw_grid(axes: Axes, problem: Problem, trials: Sequence[Trial]) -> None:
    """Draw a table of the updates until a lag was learnt: one row per cell, one column per lag."""
    from matplotlib.patches import Patch, Rectangle

    cells = list(dict.fromkeys(trial.cell for trial in trials))
    found = {(trial.cell, trial.lag): trial for trial in trials}
    for row, cell in enumerate(cells):
        for column, lag in enumerate(problem.lags):
            trial = found.get((cell, lag))
            color, words = NOT_TRIED, ""
            if trial:
                learnt = trial.learnt_after is not None
                color = LEARNT if learnt else NOT_LEARNT
                words = f"{trial.learnt_after}" if learnt else f"loss {trial.losses[-1]:.2g}"
            axes.add_patch(Rectangle((column, row), 1, 1, facecolor=color, edgecolor="white", lw=3))
            axes.text(column + 0.5, row + 0.5, words, ha="center", va="center", fontsize=10)
    axes.set(
        xlim=(0, len(problem.lags)),
        ylim=(len(cells), 0),
        xlabel="lag, time steps",
        title=f"Updates until learnt ({problem.unit} at most {problem.target}), of {problem.updates}",
    )
    axes.set_xticks(np.arange(len(problem.lags)) + 0.5, [str(lag) for lag in problem.lags])
    axes.set_yticks(np.arange(len(cells)) + 0.5, cells)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    colors = {"learnt": LEARNT, "not learnt": NOT_LEARNT, "not tried": NOT_TRIED}
    axes.legend(
        handles=[Patch(facecolor=color, label=name) for name, color in colors.items()],
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        frameon=False,
    )


def draw_losses(problem: Problem, trials: Sequence[Trial]) -> Figure:
    """Draw the loss of each cell over the updates, one line per lag."""
    import matplotlib
    from matplotlib.lines import Line2D

    cells = list(dict.fromkeys(trial.cell for trial in trials))
    shades = matplotlib.colormaps["viridis"](np.linspace(0, 0.9, len(problem.lags)))
    columns = min(len(cells), 5)
    rows = -(-len(cells) // columns)
    picture = figure(figsize=(3.0 * columns, 0.8 + 3.0 * rows))
    plots = np.ravel(picture.subplots(rows, columns, sharex=True, sharey=True))
    for axes in plots[len(cells) :]:
        axes.remove()
    for axes, cell in zip(plots, cells, strict=False):
        for trial in trials:
            if trial.cell != cell:
                continue
            updates = BLOCK * np.arange(1, len(trial.losses) + 1)
            shade = shades[list(problem.lags).index(trial.lag)]
            axes.plot(updates, trial.losses, color=shade, marker=".", markersize=4)
        axes.axhline(problem.chance, color="gray", linestyle=":")
        axes.axhline(problem.target, color="tab:green", linestyle="--")
        axes.set(title=cell, xlabel="updates", yscale="log")
        axes.grid(alpha=0.3)
    plots[0].set_ylabel(f"{problem.unit}, new sequences")
    lines = [
        *(Line2D([], [], color=shade) for shade in shades),
        Line2D([], [], color="gray", linestyle=":"),
        Line2D([], [], color="tab:green", linestyle="--"),
    ]
    names = [*(f"lag {lag}" for lag in problem.lags), "chance", "learnt"]
    picture.legend(lines, names, loc="outside lower center", ncols=len(names))
    return picture
