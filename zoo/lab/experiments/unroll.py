"""Compute a simple recurrent network forward and backward in time, and compare its gradients."""

from __future__ import annotations

import numpy as np

from zoo.lab.backpropagation import (
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
from zoo.lab.unroll_figures import draw_differences, draw_order, draw_unrolled

INPUTS, UNITS, OUTPUTS, STEPS, SEED = 2, 3, 1, 4, 3

# Experiment ---------------------------------------------------------------------------------------


@register_experiment("unroll", seconds=7)
def unroll() -> Outcome:
    """Unroll a network in time, and compare its gradients with those of three other methods.

    The other methods are `tf.GradientTape`, finite differences and the zoo's own layer.
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
        "unroll": draw_unrolled(x, targets, states, gradients),
        "differences": draw_differences(differences),
        "bidirectional": draw_order(work, work_back),
    }
    return Outcome(numbers, figures, _text(states, gradients, largest, work, work_back))


def _differences(
    gradients: Weights | BidirectionalWeights, others: Weights | BidirectionalWeights
) -> dict[str, float]:
    """Return the largest absolute difference between the gradients of each matrix."""
    return {
        name: float(np.abs(a - b).max())
        for name, a, b in zip(gradients._fields, gradients, others, strict=True)
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

    def order(computations: list[Work]) -> str:
        return " ".join(f"{name}{t}" for name, t in computations)

    lines = ["forward in time: h(t) = tanh(W_xh x(t) + W_hh h(t-1)), y(t) = W_hy h(t)"]
    for t in range(STEPS):
        lines.append(
            f"  t={t + 1}  h {numbers(states.h[t + 1])}   y {numbers(states.y[t])}"
            f"   L {states.losses[t]:.4f}"
        )
    lines.append("backward in time: dh(t) = part of its output + part of the next step")
    for t in reversed(range(STEPS)):
        lines.append(
            f"  t={t + 1}  dh {numbers(gradients.h[t])} = {numbers(gradients.from_output[t])}"
            f"  + {numbers(gradients.from_next[t])}"
        )
    lines.append("largest difference between gradients by hand and by other methods")
    lines += [f"  {against:20}{value:.1e}" for against, value in largest.items()]
    lines.append("order of computation in a bidirectional network (f, b: layers; y: outputs)")
    lines.append(f"  forward    {order(work)}")
    lines.append(f"  gradients  {order(work_back)}")
    return "\n".join(lines)
