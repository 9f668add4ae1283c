"""Recurrences over a whole sequence, with explicit gradients and loops compiled by XLA.

A sequence is divided into windows of `WINDOW` steps. In each window, the gate inputs are one product,
`z = x K + b`. The loop over the steps computes only the recurrent product and the gates. The backward
loop computes only the gradients of the states; the gradients of the weights are one product each after
it. Therefore memory holds the gates of one window only, except for the residuals of the gradient.

XLA compiles a function again for every new shape. The shape of a window does not depend on the number of
windows, so that one compiled function runs sequences of every length, and three more run short sequences
that fit into a half, a quarter or an eighth of a window. A new batch size is compiled again.
"""

from typing import NamedTuple

import tensorflow as tf

from zoo.common.core.errors import ZooError
from zoo.common.layers.recurrent.cells import Cell
from zoo.common.utils.private import in_xla

WINDOW = 64


def run(
    cell: Cell,
    x: tf.Tensor,
    kernel: tf.Tensor,
    bias: tf.Tensor,
    weights: tuple[tf.Tensor, ...],
    states: tuple[tf.Tensor, ...],
    *,
    mask: tf.Tensor | None = None,
    dropout: tf.Tensor | None = None,
    reverse: bool = False,
    training: bool = False,
    products: str | None = None,
) -> tuple[tf.Tensor, tuple[tf.Tensor, ...]]:
    """Run a recurrence over time.

    Args:
        cell: the recurrence.
        x: inputs, `[time, batch, features]`, float32 or float64.
        kernel: kernel of the gate inputs, `[features, gates * units]`.
        bias: bias of the gate inputs, `[gates * units]`.
        weights: weights of the cell.
        states: states before the first step, each `[batch, units]`.
        mask: bool `[time, batch, 1]`. The states do not change at steps where it is False.
        dropout: `[gates, batch, units]`, the mask of the state for each gate.
        reverse: whether to run from the last step to the first. The results have the order of `x`.
        training: whether to keep the residuals for a gradient. Without them, a gradient runs the forward
            loop again.
        products: dtype of the operands and results of products outside the loop; their sums are in
            float32. Defaults to the dtype of `x`.

    Returns:
        `h` after each step, `[time, batch, units]`, and the states after the last step.

    Raises:
        ZooError: a second derivative is requested.
    """
    count, units = len(states), states[0].shape[1]
    products = products or x.dtype

    def multiply(a, b, **how):
        # Outside XLA: only oneDNN is faster in half precision on a CPU.
        product = tf.matmul(tf.cast(a, products), tf.cast(b, products), **how)
        return tf.cast(product, x.dtype)

    def forward(x, kernel, bias, weights, states, keep):
        matrices, kernel = cell.prepare(weights, dropout), tf.cast(kernel, products)

        def window(part, states, _):
            inputs = part.slice(x)
            z = tf.nn.bias_add(multiply(_flatten_time(inputs), kernel), bias)
            z = part.pad(_unflatten_time(inputs, z))
            states, h, residuals = _forward(
                cell, reverse, keep, z, part.pad(part.slice(mask)), dropout, matrices, states,
                part.steps,
            )  # fmt: skip
            return states, (part.unpad(h),), residuals

        residuals = cell.residuals if keep else 0
        if not keep:
            states = (*states, tf.zeros_like(states[0]))  # the additional state of `_forward`
        states, (h,), residuals = over_windows(
            window, x, reverse, states, (units,), residuals, units
        )
        return h, states[:count], residuals

    def backward(x, kernel, bias, weights, states, h, residuals, d_h, d_states):
        if not training:
            _, _, residuals = forward(x, kernel, bias, weights, states, keep=True)
        matrices = cell.transpose(weights, dropout)
        from_gates = tf.cast(tf.transpose(kernel), products)

        def window(part, carried, residuals):
            d_states, sums = carried[:count], carried[count:]
            d_states, gate_gradients = _backward(
                cell, reverse, part.pad(part.slice(d_h)), part.pad(part.slice(mask)), dropout,
                matrices, residuals, d_states, part.steps,
            )  # fmt: skip
            gate_gradients = tuple(part.unpad(values) for values in gate_gradients)
            dz, d_weights = cell.gradients(
                part.before(h, states[0], reverse), gate_gradients, dropout, multiply
            )
            rows, inputs = _flatten_time(dz), part.slice(x)
            gradients = (
                multiply(_flatten_time(inputs), rows, transpose_a=True),
                tf.reduce_sum(rows, axis=0),
                *d_weights,
            )
            sums = tuple(total + gradient for total, gradient in zip(sums, gradients, strict=True))
            return (*d_states, *sums), (_unflatten_time(inputs, multiply(rows, from_gates)),), ()

        sums = map(tf.zeros_like, (kernel, bias, *weights))
        carried, (dx,), _ = over_windows(
            window, x, not reverse, (*d_states, *sums), (x.shape[2],), 0, units, residuals
        )
        return dx, *carried[count:], *carried[:count]

    @tf.custom_gradient
    def recurrence(*tensors):
        # Without `stop_gradient`, gradient tapes would record the compiled functions.
        inputs = parts(map(tf.stop_gradient, tensors))
        h, last_states, residuals = forward(*inputs, keep=training)

        def gradient(*upstream):
            d_h, *d_states = map(tf.stop_gradient, upstream)
            gradients = backward(*inputs, h, residuals, d_h, tuple(d_states))
            return first_derivatives(gradients, (*upstream, *tensors))

        return (h, *last_states), gradient

    def parts(tensors):
        x, kernel, bias, *others = tensors
        return x, kernel, bias, tuple(others[: len(weights)]), tuple(others[len(weights) :])

    h, *last_states = recurrence(x, kernel, bias, *weights, *states)
    return h, tuple(last_states)


def _flatten_time(x):
    """Reshape `[time, batch, width]` to a matrix `[time * batch, width]`."""
    return tf.reshape(x, (-1, x.shape[2]))


def _unflatten_time(x, rows):
    """Reshape a matrix to `[time, batch, width]`, with the time and batch dimensions of `x`."""
    width = rows.shape[1]
    sequence = tf.reshape(rows, (*tf.unstack(tf.shape(x)[:2]), width))
    return tf.ensure_shape(sequence, (*x.shape[:2], width))


def first_derivatives(gradients, tensors):
    """Return `gradients`, which depend on `tensors`, with an error as their own gradient."""

    @tf.custom_gradient
    def guarded(*_):
        return gradients, refuse

    def refuse(*_):
        raise ZooError(
            "Recurrent layers with the zoo's CPU kernels support first derivatives only. Convert the "
            "model with zoo.common.layers.recurrent.to_stock for others. "
            "Received: a request for a second derivative."
        )

    return guarded(*tensors)


# Windows ------------------------------------------------------------------------------------------


class _Part(NamedTuple):
    """A window of a sequence.

    The loops run on tensors padded to `length`; the products use only the steps of the window.

    Args:
        start: first step.
        steps: number of steps.
        length: number of steps with padding; None if the window is the whole sequence.
    """

    start: tf.Tensor | int
    steps: tf.Tensor
    length: tf.Tensor | None

    def slice(self, x):
        """Return the steps of `x` in the window, or None."""
        if x is None or self.length is None:
            return x
        return x[self.start : self.start + self.steps]

    def pad(self, x):
        """Pad the steps of a window with zeros to `length`. None remains None."""
        if x is None or self.length is None:
            return x
        padded = tf.pad(x, ((0, self.length - self.steps), (0, 0), (0, 0)))
        return tf.ensure_shape(padded, (None, *x.shape[1:]))

    def unpad(self, x):
        """Remove the padding."""
        return x if self.length is None else x[: self.steps]

    def before(self, h, state, reverse):
        """Return for each step `h` of the previous step, or the initial state."""
        if self.length is None:
            return tf.concat([h[1:], state[None]] if reverse else [state[None], h[:-1]], axis=0)
        end = self.start + self.steps
        if reverse:
            edge = tf.where(end < tf.shape(h)[0], h[tf.minimum(end, tf.shape(h)[0] - 1)], state)
            return tf.concat([h[self.start + 1 : end], edge[None]], axis=0)
        edge = tf.where(self.start > 0, h[tf.maximum(self.start - 1, 0)], state)
        return tf.concat([edge[None], h[self.start : end - 1]], axis=0)


def over_windows(window, like, reverse, carried, widths, keep, units, residuals=()):
    """Apply `window` to the windows of a sequence in order.

    Args:
        window: maps (part, carried, residuals) to the next carried tensors, the output sequences of the
            window, and the residuals of the window.
        like: tensor with the time and batch dimensions of the sequence.
        reverse: whether to run from the last window to the first.
        carried: the initial carried tensors.
        widths: widths of the output sequences.
        keep: number of residuals.
        units: width of the residuals.
        residuals: the residuals of an earlier call with the same windows.

    Returns:
        The final carried tensors, the output sequences, and the residuals.
    """
    time_steps = tf.shape(like)[0]
    fixed = like.shape[0] is not None and like.shape[0] <= WINDOW
    # A function that XLA compiles as a whole has known shapes, so windows have no advantage.
    if fixed or in_xla():
        return window(_Part(0, time_steps, None), carried, residuals)

    windows = (time_steps + WINDOW - 1) // WINDOW
    # Windows are padded with zeros, so short sequences use shorter windows.
    shorter = [WINDOW // 2, WINDOW // 4, WINDOW // 8]
    length = WINDOW // 2 ** tf.reduce_sum(tf.cast(time_steps <= shorter, tf.int32))

    def array(width):
        return tf.TensorArray(
            like.dtype,
            windows,
            element_shape=(None, like.shape[1], width),
            infer_shape=False,
            clear_after_read=False,
        )

    def body(k, carried, sequences, keeping):
        start = k * WINDOW
        part = _Part(start, tf.minimum(time_steps - start, WINDOW), length)
        new, parts, keeps = window(part, carried, tuple(x.read(k) for x in residuals))
        # Functions traced for any batch size return an unknown one: restore it for the loop.
        carried = tuple(tf.ensure_shape(x, o.shape) for x, o in zip(new, carried, strict=True))
        sequences = tuple(x.write(k, values) for x, values in zip(sequences, parts, strict=True))
        keeping = tuple(x.write(k, values) for x, values in zip(keeping, keeps, strict=True))
        return k - 1 if reverse else k + 1, carried, sequences, keeping

    _, carried, sequences, keeping = tf.while_loop(
        lambda k, *_: k >= 0 if reverse else k < windows,
        body,
        (
            windows - 1 if reverse else tf.constant(0),
            tuple(carried),
            tuple(array(width) for width in widths),
            tuple(array(units) for _ in range(keep)),
        ),
        maximum_iterations=windows,
    )
    return carried, tuple(x.concat() for x in sequences), keeping


@tf.function(jit_compile=True, autograph=False)
def _forward(cell, reverse, keep, z, mask, dropout, matrices, states, steps):
    """Run the steps of one window, and return the states, `h` of each step and the residuals.

    If no residuals are kept, one of them is an additional state. Otherwise XLA would fuse the gates with
    the update of the states, and would not vectorize them.
    """

    def step(t, states):
        old = states if keep else states[:-1]
        new, residuals = cell.forward(z[t], old, matrices, dropout)
        if mask is not None:
            new = tuple(tf.where(mask[t], n, o) for n, o in zip(new, old, strict=True))
        if not keep:
            return (*new, residuals[0]), new[:1]
        if mask is not None:
            residuals = tuple(tf.where(mask[t], x, 0.0) for x in residuals)
        return new, (new[0], *residuals)

    widths = [states[0].shape[1]] * (1 + (cell.residuals if keep else 0))
    states, (h, *residuals) = fold(step, z, reverse, states, widths, steps)
    return states, h, tuple(residuals)


@tf.function(jit_compile=True, autograph=False)
def _backward(cell, reverse, d_h, mask, dropout, matrices, residuals, d_states, steps):
    """Run the steps of one window backward, and return the gradients of the states and gates."""

    def step(t, d_states):
        d_states = (d_states[0] + d_h[t], *d_states[1:])
        coefficients = tuple(x[t] for x in residuals)
        before, gate_gradients = cell.backward(d_states, coefficients, matrices, dropout)
        if mask is not None:
            before = tuple(tf.where(mask[t], b, d) for b, d in zip(before, d_states, strict=True))
        return before, gate_gradients

    units = d_states[0].shape[1]
    widths = [units * blocks for blocks in cell.gate_gradients]
    return fold(step, d_h, not reverse, d_states, widths, steps)


def fold(step, like, reverse, states, widths, steps):
    """Run `step(t, states) -> states, tensors` for the first `steps` steps of a window.

    Returns:
        The final states, and the tensors of all steps, stacked.
    """
    arrays = tuple(
        tf.TensorArray(like.dtype, tf.shape(like)[0], element_shape=(like.shape[1], width))
        for width in widths
    )

    def body(t, states, arrays):
        states, values = step(t, states)
        arrays = tuple(x.write(t, value) for x, value in zip(arrays, values, strict=True))
        return t - 1 if reverse else t + 1, tuple(states), arrays

    _, states, arrays = tf.while_loop(
        lambda t, *_: t >= 0 if reverse else t < steps,
        body,
        (steps - 1 if reverse else tf.constant(0), tuple(states), arrays),
    )
    return states, tuple(x.stack() for x in arrays)
