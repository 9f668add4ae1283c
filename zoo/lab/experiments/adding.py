"""The adding problem: add two marked numbers of a long sequence at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo.common.utils.plots import figure
from zoo.lab import lags
from zoo.lab.experiment import Outcome, register_experiment
from zoo.lab.lag_figures import draw_grid, draw_losses

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

# The squared error of the constant answer 1: the variance of a sum of two numbers from 0 to 1.
CHANCE = 1 / 6


def sequences(random: np.random.Generator, count: int, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences of the adding problem (Hochreiter & Schmidhuber 1997, section 5.4).

    Args:
        random: the random generator.
        count: number of sequences.
        lag: number of time steps. One marked number is in the first half, one in the second half.

    Returns:
        x float32 [count, lag, 2], numbers from 0 to 1 and their marks, 0 or 1; y float32 [count, 1],
        the sum of the two marked numbers.
    """
    x = np.zeros((count, lag, 2), np.float32)
    x[..., 0] = random.random((count, lag))
    rows, half = np.arange(count), lag // 2
    x[rows, random.integers(0, half, count), 1] = 1
    x[rows, random.integers(half, lag, count), 1] = 1
    return x, (x[..., 0] * x[..., 1]).sum(axis=1, keepdims=True)


def _sum(outputs: keras.KerasTensor) -> keras.KerasTensor:
    import keras

    return keras.layers.Dense(1)(outputs[:, -1])


PROBLEM = lags.Problem(
    sequences,
    features=2,
    build_output=_sum,
    loss="mean_squared_error",
    unit="squared error",
    target=0.02,
    chance=CHANCE,
    units=32,
    lags=(10, 25, 50, 100),
    updates=1500,
)


@register_experiment("adding", seconds=75)
def adding() -> Outcome:
    """Find the longest sequence over which each cell learns to add two numbers."""
    trials = lags.try_cells(PROBLEM)
    figures = {
        "adding": _draw(trials),
        "losses": draw_losses(PROBLEM, trials),
    }
    return Outcome(lags.numbers(PROBLEM, trials), figures, lags.text(PROBLEM, trials))


def _draw(trials: list[lags.Trial]) -> Figure:
    """Draw a sequence of the problem, and below it what each cell learnt."""
    picture = figure(figsize=(9.5, 6))
    above, below = picture.subplots(2, 1, height_ratios=(2, 3))
    x, y = sequences(np.random.default_rng(lags.SEED), 1, 50)
    values, marked = x[0, :, 0], x[0, :, 1] > 0
    steps = np.arange(1, 51)
    above.bar(steps, values, color="lightgray", label="numbers to ignore")
    above.bar(steps[marked], values[marked], color="tab:red", label="marked numbers")
    parts = " + ".join(f"{value:.2f}" for value in values[marked])
    above.set(
        title=f"A sequence of lag 50, and the answer after its last step: {parts} = {y[0, 0]:.2f}",
        xlabel="time step",
        ylabel="number",
        xlim=(0, 51),
        ylim=(0, 1.02),
    )
    above.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    draw_grid(below, PROBLEM, trials)
    return picture
