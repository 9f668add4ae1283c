"""Compute a simple recurrent network and its gradients in NumPy, and the gradients by other methods.

Vectors are columns, as in the equations. A batch is one sequence.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# Step of the central differences in float64. The error is about EPSILON^2 plus rounding / EPSILON.
EPSILON = 1e-5


class Weights(NamedTuple):
    """The matrices of the network.

    Args:
        W_xh: float64 [units, inputs].
        W_hh: float64 [units, units].
        W_hy: float64 [outputs, units].
    """

    W_xh: np.ndarray
    W_hh: np.ndarray
    W_hy: np.ndarray


class States(NamedTuple):
    """The result of the forward pass.

    Args:
        h: states, float64 [time + 1, units]; h[0] is the state before the first step.
        y: outputs, float64 [time, outputs].
        losses: float64 [time].
    """

    h: np.ndarray
    y: np.ndarray
    losses: np.ndarray


class Gradients(NamedTuple):
    """The result of the backward pass: the gradients of the loss.

    Args:
        weights: gradients of the matrices.
        from_output: part of the gradient of each state that its own output contributes, float64
            [time, units].
        from_next: part of the gradient of each state that the next step contributes, float64
            [time, units].
        h: gradients of the states, float64 [time, units]: the sum of both parts.
    """

    weights: Weights
    from_output: np.ndarray
    from_next: np.ndarray
    h: np.ndarray


def forward(weights: Weights, x: np.ndarray, targets: np.ndarray) -> States:
    """Compute states, outputs and losses forward in time.

        h(t) = tanh(W_xh x(t) + W_hh h(t-1))        h(0) = 0
        y(t) = W_hy h(t)
        L(t) = 1/2 |y(t) - target(t)|^2

    Args:
        weights: the matrices.
        x: float64 [time, inputs].
        targets: float64 [time, outputs].
    """
    h = np.zeros((len(x) + 1, len(weights.W_hh)))
    y = np.zeros_like(targets)
    for t in range(len(x)):
        h[t + 1] = np.tanh(weights.W_xh @ x[t] + weights.W_hh @ h[t])
        y[t] = weights.W_hy @ h[t + 1]
    return States(h, y, 0.5 * ((y - targets) ** 2).sum(axis=1))


def backward(weights: Weights, x: np.ndarray, targets: np.ndarray, states: States) -> Gradients:
    """Compute the gradients of the sum of all L(t), backward in time.

        dy(t) = y(t) - target(t)
        dh(t) = W_hy' dy(t) + W_hh' dz(t+1)         dz(T+1) = 0
        dz(t) = dh(t) * (1 - h(t)^2)
        dW_hy = sum of dy(t) h(t)',  dW_hh = sum of dz(t) h(t-1)',  dW_xh = sum of dz(t) x(t)'

    where ' transposes and * multiplies element by element.

    Args:
        weights: the matrices.
        x: float64 [time, inputs].
        targets: float64 [time, outputs].
        states: result of `forward`.
    """
    d_weights = Weights(*map(np.zeros_like, weights))
    from_output, from_next = np.zeros((2, len(x), len(weights.W_hh)))
    dz = np.zeros(len(weights.W_hh))
    for t in reversed(range(len(x))):
        dy = states.y[t] - targets[t]
        from_output[t] = weights.W_hy.T @ dy
        from_next[t] = weights.W_hh.T @ dz
        dz = (from_output[t] + from_next[t]) * (1 - states.h[t + 1] ** 2)
        d_weights.W_hy[:] += np.outer(dy, states.h[t + 1])
        d_weights.W_hh[:] += np.outer(dz, states.h[t])
        d_weights.W_xh[:] += np.outer(dz, x[t])
    return Gradients(d_weights, from_output, from_next, from_output + from_next)


def finite_differences(weights: Weights, x: np.ndarray, targets: np.ndarray) -> Weights:
    """Return the gradients of the weights as (L(w + e) - L(w - e)) / 2e, one weight at a time."""

    def loss() -> float:
        return forward(weights, x, targets).losses.sum()

    gradients = Weights(*map(np.zeros_like, weights))
    for matrix, gradient in zip(weights, gradients, strict=True):
        for index in np.ndindex(matrix.shape):
            value = matrix[index]
            matrix[index] = value + EPSILON
            above = loss()
            matrix[index] = value - EPSILON
            gradient[index] = (above - loss()) / (2 * EPSILON)
            matrix[index] = value
    return gradients


def tape_gradients(
    weights: Weights, x: np.ndarray, targets: np.ndarray
) -> tuple[Weights, np.ndarray]:
    """Return the gradients of the weights and of the states [time, units] by `tf.GradientTape`."""
    import tensorflow as tf

    matrices = [tf.Variable(matrix) for matrix in weights]
    W_xh, W_hh, W_hy = matrices
    with tf.GradientTape() as tape:
        h, states, loss = tf.zeros((W_hh.shape[0], 1), tf.float64), [], 0.0
        for t in range(len(x)):
            h = tf.tanh(W_xh @ x[t][:, None] + W_hh @ h)
            states.append(h)
            loss += 0.5 * tf.reduce_sum((W_hy @ h - targets[t][:, None]) ** 2)
    *of_weights, of_states = tape.gradient(loss, [*matrices, states])
    return Weights(*(g.numpy() for g in of_weights)), np.stack([g.numpy()[:, 0] for g in of_states])


def layer_gradients(weights: Weights, x: np.ndarray, targets: np.ndarray) -> Weights:
    """Return the gradients of the weights in a Keras model with the zoo's `SimpleRNN`."""
    import keras
    import tensorflow as tf

    from zoo.common.layers.recurrent import SimpleRNN

    sequence = keras.Input(x.shape, dtype="float64")
    units, outputs = len(weights.W_hh), len(weights.W_hy)
    layer = SimpleRNN(units, use_bias=False, return_sequences=True, dtype="float64")
    output = keras.layers.Dense(outputs, use_bias=False, dtype="float64")
    model = keras.Model(sequence, output(layer(sequence)))
    model.set_weights([matrix.T for matrix in weights])
    with tf.GradientTape() as tape:
        loss = 0.5 * tf.reduce_sum((model(x[None], training=True) - targets[None]) ** 2)
    return Weights(*(g.numpy().T for g in tape.gradient(loss, model.trainable_variables)))
