"""Compute a bidirectional network, its gradients and the order of the computations in NumPy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class BidirectionalWeights(NamedTuple):
    """The matrices of the forward layer (f), the backward layer (b) and the output."""

    W_xf: np.ndarray
    W_ff: np.ndarray
    W_xb: np.ndarray
    W_bb: np.ndarray
    W_fy: np.ndarray
    W_by: np.ndarray


# One computation: the name of the computed vector, and the time step, counted from 1.
Work = tuple[str, int]


def bidirectional(
    weights: BidirectionalWeights, x: np.ndarray, targets: np.ndarray
) -> tuple[BidirectionalWeights, list[Work], list[Work]]:
    """Return the gradients of a bidirectional network and the order of the computations.

        f(t) = tanh(W_xf x(t) + W_ff f(t-1))
        b(t) = tanh(W_xb x(t) + W_bb b(t+1))
        y(t) = W_fy f(t) + W_by b(t)

    An output needs both layers, so it is computed after both. The gradients of both layers need the
    gradients of the outputs, and are computed in the opposite direction.

    Args:
        weights: the matrices.
        x: float64 [time, inputs].
        targets: float64 [time, outputs].

    Returns:
        The gradients, the order of the forward pass and the order of the backward pass.
    """
    steps, units = len(x), len(weights.W_ff)
    # Rows 1 to T are the steps. Rows 0 and T+1 are zeros.
    f, b = np.zeros((2, steps + 2, units))
    y = np.zeros_like(targets)
    work: list[Work] = []
    work_back: list[Work] = []
    for t in range(1, steps + 1):
        f[t] = np.tanh(weights.W_xf @ x[t - 1] + weights.W_ff @ f[t - 1])
        work.append(("f", t))
    for t in range(steps, 0, -1):
        b[t] = np.tanh(weights.W_xb @ x[t - 1] + weights.W_bb @ b[t + 1])
        work.append(("b", t))
    for t in range(1, steps + 1):
        y[t - 1] = weights.W_fy @ f[t] + weights.W_by @ b[t]
        work.append(("y", t))

    d = BidirectionalWeights(*map(np.zeros_like, weights))
    dy = y - targets
    for t in range(1, steps + 1):
        d.W_fy[:] += np.outer(dy[t - 1], f[t])
        d.W_by[:] += np.outer(dy[t - 1], b[t])
        work_back.append(("y", t))
    dz = np.zeros(units)
    for t in range(steps, 0, -1):
        dz = (weights.W_fy.T @ dy[t - 1] + weights.W_ff.T @ dz) * (1 - f[t] ** 2)
        d.W_xf[:] += np.outer(dz, x[t - 1])
        d.W_ff[:] += np.outer(dz, f[t - 1])
        work_back.append(("f", t))
    dz = np.zeros(units)
    for t in range(1, steps + 1):
        dz = (weights.W_by.T @ dy[t - 1] + weights.W_bb.T @ dz) * (1 - b[t] ** 2)
        d.W_xb[:] += np.outer(dz, x[t - 1])
        d.W_bb[:] += np.outer(dz, b[t + 1])
        work_back.append(("b", t))
    return d, work, work_back


def bidirectional_layer_gradients(
    weights: BidirectionalWeights, x: np.ndarray, targets: np.ndarray
) -> BidirectionalWeights:
    """Return the gradients in a Keras model with the zoo's `Bidirectional`, by `tf.GradientTape`."""
    import keras
    import tensorflow as tf

    from zoo.common.layers.recurrent import Bidirectional, SimpleRNN

    sequence = keras.Input(x.shape, dtype="float64")
    units, outputs = len(weights.W_ff), len(weights.W_fy)
    one = SimpleRNN(units, use_bias=False, return_sequences=True, dtype="float64")
    output = keras.layers.Dense(outputs, use_bias=False, dtype="float64")
    model = keras.Model(sequence, output(Bidirectional(one, dtype="float64")(sequence)))
    head = np.concatenate([weights.W_fy, weights.W_by], axis=1)
    model.set_weights([matrix.T for matrix in (*weights[:4], head)])
    with tf.GradientTape() as tape:
        loss = 0.5 * tf.reduce_sum((model(x[None], training=True) - targets[None]) ** 2)
    gradients = [g.numpy().T for g in tape.gradient(loss, model.trainable_variables)]
    W_xf, W_ff, W_xb, W_bb, head = gradients
    return BidirectionalWeights(W_xf, W_ff, W_xb, W_bb, head[:, :units], head[:, units:])
