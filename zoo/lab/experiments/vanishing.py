"""Show vanishing and exploding gradients, and the effects of initial weights, gates and clipping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common.utils.plots import figure
from zoo.common.utils.progress import progress
from zoo.lab.cells import (
    COLORS,
    LSTM,
    RNN,
    forget_bias,
    orthogonal,
    recurrent_layer,
    with_radius,
)
from zoo.lab.clipping import History, build_training
from zoo.lab.experiment import Outcome, register_experiment
from zoo.lab.experiments import copy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UNITS, FEATURES, BATCH, STEPS, SEED = 64, 8, 16, 100, 0
RADII = (0.5, 0.9, 1.0, 1.1, 1.5, 2.0)
LSTM_BIAS_0 = "LSTM, bias 0"
# Training with and without clipping: a simple RNN on the copy problem, by plain gradient descent.
LAG, RADIUS, UPDATES, CLIP_NORM = 10, 1.5, 300, 0.25
LEARNING_RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
SHOWN_RATE = 1.0


# Gradients over lags ------------------------------------------------------------------------------


def matrix_power_norms(matrix: np.ndarray, count: int) -> np.ndarray:
    """Return the spectral norm of W^k for k = 0 .. count - 1.

    In h(k) = W1 x(k) + W2 h(k-1), the norm of W2^k bounds the gradient of h(t) by W1 x(t-k).

    Args:
        matrix: W, float64 [units, units].
        count: number of powers.
    """
    norms, power = np.zeros(count), np.eye(len(matrix))
    for k in range(count):
        norms[k] = np.linalg.norm(power, 2)
        power = power @ matrix
    return norms


def gradient_norms(layer: Any, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Return the norm of the gradient of a layer's last output by the input k steps before.

    Args:
        layer: a recurrent layer of Keras that returns its last output.
        x: float32 [batch, time, features].
        direction: float32 [batch, units], of norm 1.

    Returns:
        float64 [time], for k = 0 .. time - 1: the norm of the gradient of the last output along
        `direction` by x(T - k), divided by the norm for k = 0; mean over the batch.
    """
    import tensorflow as tf

    inputs = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        along = tf.reduce_sum(layer(inputs, training=True) * direction)
    gradient = tape.gradient(along, inputs).numpy().astype(np.float64)
    norms = np.linalg.norm(gradient, axis=2).mean(axis=0)[::-1]
    return norms / norms[0]


def _simple_rnn(radius: float) -> Any:
    return recurrent_layer(RNN, UNITS, SEED, recurrent_initializer=with_radius(radius, SEED))


def _measure() -> dict[str, dict[str, np.ndarray]]:
    """Return the norms over lags of the linear recurrence, of simple RNNs, and of the cells."""
    random = np.random.default_rng(SEED)
    x = random.normal(size=(BATCH, STEPS, FEATURES)).astype(np.float32)
    direction = random.normal(size=(BATCH, UNITS)).astype(np.float32)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    shape = (UNITS, UNITS)
    linear = {
        str(radius): matrix_power_norms(with_radius(radius, SEED)(shape), STEPS) for radius in RADII
    }
    linear["orthogonal"] = matrix_power_norms(orthogonal(SEED)(shape), STEPS)
    cells = {name: recurrent_layer(name, UNITS, SEED) for name in COLORS}
    bias_0 = recurrent_layer(LSTM, UNITS, SEED, bias_initializer=forget_bias(0.0))
    cells = {LSTM_BIAS_0: bias_0, **cells}
    return {
        "linear": linear,
        "tanh": {
            str(radius): gradient_norms(_simple_rnn(radius), x, direction) for radius in RADII
        },
        "cells": {name: gradient_norms(cell, x, direction) for name, cell in cells.items()},
    }


# Experiment ---------------------------------------------------------------------------------------


@register_experiment("vanishing", seconds=16)
def vanishing() -> Outcome:
    """Show how gradients change over time with spectral radius, gates, forget bias and clipping."""
    norms = _measure()
    trainings = {}
    for name, clip_norm in (("not_clipped", None), ("clipped", CLIP_NORM)):
        train = build_training(copy.PROBLEM, LAG, RADIUS, clip_norm, UPDATES)
        rates = progress(LEARNING_RATES, name.replace("_", " "), len(LEARNING_RATES), "training")
        trainings[name] = {rate: train(rate) for rate in rates}
    last = {
        name: {str(rate): float(np.mean(run["loss"][-20:])) for rate, run in runs.items()}
        for name, runs in trainings.items()
    }
    shown = {name: runs[SHOWN_RATE] for name, runs in trainings.items()}
    numbers = {
        "gradient_norm_by_lag": {
            part: {name: values.tolist() for name, values in curves.items()}
            for part, curves in norms.items()
        },
        "clipping": {
            "clip_norm": CLIP_NORM,
            "chance_loss": copy.CHANCE,
            "last_loss_by_learning_rate": last,
            "learning_rate_shown": SHOWN_RATE,
            "shown": shown,
        },
    }
    figures = {"vanishing": _draw_norms(norms), "clipping": _draw_clipping(shown, last)}
    return Outcome(numbers, figures, _text(norms, last))


def _text(norms: dict[str, dict[str, np.ndarray]], last: dict[str, dict[str, float]]) -> str:
    titles = {
        "linear": "linear recurrence, spectral norm of W2^k, by spectral radius",
        "tanh": "simple RNN before training, gradient over lags, by spectral radius",
        "cells": "cells before training, gradient over lags",
    }
    shown = (1, 10, 50, 99)
    lines = []
    for part, curves in norms.items():
        lines.append(titles[part])
        lines.append(f"  {'lag':16}" + "".join(f"{lag:>10}" for lag in shown))
        for name, values in curves.items():
            lines.append(f"  {name:16}" + "".join(f"{values[lag]:10.1e}" for lag in shown))
    lines.append(f"loss after {UPDATES} updates by learning rate (chance is {copy.CHANCE:.2f})")
    lines.append(f"  {'':16}" + "".join(f"{rate:>10}" for rate in LEARNING_RATES))
    for name, losses in last.items():
        row = "".join(f"{loss:10.2f}" for loss in losses.values())
        lines.append(f"  {name.replace('_', ' '):16}" + row)
    return "\n".join(lines)


# Figures ------------------------------------------------------------------------------------------


def _draw_norms(norms: dict[str, dict[str, np.ndarray]]) -> Figure:
    """Draw gradient norms over lags on a logarithmic scale in three panels."""
    import matplotlib

    shades = matplotlib.colormaps["plasma"](np.linspace(0, 0.88, len(RADII)))
    by_radius = dict(zip(map(str, RADII), shades, strict=True)) | {"orthogonal": "black"}
    picture = figure(figsize=(15, 5))
    linear, tanh, cells = picture.subplots(1, 3, sharey=True)
    _draw_curves(linear, norms["linear"], by_radius)
    for radius, shade in zip(RADII, shades, strict=True):
        linear.plot(float(radius) ** np.arange(STEPS), color=shade, linestyle=":")
    linear.plot([], [], color="gray", linestyle=":", label="radius$^k$")
    linear.set(title="Linear: $\\|W_2^k\\|$ in $h(k) = W_1 x(k) + W_2 h(k-1)$")
    _draw_curves(tanh, norms["tanh"], by_radius)
    tanh.set(title="Simple RNN (tanh) at its start")
    _draw_curves(cells, norms["cells"], COLORS | {LSTM_BIAS_0: "skyblue"})
    cells.set(title="Cells at their start")
    linear.set(ylabel="gradient over lags, 1 at lag 0", ylim=(1e-16, 1e16))
    linear.legend(title="spectral radius", fontsize=9, ncols=2, loc="lower right")
    tanh.legend(title="spectral radius", fontsize=9, ncols=2, loc="upper left")
    cells.legend(fontsize=9, ncols=2, loc="upper left")
    return picture


def _draw_curves(axes: Axes, curves: dict[str, np.ndarray], colors: dict[str, Any]) -> None:
    for name, values in curves.items():
        axes.plot(np.maximum(values, 1e-300), color=colors[name], label=name, linewidth=1.8)
    axes.set(yscale="log", xlabel="lag $k$, time steps", xlim=(0, STEPS))
    axes.grid(alpha=0.3)


def _draw_clipping(shown: dict[str, History], last: dict[str, dict[str, float]]) -> Figure:
    """Draw gradient norm and loss over the updates, and the last loss by learning rate."""
    picture = figure(figsize=(15, 4.6))
    norm, loss, rates = picture.subplots(1, 3)
    for key, color in (("not_clipped", "tab:red"), ("clipped", "tab:blue")):
        name = key.replace("_", " ")
        norm.plot(shown[key]["gradient_norm"], color=color, label=name, linewidth=1)
        loss.plot(shown[key]["loss"], color=color, label=name, linewidth=1)
        rates.plot(LEARNING_RATES, last[key].values(), "o-", color=color, label=name)
    norm.axhline(CLIP_NORM, color="black", linestyle="--", label=f"clip norm {CLIP_NORM}")
    norm.set(title=f"Gradient norm before clipping, learning rate {SHOWN_RATE:g}", ylabel="norm")
    loss.set(title=f"Loss of each update, learning rate {SHOWN_RATE:g}")
    rates.set(title=f"Loss after {UPDATES} updates", xlabel="learning rate", xscale="log")
    for axes in (norm, loss):
        axes.set(xlabel="update")
    for axes in (loss, rates):
        axes.axhline(copy.CHANCE, color="gray", linestyle=":", label="chance")
        axes.set(ylabel=copy.PROBLEM.unit)
    for axes in (norm, loss, rates):
        axes.set(yscale="log")
        axes.legend(fontsize=9)
        axes.grid(alpha=0.3)
    rates.axvline(SHOWN_RATE, color="gray", linewidth=0.8)
    picture.suptitle(
        f"Simple RNN of spectral radius {RADIUS} on the copy problem of lag {LAG}, "
        "by plain gradient descent"
    )
    return picture
