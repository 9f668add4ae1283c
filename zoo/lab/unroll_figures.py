"""Draw networks unrolled in time, and differences between gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common.utils.plots import figure
from zoo.lab.backpropagation import EPSILON, Gradients, States, Weights
from zoo.lab.bidirectional import Work
from zoo.lab.drawing import BACKWARD, FORWARD, INPUT, OUTPUT, STATE, arrow, box, canvas, vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_unrolled(
    x: np.ndarray, targets: np.ndarray, states: States, gradients: Gradients
) -> Figure:
    """Draw the network unrolled in time: its values above, its gradients below."""
    picture = figure(figsize=(10.5, 9.4))
    above, below = picture.subplots(2, 1, height_ratios=(5.4, 4.1))
    _draw_forward(above, x, targets, states)
    _draw_backward(below, states.y - targets, gradients)
    return picture


def _draw_forward(axes: Axes, x: np.ndarray, targets: np.ndarray, states: States) -> None:
    canvas(axes, 2.6 * len(x) + 1.2, 5.4)
    axes.set_title(
        "Forward: $h_t = \\tanh(W_{xh} x_t + W_{hh} h_{t-1})$,   $y_t = W_{hy} h_t$,   "
        "$L_t = (y_t - target_t)^2 / 2$",
        fontsize=12,
    )
    flow: dict[str, Any] = {"color": FORWARD, "size": 10}
    for t in range(len(x)):
        at = 2.0 + 2.6 * t
        vector(axes, (at, 0.5), x[t], color=INPUT, digits=1)
        vector(axes, (at, 2.5), states.h[t + 1], color=STATE)
        vector(axes, (at, 4.3), states.y[t], color=OUTPUT)
        for name, height in (("x", 0.5), ("y", 4.3)):
            axes.text(at + 0.55, height, f"${name}_{t + 1}$", va="center", fontsize=12)
        axes.text(at + 0.5, 3.3, f"$h_{t + 1}$", va="center", fontsize=12)
        words = f"target {targets[t][0]:.1f}, loss {states.losses[t]:.3f}"
        axes.text(at, 4.85, words, ha="center", fontsize=9)
        arrow(axes, (at, 0.92), (at, 1.87), label="$W_{xh}$", offset=(-0.32, 0), **flow)
        arrow(axes, (at, 3.13), (at, 4.09), label="$W_{hy}$", offset=(-0.32, 0), **flow)
        start = (at - 2.6 if t else 0.25) + 0.45
        arrow(axes, (start, 2.5), (at - 0.45, 2.5), label="$W_{hh}$", offset=(0, 0.22), **flow)
    axes.text(0.35, 2.5, "$h_0 = 0$", ha="center", va="center", fontsize=12)


def _draw_backward(axes: Axes, dy: np.ndarray, gradients: Gradients) -> None:
    canvas(axes, 2.6 * len(dy) + 1.2, 4.1)
    axes.set_title(
        "Backward: $dh_t = W_{hy}^T dy_t + W_{hh}^T dz_{t+1}$,   "
        "$dz_t = dh_t \\odot (1 - h_t^2)$,   $dy_t = y_t - target_t$",
        fontsize=12,
    )
    flow: dict[str, Any] = {"color": BACKWARD, "size": 10}
    for t in range(len(dy)):
        at = 2.0 + 2.6 * t
        vector(axes, (at, 3.6), dy[t], color=OUTPUT)
        vector(axes, (at, 1.8), gradients.h[t], color=STATE)
        axes.text(at + 0.55, 3.6, f"$dy_{t + 1}$", va="center", fontsize=12)
        axes.text(at - 0.5, 2.62, f"$dh_{t + 1}$", ha="right", va="center", fontsize=12)
        arrow(axes, (at, 3.39), (at, 2.43), label="$W_{hy}^T$", offset=(0.36, 0), **flow)
        if t < len(dy) - 1:
            label = "$W_{hh}^T dz$"
            ends = (at + 2.15, 1.8), (at + 0.45, 1.8)
            arrow(axes, *ends, label=label, offset=(0, 0.25), **flow)
        own = np.linalg.norm(gradients.from_output[t])
        later = np.linalg.norm(gradients.from_next[t])
        words = f"$|W_{{hy}}^T dy_{t + 1}|$ = {own:.2f}\n$|W_{{hh}}^T dz_{t + 2}|$ = {later:.2f}"
        axes.text(at, 0.95, words, ha="center", va="top", fontsize=10)


def draw_differences(differences: dict[str, dict[str, Any]]) -> Figure:
    """Draw the differences between gradients by hand and by other methods, on a logarithmic scale."""
    names = {
        "tape": "tf.GradientTape",
        "layer": "the zoo's SimpleRNN layer",
        "finite_differences": f"finite differences, step {EPSILON:g}",
    }
    picture = figure(figsize=(7.5, 4.2))
    axes = picture.subplots()
    smallest = 1e-18  # a logarithmic scale cannot show a difference of exactly 0
    for i, (key, name) in enumerate(names.items()):
        heights = [max(differences[key][matrix], smallest) for matrix in Weights._fields]
        axes.bar(np.arange(len(heights)) + (i - 1) * 0.26, heights, 0.24, label=name)
    rounding = "rounding of a float64 near 1"
    axes.axhline(np.finfo(np.float64).eps, color="black", linestyle=":", label=rounding)
    axes.set(
        yscale="log",
        ylim=(smallest, 1e-4),
        ylabel="largest absolute difference",
        title="Gradients by hand against three other ways",
    )
    axes.set_xticks(range(3), ["$dL/dW_{xh}$", "$dL/dW_{hh}$", "$dL/dW_{hy}$"])
    axes.legend(loc="upper center", ncols=2, fontsize=9)
    axes.grid(axis="y", alpha=0.3)
    return picture


def draw_order(work: list[Work], work_back: list[Work]) -> Figure:
    """Draw the order of the computations of a bidirectional network: a number in each box."""
    picture = figure(figsize=(12, 5))
    left, right = picture.subplots(1, 2)
    _draw_pass(left, work, FORWARD)
    _draw_pass(right, work_back, BACKWARD)
    left.set_title("Forward pass: f from 1 to T, b from T to 1, then the outputs", fontsize=11)
    right.set_title("Gradients: outputs, f from T to 1, b from 1 to T", fontsize=11)
    picture.supxlabel("The number in a box is its place in the order of work.", fontsize=10)
    return picture


def _draw_pass(axes: Axes, order: list[Work], color: str) -> None:
    heights = {"x": 0.5, "f": 1.8, "b": 3.0, "y": 4.4}
    colors = {"f": STATE, "b": "#e3efb5", "y": OUTPUT}
    f, b, x, y = (heights[name] for name in "fbxy")
    steps = max(t for _, t in order)
    canvas(axes, 1.7 * steps + 0.9, 5)
    for number, (name, t) in enumerate(order, start=1):
        at = 1.7 * t - 0.4
        box(axes, (at, heights[name]), "", color=colors[name])
        axes.text(at - 0.2, heights[name], f"${name}_{t}$", ha="center", va="center", fontsize=12)
        label: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 12, "weight": "bold"}
        axes.text(at + 0.22, heights[name], str(number), color=color, **label)
    for t in range(1, steps + 1):
        at = 1.7 * t - 0.4
        arrows = [((at - 0.42, f + 0.3), (at - 0.42, y - 0.3), -0.28)]
        arrows.append(((at + 0.25, b + 0.3), (at + 0.25, y - 0.3), 0.0))
        if t < steps:
            arrows.append(((at + 0.5, f), (at + 1.2, f), 0.0))
            arrows.append(((at + 1.2, b), (at + 0.5, b), 0.0))
        if color == BACKWARD:
            arrows = [(end, start, -bend) for start, end, bend in arrows]
        else:
            box(axes, (at, x), f"$x_{t}$", color=INPUT, size=12)
            arrows.append(((at - 0.25, x + 0.3), (at - 0.25, f - 0.3), 0.0))
            arrows.append(((at + 0.42, x + 0.3), (at + 0.42, b - 0.3), 0.28))
        for start, end, bend in arrows:
            arrow(axes, start, end, color=color, bend=bend)
