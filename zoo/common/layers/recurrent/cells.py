"""One step of each recurrence, forward and backward in time (TensorFlow).

A backward step is linear in the gradients of the states. The forward step computes the coefficients of
this linear map from the gates, and the backward step only multiplies. docs/recurrent.md has the
equations.

XLA vectorizes tanh over a whole block of gates, but not over parts of a block. Therefore all gates are
computed as one block, with sigmoid(x) = 1/2 + 1/2 tanh(x/2).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf


class Cell(NamedTuple):
    """A recurrence for `kernels.run`.

    In each step, `z` is `[batch, gates * units]`, and a state and each residual are `[batch, units]`.
    `dropout` is None or `[gates, batch, units]`: the mask of the state for each gate, which is the same
    in all steps.

    Args:
        gates: number of gate inputs, in blocks of `units`.
        residuals: number of tensors that `forward` returns for `backward`.
        gate_gradients: widths of the gate gradients of `backward`, in blocks of `units`.
        prepare: maps (weights, dropout) to the matrices of `forward`.
        transpose: maps (weights, dropout) to the matrices of `backward`.
        forward: maps (z, states, matrices, dropout) to (states, residuals).
        backward: maps (d_states, residuals, matrices, dropout) to (d_states before the step, gate
            gradients).
        gradients: maps (previous h, gate gradients, dropout, multiply) to (gradient of z, gradients of
            the weights). Previous h, the gate gradients and the gradient of z are `[time, batch, ...]`;
            `multiply` is the matrix product of `kernels.run`.
    """

    gates: int
    residuals: int
    gate_gradients: tuple[int, ...]
    prepare: Callable
    transpose: Callable
    forward: Callable
    backward: Callable
    gradients: Callable


# LSTM: states h and c; weights (kernel [units, 4 units]); gate order i, f, a, o -------------------


def _lstm_forward(z, states, matrices, dropout):
    h, c = states
    gates = tf.tanh(_halves(z + _product(h, matrices[0], dropout)))
    i, f, a, o = tf.split(gates, 4, axis=1)
    i, f, o = 0.5 + 0.5 * i, 0.5 + 0.5 * f, 0.5 + 0.5 * o
    new_c = f * c + i * a
    tanh_c = tf.tanh(new_c)
    c_to_i, c_to_f, c_to_a = a * i * (1 - i), c * f * (1 - f), i * (1 - a * a)
    h_to_o, h_to_c = tanh_c * o * (1 - o), o * (1 - tanh_c * tanh_c)
    return (o * tanh_c, new_c), (c_to_i, c_to_f, c_to_a, h_to_o, h_to_c, f)


def _halves(z):
    """Return the gate inputs, halved for the three sigmoids."""
    units = z.shape[1] // 4
    scale = np.full((1, 4 * units), 0.5)
    scale[:, 2 * units : 3 * units] = 1.0
    return z * tf.constant(scale, z.dtype)


def _lstm_backward(d_states, residuals, matrices, dropout):
    dh, dc = d_states
    c_to_i, c_to_f, c_to_a, h_to_o, h_to_c, c_to_c = residuals
    dc += dh * h_to_c
    dz = tf.concat([dc * c_to_i, dc * c_to_f, dc * c_to_a, dh * h_to_o], axis=1)
    return (_product_gradient(dz, matrices[0], dropout), dc * c_to_c), (dz,)


LSTM = Cell(
    gates=4,
    residuals=6,
    gate_gradients=(4,),
    prepare=lambda weights, dropout: (_matrix(weights[0], dropout),),
    transpose=lambda weights, dropout: (_transpose(weights[0], dropout),),
    forward=_lstm_forward,
    backward=_lstm_backward,
    gradients=lambda h, gate_gradients, dropout, multiply: (
        gate_gradients[0],
        (_kernel_gradient(h, gate_gradients[0], dropout, multiply),),
    ),
)


# GRU, the reset gate after the recurrent product --------------------------------------------------
# state h; weights (kernel [units, 3 units], bias [3 units]); gate order u, r, a


def _gru_forward(z, states, matrices, dropout):
    (h,) = states
    inner = _product(h, matrices[0], dropout) + matrices[1]
    units = h.shape[1]
    u, r = tf.split(_sigmoid(z[:, : 2 * units] + inner[:, : 2 * units]), 2, axis=1)
    inner_a = inner[:, 2 * units :]
    a = tf.tanh(z[:, 2 * units :] + r * inner_a)
    h_to_a = (1 - u) * (1 - a * a)
    h_to_u, h_to_r = (h - a) * u * (1 - u), h_to_a * inner_a * r * (1 - r)
    return (u * h + (1 - u) * a,), (h_to_a, h_to_u, h_to_r, h_to_a * r, u)


def _gru_backward(d_states, residuals, matrices, dropout):
    (dh,) = d_states
    h_to_a, h_to_u, h_to_r, h_to_inner_a, h_to_h = residuals
    d_inner = tf.concat([dh * h_to_u, dh * h_to_r, dh * h_to_inner_a], axis=1)
    before = _product_gradient(d_inner, matrices[0], dropout) + dh * h_to_h
    return (before,), (d_inner, dh * h_to_a)


def _gru_gradients(h, gate_gradients, dropout, multiply):
    d_inner, da = gate_gradients
    du, dr, _ = tf.split(d_inner, 3, axis=2)
    d_kernel = _kernel_gradient(h, d_inner, dropout, multiply)
    return tf.concat([du, dr, da], axis=2), (d_kernel, tf.reduce_sum(d_inner, axis=(0, 1)))


GRU = Cell(
    gates=3,
    residuals=5,
    gate_gradients=(3, 1),
    prepare=lambda weights, dropout: (_matrix(weights[0], dropout), weights[1]),
    transpose=lambda weights, dropout: (_transpose(weights[0], dropout),),
    forward=_gru_forward,
    backward=_gru_backward,
    gradients=_gru_gradients,
)


# GRU, the reset gate before the candidate's recurrent product -------------------------------------
# state h; weights (kernel [units, 3 units]); gate order u, r, a


def _gru_before_forward(z, states, matrices, dropout):
    (h,) = states
    h_a = h if dropout is None else h * dropout[2]
    inner = _product(h, matrices[0], None if dropout is None else dropout[:2])
    units = h.shape[1]
    u, r = tf.split(_sigmoid(z[:, : 2 * units] + inner), 2, axis=1)
    reset_h = r * h_a
    a = tf.tanh(z[:, 2 * units :] + tf.matmul(reset_h, matrices[1]))
    reset_to_h = r if dropout is None else r * dropout[2]
    residuals = (
        (1 - u) * (1 - a * a),
        (h - a) * u * (1 - u),
        h_a * r * (1 - r),
        reset_to_h,
        reset_h,
        u,
    )
    return (u * h + (1 - u) * a,), residuals


def _gru_before_backward(d_states, residuals, matrices, dropout):
    (dh,) = d_states
    h_to_a, h_to_u, reset_to_r, reset_to_h, reset_h, h_to_h = residuals
    du, da = dh * h_to_u, dh * h_to_a
    d_reset = tf.matmul(da, matrices[1])
    d_gates = tf.concat([du, d_reset * reset_to_r], axis=1)
    before = _product_gradient(d_gates, matrices[0], None if dropout is None else dropout[:2])
    before += d_reset * reset_to_h + dh * h_to_h
    return (before,), (tf.concat([d_gates, da], axis=1), reset_h)


def _gru_before_gradients(h, gate_gradients, dropout, multiply):
    dz, reset_h = gate_gradients
    units = reset_h.shape[2]
    dropout = None if dropout is None else dropout[:2]
    gates = _kernel_gradient(h, dz[:, :, : 2 * units], dropout, multiply)
    candidate = _kernel_gradient(reset_h, dz[:, :, 2 * units :], None, multiply)
    return dz, (tf.concat([gates, candidate], axis=1),)


def _gru_before_parts(weights, dropout):
    units = weights[0].shape[0]
    gates, candidate = weights[0][:, : 2 * units], weights[0][:, 2 * units :]
    return gates, candidate, None if dropout is None else dropout[:2]


def _gru_before_prepare(weights, dropout):
    gates, candidate, dropout = _gru_before_parts(weights, dropout)
    return _matrix(gates, dropout), candidate


def _gru_before_transpose(weights, dropout):
    gates, candidate, dropout = _gru_before_parts(weights, dropout)
    return _transpose(gates, dropout), tf.transpose(candidate)


GRU_RESET_BEFORE = Cell(
    gates=3,
    residuals=6,
    gate_gradients=(3, 1),
    prepare=_gru_before_prepare,
    transpose=_gru_before_transpose,
    forward=_gru_before_forward,
    backward=_gru_before_backward,
    gradients=_gru_before_gradients,
)


# Simple recurrence: state h; weights (kernel [units, units]) --------------------------------------


def _tanh_forward(z, states, matrices, dropout):
    h = tf.tanh(z + _product(states[0], matrices[0], dropout))
    return (h,), (1 - h * h,)


def _sigmoid_forward(z, states, matrices, dropout):
    h = _sigmoid(z + _product(states[0], matrices[0], dropout))
    return (h,), (h * (1 - h),)


def _simple_backward(d_states, residuals, matrices, dropout):
    dz = d_states[0] * residuals[0]
    return (_product_gradient(dz, matrices[0], dropout),), (dz,)


SIMPLE_TANH = LSTM._replace(
    gates=1, residuals=1, gate_gradients=(1,), forward=_tanh_forward, backward=_simple_backward
)
SIMPLE_SIGMOID = SIMPLE_TANH._replace(forward=_sigmoid_forward)


# The recurrent product `h R`, with one mask on h per gate if there is dropout ----------------------


def _matrix(kernel, dropout):
    """Return the matrix of `_product`: the kernel, or `[gates, units, units]` for the masks."""
    return kernel if dropout is None else tf.stack(_blocks(kernel, dropout))


def _transpose(kernel, dropout):
    """Return the matrix of `_product_gradient`, copied so that the product reads contiguous rows."""
    if dropout is None:
        return tf.transpose(kernel)
    return tf.stack([tf.transpose(block) for block in _blocks(kernel, dropout)])


def _blocks(kernel, dropout):
    return tf.split(kernel, dropout.shape[0], axis=1)


def _sigmoid(x):
    return 0.5 + 0.5 * tf.tanh(0.5 * x)


def _product(h, matrix, dropout):
    if dropout is None:
        return tf.matmul(h, matrix)
    return tf.concat(tf.unstack(tf.matmul(h * dropout, matrix)), axis=1)


def _product_gradient(d_product, matrix, dropout):
    if dropout is None:
        return tf.matmul(d_product, matrix)
    d_gates = tf.stack(tf.split(d_product, dropout.shape[0], axis=1))
    return tf.reduce_sum(tf.matmul(d_gates, matrix) * dropout, axis=0)


def _kernel_gradient(h, d_product, dropout, multiply):
    """Return the gradient of the kernel: one product over all steps and rows, or one per mask."""
    if dropout is not None:
        gates = tf.split(d_product, dropout.shape[0], axis=2)
        pairs = zip(tf.unstack(dropout), gates, strict=True)
        blocks = [_kernel_gradient(h * m, gate, None, multiply) for m, gate in pairs]
        return tf.concat(blocks, axis=1)
    units, width = h.shape[2], d_product.shape[2]
    return multiply(
        tf.reshape(h, (-1, units)), tf.reshape(d_product, (-1, width)), transpose_a=True
    )
