"""The copy problem: repeat symbols after a long pause."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from zoo.common.utils.plots import figure
from zoo.lab import lags
from zoo.lab.experiment import Outcome, register_experiment
from zoo.lab.lag_figures import draw_grid, draw_losses

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

SYMBOLS, LENGTH = 8, 3
# Two more inputs: a pause, and the sign to answer.
PAUSE, GO = SYMBOLS, SYMBOLS + 1
CHANCE = math.log(SYMBOLS)


def sequences(random: np.random.Generator, count: int, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences of the copy problem (Hochreiter & Schmidhuber 1997; Arjovsky et al. 2016).

    Args:
        random: the random generator.
        count: number of sequences.
        lag: number of time steps between the last symbol and the sign to answer.

    Returns:
        x float32 [count, 2 * LENGTH + lag, SYMBOLS + 2], one-hot: LENGTH symbols, `lag` pauses, the
        sign to answer and pauses; y int32 [count, LENGTH], the symbols, targets of the last steps.
    """
    symbols = random.integers(0, SYMBOLS, (count, LENGTH))
    inputs = np.full((count, 2 * LENGTH + lag), PAUSE)
    inputs[:, :LENGTH] = symbols
    inputs[:, LENGTH + lag] = GO
    return np.eye(SYMBOLS + 2, dtype=np.float32)[inputs], symbols.astype(np.int32)


def _last_symbols(outputs: keras.KerasTensor) -> keras.KerasTensor:
    import keras

    return keras.layers.Dense(SYMBOLS, activation="softmax")(outputs[:, -LENGTH:])


PROBLEM = lags.Problem(
    sequences,
    features=SYMBOLS + 2,
    build_output=_last_symbols,
    loss="sparse_categorical_crossentropy",
    unit="nats per symbol",
    target=0.15,
    chance=CHANCE,
    units=64,
    lags=(5, 10, 20, 40, 80),
    updates=1000,
)


@register_experiment("copy", seconds=75)
def copy() -> Outcome:
    """Find the longest pause over which each cell learns to remember three symbols."""
    trials = lags.try_cells(PROBLEM)
    figures = {
        "copy": _draw(trials),
        "losses": draw_losses(PROBLEM, trials),
    }
    return Outcome(lags.numbers(PROBLEM, trials), figures, lags.text(PROBLEM, trials))


def _draw(trials: list[lags.Trial]) -> Figure:
    """Draw a sequence of the problem, and below it what each cell learnt."""
    picture = figure(figsize=(9.5, 6.4))
    above, below = picture.subplots(2, 1, height_ratios=(2, 3))
    lag = 20
    x, y = sequences(np.random.default_rng(3), 1, lag)
    steps = np.arange(1, 2 * LENGTH + lag + 1)
    inputs = x[0].argmax(axis=1)
    for marker, color, name, chosen in (
        ("s", "tab:red", "symbols to remember", inputs < SYMBOLS),
        (".", "gray", "pause", inputs == PAUSE),
        ("^", "black", "sign to answer", inputs == GO),
    ):
        above.plot(steps[chosen], inputs[chosen], marker, color=color, label=name)
    above.plot(steps[-LENGTH:], y[0], "o", color="tab:blue", label="target")
    above.set(
        title=f"A sequence of lag {lag}: inputs, and the targets of the last {LENGTH} steps",
        xlabel="time step",
        ylabel="symbol",
        ylim=(-0.6, GO + 0.6),
    )
    above.set_yticks(range(SYMBOLS + 2), [*range(SYMBOLS), "pause", "go"])
    above.grid(axis="y", alpha=0.3)
    above.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    draw_grid(below, PROBLEM, trials)
    return picture
