"""The loop of diagonal linear recurrences on TensorFlow, compiled by XLA, with a hand-written gradient.

With the gradient dh_t of the loss by h_t, summed from the output and from the next step, and complex
conjugates marked by *:

    h_t = a_t h_{t-1} + b_t        db_t = dh_t        da_t = dh_t h_{t-1}*        dh_{t-1} += a_t* dh_t

Only z and h are kept for the gradient. The coefficients are computed again from z, inside the compiled
function, where they and their derivatives are a few passes over memory. Windows are those of `kernels`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from zoo.common.layers.recurrent.kernels import first_derivatives, fold, over_windows
from zoo.common.layers.recurrent.linear import (
    Coefficients,
    Numbers,
    add,
    conjugate,
    masked,
    multiply,
)


def run(
    coefficients: Coefficients,
    z: tf.Tensor,
    parameters: Sequence[tf.Tensor],
    states: Numbers,
    mask: tf.Tensor | None,
    reverse: bool,
) -> tuple[Numbers, Numbers]:
    """Run the recurrence. See `zoo.common.layers.recurrent.diagonal.scan`."""
    count, units, inner = len(states), states[0].shape[1], len(parameters)

    def forward(z, parameters, states):
        def window(part, states, _):
            states, h = _forward(
                coefficients, reverse, part.pad(part.slice(z)), part.pad(part.slice(mask)),
                parameters, states, part.steps,
            )  # fmt: skip
            return states, tuple(part.unpad(x) for x in h), ()

        last, h, _ = over_windows(window, z, reverse, states, [units] * count, 0, units)
        return h, last

    def backward(z, parameters, states, h, d_h, d_last):
        def window(part, carried, _):
            d_states, sums = carried[:count], carried[count:]
            before = tuple(
                part.pad(part.before(x, state, reverse)) for x, state in zip(h, states, strict=True)
            )
            dz, d_parameters, d_states = _backward(
                coefficients, reverse, part.pad(part.slice(z)), part.pad(part.slice(mask)),
                parameters, before, tuple(part.pad(part.slice(x)) for x in d_h), d_states,
                part.steps,
            )  # fmt: skip
            sums = tuple(total + part for total, part in zip(sums, d_parameters, strict=True))
            return (*d_states, *sums), (part.unpad(dz),), ()

        sums = map(tf.zeros_like, parameters)
        carried, (dz,), _ = over_windows(
            window, z, not reverse, (*d_last, *sums), [z.shape[2]], 0, units
        )
        return dz, *carried[count:], *carried[:count]

    @tf.custom_gradient
    def recurrence(z, *tensors):
        # Without `stop_gradient`, gradient tapes would record the compiled functions.
        values = tuple(map(tf.stop_gradient, tensors))
        inputs = tf.stop_gradient(z), values[:inner], values[inner:]
        h, last = forward(*inputs)

        def gradient(*upstream):
            stopped = tuple(map(tf.stop_gradient, upstream))
            gradients = backward(*inputs, h, stopped[:count], stopped[count:])
            return first_derivatives(gradients, (*upstream, z, *tensors))

        return (*h, *last), gradient

    results = recurrence(z, *parameters, *states)
    return tuple(results[:count]), tuple(results[count:])


@tf.function(jit_compile=True, autograph=False)
def _forward(coefficients, reverse, z, mask, parameters, states, steps):
    """Run the steps of one window, and return the states and h of each step."""
    a, b = masked(coefficients, z, mask, parameters)

    def step(t, h):
        h = add(multiply(_at(a, t), h), _at(b, t))
        return h, h

    return fold(step, z, reverse, states, [states[0].shape[1]] * len(states), steps)


@tf.function(jit_compile=True, autograph=False)
def _backward(coefficients, reverse, z, mask, parameters, before, d_h, d_states, steps):
    """Run the steps of one window backward.

    Returns:
        The gradients of z, of the parameters and of the states before the window.
    """
    with tf.GradientTape() as tape:
        tape.watch((z, parameters))
        a, b = masked(coefficients, z, mask, parameters)

    def step(t, d_states):
        dh = add(_at(d_h, t), d_states)
        return multiply(conjugate(_at(a, t)), dh), dh

    units, count = d_states[0].shape[1], len(d_states)
    d_states, dh = fold(step, z, not reverse, d_states, [units] * count, steps)
    da = multiply(dh, conjugate(before))
    dz, d_parameters = tape.gradient(
        (a, b), (z, parameters), (da, dh), unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    return dz, d_parameters, d_states


def _at(sequence: Numbers, t: Any) -> Numbers:
    return tuple(part[t] for part in sequence)
