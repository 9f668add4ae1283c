"""Recurrences over a whole sequence, with hand-written gradients and loops compiled by XLA.

The caller projects the inputs, `z = x K + b`, in one product for the whole sequence, and TensorFlow
differentiates that product. What is left to the loop is the recurrent product and the gates. The
loop back in time carries the gradients of the states alone; the gradient of the recurrent kernel is
one product after it.

XLA compiles anew for every shape. So the loop is cut into windows of `WINDOW` steps, and one
compiled function serves sequences of every length; a batch size seen for the first time compiles.
"""

import tensorflow as tf

from zoo.common.errors import ZooError
from zoo.common.recurrent.cells import Cell

WINDOW = 64


def run(
    cell: Cell,
    z: tf.Tensor,
    weights: tuple[tf.Tensor, ...],
    states: tuple[tf.Tensor, ...],
    *,
    mask: tf.Tensor | None = None,
    dropout: tf.Tensor | None = None,
    reverse: bool = False,
    training: bool = False,
) -> tuple[tf.Tensor, tuple[tf.Tensor, ...]]:
    """Walk a recurrence over time.

    Args:
        cell: the recurrence.
        z: gate inputs, `[time, batch, gates * units]`, float32 or float64.
        weights: of the cell, in its order.
        states: before the first step, each `[batch, units]`.
        mask: bool `[time, batch, 1]`. A step where it is false keeps the states. Defaults to None.
        dropout: `[gates, batch, units]`, masks on the state that each gate sees. Defaults to None.
        reverse: walk from the last step to the first. Results stay in the order of `z`.
        training: keep what a gradient needs. Without it a gradient walks forward once more.

    Returns:
        `h` after each step, `[time, batch, units]`, and the states after the last step.

    Raises:
        ZooError: a second derivative is asked for.
    """

    def forward(z, weights, states, keep):
        count = len(states)
        matrices = cell.prepare(weights, dropout)

        def window(cut, first, last, states, _):
            states, h, kept = _forward(
                cell, reverse, keep, cut(z), cut(mask), dropout, matrices, states, first, last
            )
            return states, (h,), kept

        kept = cell.kept if keep else 0
        if not keep:
            states = (*states, tf.zeros_like(states[0]))  # see `_forward`
        states, (h,), kept = _over_windows(window, z, reverse, states, (states[0].shape[1],), kept)
        return h, states[:count], kept

    def backward(z, weights, states, h, kept, d_h, d_states):
        if not training:
            _, _, kept = forward(z, weights, states, keep=True)
        matrices = cell.transpose(weights, dropout)

        def window(cut, first, last, d_states, kept):
            d_states, emitted = _backward(
                cell, reverse, cut(d_h), cut(mask), dropout, matrices, kept, d_states, first, last
            )
            return d_states, emitted, ()

        units = states[0].shape[1]
        widths = tuple(units * blocks for blocks in cell.emitted)
        d_states, emitted, _ = _over_windows(window, z, not reverse, d_states, widths, 0, kept)
        ends = (h[1:], states[0][None]) if reverse else (states[0][None], h[:-1])
        dz, d_weights = cell.gradients(tf.concat(ends, axis=0), emitted, dropout)
        return dz, *d_weights, *d_states

    @tf.custom_gradient
    def walk(*tensors):
        # Without gradients of their own, tapes stay out of the compiled functions.
        z, weights, states = parts(map(tf.stop_gradient, tensors))
        h, last_states, kept = forward(z, weights, states, keep=training)

        def gradient(*upstream):
            d_h, *d_states = map(tf.stop_gradient, upstream)
            gradients = backward(z, weights, states, h, kept, d_h, tuple(d_states))
            return _first_derivatives(gradients, (*upstream, *tensors))

        return (h, *last_states), gradient

    def parts(tensors):
        z, *others = tensors
        return z, tuple(others[: len(weights)]), tuple(others[len(weights) :])

    h, *last_states = walk(z, *weights, *states)
    return h, tuple(last_states)


def _first_derivatives(gradients, tensors):
    """`gradients`, which depend on `tensors`, with a clear error in place of their own gradient."""

    @tf.custom_gradient
    def guarded(*_):
        return gradients, refuse

    def refuse(*_):
        raise ZooError(
            "A recurrent layer on the zoo's CPU kernels has first derivatives only. "
            "zoo.common.recurrent.to_stock(model) gives Keras's own layers. "
            "Received: a request for a second derivative."
        )

    return guarded(*tensors)


# Windows ------------------------------------------------------------------------------------------


def _over_windows(window, like, reverse, states, widths, keep, kept=()):
    """Fold `window` over the time of `like`.

    `window(cut, first, last, states, kept)` returns the states, tensors of `widths` for each step,
    and `keep` tensors for another walk over the same windows. `cut(x)` is the part of `x` in the
    window, of which the steps from `first` to before `last` count.
    """
    time_steps = tf.shape(like)[0]
    fixed = like.shape[0] is not None and like.shape[0] <= WINDOW
    # A step that XLA compiles as a whole knows its shapes: nothing is gained by windows.
    if fixed or tf.__internal__.get_enclosing_xla_context() is not None:
        return window(lambda x: x, 0, time_steps, states, kept)

    windows = (time_steps + WINDOW - 1) // WINDOW

    def array(steps, width):
        return tf.TensorArray(
            like.dtype,
            windows,
            element_shape=(steps, like.shape[1], width),
            infer_shape=False,
            clear_after_read=False,
        )

    def body(k, states, sequences, keeping):
        # The last window begins early enough to be full, where the sequence is long enough.
        start = tf.minimum(k * WINDOW, tf.maximum(time_steps - WINDOW, 0))

        def cut(x):
            if x is None:
                return None
            part = x[start : start + WINDOW]
            return tf.pad(part, ((0, WINDOW - tf.shape(part)[0]), (0, 0), (0, 0)))

        first, last = k * WINDOW - start, tf.minimum((k + 1) * WINDOW, time_steps) - start
        states, parts, keeps = window(cut, first, last, states, tuple(x.read(k) for x in kept))
        sequences = tuple(
            x.write(k, part[first:last]) for x, part in zip(sequences, parts, strict=True)
        )
        keeping = tuple(x.write(k, part) for x, part in zip(keeping, keeps, strict=True))
        return k - 1 if reverse else k + 1, tuple(states), sequences, keeping

    _, states, sequences, keeping = tf.while_loop(
        lambda k, *_: k >= 0 if reverse else k < windows,
        body,
        (
            windows - 1 if reverse else tf.constant(0),
            tuple(states),
            tuple(array(None, width) for width in widths),
            tuple(array(WINDOW, states[0].shape[1]) for _ in range(keep)),
        ),
        maximum_iterations=windows,
    )
    return states, tuple(x.concat() for x in sequences), keeping


@tf.function(jit_compile=True, autograph=False)
def _forward(cell, reverse, keep, z, mask, dropout, matrices, states, first, last):
    """Walk `cell` over one window: the states, `h` of each step, what is kept of each step.

    Where nothing is kept, one of the tensors to keep is carried as a last state: XLA would otherwise
    fuse the gates into the update of the states, and not vectorise them.
    """

    def step(t, states):
        old = states if keep else states[:-1]
        new, kept = cell.forward(z[t], old, matrices, dropout)
        if mask is not None:
            new = tuple(tf.where(mask[t], n, o) for n, o in zip(new, old, strict=True))
        if not keep:
            return (*new, kept[0]), new[:1]
        if mask is not None:
            kept = tuple(tf.where(mask[t], x, 0.0) for x in kept)
        return new, (new[0], *kept)

    widths = [states[0].shape[1]] * (1 + (cell.kept if keep else 0))
    states, (h, *kept) = _fold(step, z, reverse, states, widths, first, last)
    return states, h, tuple(kept)


@tf.function(jit_compile=True, autograph=False)
def _backward(cell, reverse, d_h, mask, dropout, matrices, kept, d_states, first, last):
    """Walk `cell` back over one window: the gradients of the states, what each step emits."""

    def step(t, d_states):
        d_states = (d_states[0] + d_h[t], *d_states[1:])
        coefficients = tuple(x[t] for x in kept)
        before, emitted = cell.backward(d_states, coefficients, matrices, dropout)
        if mask is not None:
            before = tuple(tf.where(mask[t], b, d) for b, d in zip(before, d_states, strict=True))
        return before, emitted

    units = d_states[0].shape[1]
    widths = [units * blocks for blocks in cell.emitted]
    return _fold(step, d_h, not reverse, d_states, widths, first, last)


def _fold(step, like, reverse, states, widths, first, last):
    """Fold `step(t, states) -> states, tensors` over the steps of a window."""
    arrays = tuple(
        tf.TensorArray(like.dtype, tf.shape(like)[0], element_shape=(like.shape[1], width))
        for width in widths
    )

    def body(t, states, arrays):
        states, values = step(t, states)
        arrays = tuple(x.write(t, value) for x, value in zip(arrays, values, strict=True))
        return t - 1 if reverse else t + 1, tuple(states), arrays

    _, states, arrays = tf.while_loop(
        lambda t, *_: t >= first if reverse else t < last,
        body,
        (last - 1 if reverse else tf.convert_to_tensor(first), tuple(states), arrays),
    )
    return states, tuple(x.stack() for x in arrays)
