"""The equations of a simple recurrent network, forward and backward through time, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.lab.backpropagation import (
    EPSILON,
    Gradients,
    States,
    Weights,
    backward,
    finite_differences,
    forward,
    layer_gradients,
    tape_gradients,
)
from zoo.lab.bidirectional import (
    BidirectionalWeights,
    Work,
    bidirectional,
    bidirectional_layer_gradients,
)
from zoo.lab.experiment import Outcome, register_experiment

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INPUTS, UNITS, OUTPUTS, STEPS, SEED = 2, 3, 1, 4, 3

# Experiment ---------------------------------------------------------------------------------------


@register_experiment("unroll", seconds=10)
def unroll() -> Outcome:
    """A network unrolled in time: its equations forward and backward, against two other ways.

    The gradients by hand are compared with `tf.GradientTape`, with finite differences, and with the
    zoo's own layer.
    """
    random = np.random.default_rng(SEED)
    x = np.round(random.normal(size=(STEPS, INPUTS)), 1)
    targets = np.round(random.normal(size=(STEPS, OUTPUTS)), 1)
    weights = Weights(
        random.normal(size=(UNITS, INPUTS)) * 0.7,
        random.normal(size=(UNITS, UNITS)) * 0.7,
        random.normal(size=(OUTPUTS, UNITS)),
    )
    states = forward(weights, x, targets)
    gradients = backward(weights, x, targets, states)
    by_tape, states_by_tape = tape_gradients(weights, x, targets)
    differences = {
        "tape": _differences(gradients.weights, by_tape)
        | {"h": np.abs(gradients.h - states_by_tape).max(axis=1).tolist()},
        "finite_differences": _differences(
            gradients.weights, finite_differences(weights, x, targets)
        ),
        "layer": _differences(gradients.weights, layer_gradients(weights, x, targets)),
    }
    both = BidirectionalWeights(
        *(random.normal(size=shape) * 0.7 for shape in [(UNITS, INPUTS), (UNITS, UNITS)] * 2),
        *(random.normal(size=(OUTPUTS, UNITS)) for _ in range(2)),
    )
    d_both, work, work_back = bidirectional(both, x, targets)
    differences["bidirectional_layer"] = _differences(
        d_both, bidirectional_layer_gradients(both, x, targets)
    )
    largest = {
        against: float(max(np.max(value) for value in values.values()))
        for against, values in differences.items()
    }
    numbers = {
        "x": x.tolist(),
        "targets": targets.tolist(),
        "weights": {name: matrix.tolist() for name, matrix in weights._asdict().items()},
        "forward": {name: value.tolist() for name, value in states._asdict().items()},
        "backward": {
            "from_output": gradients.from_output.tolist(),
            "from_next": gradients.from_next.tolist(),
            "h": gradients.h.tolist(),
            "weights": {k: v.tolist() for k, v in gradients.weights._asdict().items()},
        },
        "differences": differences,
        "largest_difference": largest,
        "bidirectional_order": {"forward": work, "gradients": work_back},
    }
    figures = {
        "unroll": _draw_unrolled(x, targets, states, gradients),
        "differences": _draw_differences(differences),
        "bidirectional": _draw_order(work, work_back),
    }
    return Outcome(numbers, figures, _text(states, gradients, largest, work, work_back))


def _differences(mine: tuple, other: tuple) -> dict[str, float]:
    """The largest absolute difference between the gradients of each matrix."""
    return {
        name: float(np.abs(a - b).max())
        for name, a, b in zip(mine._fields, mine, other, strict=True)
    }


def _text(
    states: States,
    gradients: Gradients,
    largest: dict[str, float],
    work: list[Work],
    work_back: list[Work],
) -> str:
    def numbers(values: np.ndarray) -> str:
        return " ".join(f"{value:7.3f}" for value in values)

    def order(pieces: list[Work]) -> str:
        return " ".join(f"{name}{t}" for name, t in pieces)

    lines = ["forward through time: h(t) = tanh(W_xh x(t) + W_hh h(t-1)), y(t) = W_hy h(t)"]
    for t in range(STEPS):
        lines.append(
            f"  t={t + 1}  h {numbers(states.h[t + 1])}   y {numbers(states.y[t])}"
            f"   L {states.losses[t]:.4f}"
        )
    lines.append("backward through time: dh(t) = from its output + from the step after it")
    for t in reversed(range(STEPS)):
        lines.append(
            f"  t={t + 1}  dh {numbers(gradients.h[t])} = {numbers(gradients.from_output[t])}"
            f"  + {numbers(gradients.from_next[t])}"
        )
    lines.append("largest difference of any gradient from the one by hand")
    lines += [f"  {against:20}{value:.1e}" for against, value in largest.items()]
    lines.append("order of work of a bidirectional network (f, b: its two layers; y: outputs)")
    lines.append(f"  forward    {order(work)}")
    lines.append(f"  gradients  {order(work_back)}")
    return "\n".join(lines)


# Figures ------------------------------------------------------------------------------------------


def _draw_unrolled(
    x: np.ndarray, targets: np.ndarray, states: States, gradients: Gradients
) -> Figure:
    """The network unrolled: values above, and below the gradients that flow back through it."""
    from zoo.common.utils.plots import figure

    picture = figure(figsize=(10.5, 9.4))
    above, below = picture.subplots(2, 1, height_ratios=(5.4, 4.1))
    _draw_forward(above, x, targets, states)
    _draw_backward(below, states.y - targets, gradients)
    return picture


def _draw_forward(axes: Axes, x: np.ndarray, targets: np.ndarray, states: States) -> None:
    from zoo.lab.drawing import FORWARD, INPUT, OUTPUT, STATE, arrow, canvas, vector

    canvas(axes, 2.6 * STEPS + 1.2, 5.4)
    axes.set_title(
        "Forward: $h_t = \\tanh(W_{xh} x_t + W_{hh} h_{t-1})$,   $y_t = W_{hy} h_t$,   "
        "$L_t = (y_t - target_t)^2 / 2$",
        fontsize=12,
    )
    flow = {"color": FORWARD, "size": 10}
    for t in range(STEPS):
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
    from zoo.lab.drawing import BACKWARD, OUTPUT, STATE, arrow, canvas, vector

    canvas(axes, 2.6 * STEPS + 1.2, 4.1)
    axes.set_title(
        "Backward: $dh_t = W_{hy}^T dy_t + W_{hh}^T dz_{t+1}$,   "
        "$dz_t = dh_t \\odot (1 - h_t^2)$,   $dy_t = y_t - target_t$",
        fontsize=12,
    )
    flow = {"color": BACKWARD, "size": 10}
    for t in range(STEPS):
        at = 2.0 + 2.6 * t
        vector(axes, (at, 3.6), dy[t], color=OUTPUT)
        vector(axes, (at, 1.8), gradients.h[t], color=STATE)
        axes.text(at + 0.55, 3.6, f"$dy_{t + 1}$", va="center", fontsize=12)
        axes.text(at - 0.5, 2.62, f"$dh_{t + 1}$", ha="right", va="center", fontsize=12)
        arrow(axes, (at, 3.39), (at, 2.43), label="$W_{hy}^T$", offset=(0.36, 0), **flow)
        if t < STEPS - 1:
            label = "$W_{hh}^T dz$"
            ends = (at + 2.15, 1.8), (at + 0.45, 1.8)
            arrow(axes, *ends, label=label, offset=(0, 0.25), **flow)
        own = np.linalg.norm(gradients.from_output[t])
        later = np.linalg.norm(gradients.from_next[t])
        words = f"$|W_{{hy}}^T dy_{t + 1}|$ = {own:.2f}\n$|W_{{hh}}^T dz_{t + 2}|$ = {later:.2f}"
        axes.text(at, 0.95, words, ha="center", va="top", fontsize=10)


def _draw_differences(differences: dict[str, dict[str, Any]]) -> Figure:
    """How far the other ways' gradients are from those by hand, on a logarithmic scale."""
    from zoo.common.utils.plots import figure

    names = {
        "tape": "tf.GradientTape",
        "layer": "the zoo's SimpleRNN layer",
        "finite_differences": f"finite differences, step {EPSILON:g}",
    }
    picture = figure(figsize=(7.5, 4.2))
    axes = picture.subplots()
    smallest = 1e-18  # a difference of exactly 0 has no place on a logarithmic scale
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


def _draw_order(work: list[Work], work_back: list[Work]) -> Figure:
    """The order of work of a bidirectional network: a number in each box."""
    from zoo.common.utils.plots import figure
    from zoo.lab.drawing import BACKWARD, FORWARD

    picture = figure(figsize=(12, 5))
    left, right = picture.subplots(1, 2)
    _draw_pass(left, work, FORWARD)
    _draw_pass(right, work_back, BACKWARD)
    left.set_title("Forward pass: f from 1 to T, b from T to 1, then the outputs", fontsize=11)
    right.set_title("Gradients: outputs, f from T to 1, b from 1 to T", fontsize=11)
    picture.supxlabel("The number in a box is its place in the order of work.", fontsize=10)
    return picture


def _draw_pass(axes: Axes, pieces: list[Work], color: str) -> None:
    from zoo.lab.drawing import BACKWARD, INPUT, OUTPUT, STATE, arrow, box, canvas

    heights = {"x": 0.5, "f": 1.8, "b": 3.0, "y": 4.4}
    colors = {"f": STATE, "b": "#e3efb5", "y": OUTPUT}
    f, b, x, y = (heights[name] for name in "fbxy")
    canvas(axes, 1.7 * STEPS + 0.9, 5)
    for number, (name, t) in enumerate(pieces, start=1):
        at = 1.7 * t - 0.4
        box(axes, (at, heights[name]), "", color=colors[name])
        axes.text(at - 0.2, heights[name], f"${name}_{t}$", ha="center", va="center", fontsize=12)
        label = {"ha": "center", "va": "center", "fontsize": 12, "weight": "bold"}
        axes.text(at + 0.22, heights[name], str(number), color=color, **label)
    for t in range(1, STEPS + 1):
        at = 1.7 * t - 0.4
        arrows = [((at - 0.42, f + 0.3), (at - 0.42, y - 0.3), -0.28)]
        arrows.append(((at + 0.25, b + 0.3), (at + 0.25, y - 0.3), 0.0))
        if t < STEPS:
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
