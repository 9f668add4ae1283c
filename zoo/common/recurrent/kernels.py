"""Recurrences over a whole sequence with hand-written gradients (TensorFlow, CPU).

Each recurrence takes gate inputs that are already projected, `z = x K + b`, so the caller makes that
product once for the whole sequence and TensorFlow differentiates it as one product. What remains
here is the loop. Its forward pass keeps the gates; its backward pass carries only the gate
gradients; the gradient of the recurrent kernel is one product after the loop.

Shapes: `time` leads, so that a step reads contiguous memory. `z` is `[time, batch, gates * units]`,
a state `[batch, units]`, a mask `bool [time, batch, 1]` or None. A masked step keeps the state.
`reverse=True` walks from the last step to the first; results stay in the order of the input.
"""

import tensorflow as tf


def lstm(z, recurrent_kernel, h0, c0, mask, reverse, dropout):
    """Hidden states of an LSTM.

    i, f, o = sigmoid(z_i + (h * m_i) R_i), ...   a = tanh(z_a + (h * m_a) R_a)
    c' = f * c + i * a      h' = o * tanh(c')

    Args:
        z: `[time, batch, 4 * units]`, gate order i, f, a, o.
        recurrent_kernel: `[units, 4 * units]`.
        h0, c0: `[batch, units]`.
        mask: `bool [time, batch, 1]` or None.
        reverse: bool.
        dropout: the masks `m`, `[4, batch, units]`, or None for ones.

    Returns:
        `h` of every step `[time, batch, units]`, the last `h`, the last `c`.
    """
    units = recurrent_kernel.shape[0]

    @tf.custom_gradient
    def run(z, recurrent_kernel, h0, c0):
        def step(read, h, c):
            gates = read(z) + _recurrent_product(h, recurrent_kernel, dropout, 4)
            i, f, a, o = tf.split(gates, 4, axis=1)
            i, f, a, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(a), tf.sigmoid(o)
            new_c = f * c + i * a
            new_h = o * tf.tanh(new_c)
            new_h, new_c = _keep_masked(read, mask, (new_h, new_c), (h, c))
            return (new_h, new_c), (new_h, new_c, tf.concat([i, f, a, o], axis=1))

        (last_h, last_c), (all_h, all_c, gates) = _walk(
            step, reverse, (h0, c0), inputs=(z, mask), keep=(units, units, 4 * units)
        )

        def gradient(d_all_h, d_last_h, d_last_c):
            previous_c = _shift(all_c, c0, reverse)

            def step(read, dh, dc):
                i, f, a, o = tf.split(read(gates), 4, axis=1)
                tanh_c = tf.tanh(read(all_c))
                dh += read(d_all_h)
                do = dh * tanh_c * o * (1 - o)
                d_new_c = dc + dh * o * (1 - tanh_c * tanh_c)
                di = d_new_c * a * i * (1 - i)
                da = d_new_c * i * (1 - a * a)
                df = d_new_c * read(previous_c) * f * (1 - f)
                dz = tf.concat([di, df, da, do], axis=1)
                if mask is not None:
                    dz = tf.where(read(mask), dz, 0.0)
                before = _recurrent_product_gradient(dz, recurrent_kernel, dropout, 4)
                if mask is not None:
                    before += tf.where(read(mask), 0.0, dh)
                (d_new_c,) = _keep_masked(read, mask, (d_new_c * f,), (dc,))
                return (before, d_new_c), (dz,)

            (dh0, dc0), (dz,) = _walk(
                step,
                not reverse,
                (d_last_h, d_last_c),
                inputs=(gates, all_c, d_all_h, previous_c, mask),
                keep=(4 * units,),
            )
            d_kernel = _weight_gradient(_shift(all_h, h0, reverse), dz, dropout, 4)
            return dz, d_kernel, dh0, dc0

        return (all_h, last_h, last_c), gradient

    return run(z, recurrent_kernel, h0, c0)


def gru(z, recurrent_kernel, recurrent_bias, h0, mask, reverse, dropout):
    """Hidden states of a GRU whose reset gate acts after the recurrent product.

    u, r = sigmoid(z_u + (h * m_u) R_u + b_u), ...
    q = (h * m_a) R_a + b_a      a = tanh(z_a + r * q)      h' = u * h + (1 - u) * a

    Args:
        z: `[time, batch, 3 * units]`, gate order u (update), r (reset), a (candidate).
        recurrent_kernel: `[units, 3 * units]`.
        recurrent_bias: `[3 * units]`.
        h0: `[batch, units]`.
        mask: `bool [time, batch, 1]` or None.
        reverse: bool.
        dropout: the masks `m`, `[3, batch, units]`, or None for ones.

    Returns:
        `h` of every step `[time, batch, units]`, the last `h`.
    """
    units = recurrent_kernel.shape[0]

    @tf.custom_gradient
    def run(z, recurrent_kernel, recurrent_bias, h0):
        def step(read, h):
            inner = _recurrent_product(h, recurrent_kernel, dropout, 3) + recurrent_bias
            x = read(z)
            u, r = tf.split(tf.sigmoid(x[:, : 2 * units] + inner[:, : 2 * units]), 2, axis=1)
            q = inner[:, 2 * units :]
            a = tf.tanh(x[:, 2 * units :] + r * q)
            new_h = u * h + (1 - u) * a
            (new_h,) = _keep_masked(read, mask, (new_h,), (h,))
            return (new_h,), (new_h, tf.concat([u, r, a, q], axis=1))

        (last_h,), (all_h, gates) = _walk(
            step, reverse, (h0,), inputs=(z, mask), keep=(units, 4 * units)
        )

        def gradient(d_all_h, d_last_h):
            previous_h = _shift(all_h, h0, reverse)

            def step(read, dh):
                u, r, a, q = tf.split(read(gates), 4, axis=1)
                dh += read(d_all_h)
                da = dh * (1 - u) * (1 - a * a)
                du = dh * (read(previous_h) - a) * u * (1 - u)
                dr = da * q * r * (1 - r)
                d_inner = tf.concat([du, dr, da * r], axis=1)
                if mask is not None:
                    d_inner = tf.where(read(mask), d_inner, 0.0)
                    da = tf.where(read(mask), da, 0.0)
                before = _recurrent_product_gradient(d_inner, recurrent_kernel, dropout, 3)
                (direct,) = _keep_masked(read, mask, (dh * u,), (dh,))
                return (before + direct,), (d_inner, da)

            (dh0,), (d_inner, da) = _walk(
                step,
                not reverse,
                (d_last_h,),
                inputs=(gates, d_all_h, previous_h, mask),
                keep=(3 * units, units),
            )
            dz = tf.concat([d_inner[:, :, : 2 * units], da], axis=2)
            d_kernel = _weight_gradient(previous_h, d_inner, dropout, 3)
            return dz, d_kernel, tf.reduce_sum(d_inner, axis=[0, 1]), dh0

        return (all_h, last_h), gradient

    return run(z, recurrent_kernel, recurrent_bias, h0)


def simple_rnn(z, recurrent_kernel, h0, mask, reverse, dropout):
    """Hidden states of an Elman network: h' = tanh(z + (h * m) R).

    Args:
        z: `[time, batch, units]`.
        recurrent_kernel: `[units, units]`.
        h0: `[batch, units]`.
        mask: `bool [time, batch, 1]` or None.
        reverse: bool.
        dropout: the mask `m`, `[1, batch, units]`, or None for ones.

    Returns:
        `h` of every step `[time, batch, units]`, the last `h`.
    """
    units = recurrent_kernel.shape[0]

    @tf.custom_gradient
    def run(z, recurrent_kernel, h0):
        def step(read, h):
            new_h = tf.tanh(read(z) + _recurrent_product(h, recurrent_kernel, dropout, 1))
            (new_h,) = _keep_masked(read, mask, (new_h,), (h,))
            return (new_h,), (new_h,)

        (last_h,), (all_h,) = _walk(step, reverse, (h0,), inputs=(z, mask), keep=(units,))

        def gradient(d_all_h, d_last_h):
            def step(read, dh):
                h = read(all_h)
                dh += read(d_all_h)
                dz = dh * (1 - h * h)
                if mask is not None:
                    dz = tf.where(read(mask), dz, 0.0)
                before = _recurrent_product_gradient(dz, recurrent_kernel, dropout, 1)
                if mask is not None:
                    before += tf.where(read(mask), 0.0, dh)
                return (before,), (dz,)

            (dh0,), (dz,) = _walk(
                step, not reverse, (d_last_h,), inputs=(all_h, d_all_h, mask), keep=(units,)
            )
            return dz, _weight_gradient(_shift(all_h, h0, reverse), dz, dropout, 1), dh0

        return (all_h, last_h), gradient

    return run(z, recurrent_kernel, h0)


def _walk(step, reverse, states, inputs, keep):
    """Fold `step` over time.

    `step(read, *states)` returns the new states and the tensors to keep, of widths `keep`;
    `read(x)` is the slice of one of `inputs` at the current step. Returns the last states and the
    kept tensors, stacked over time.
    """
    inputs = [x for x in inputs if x is not None]
    time_steps = tf.shape(inputs[0])[0]
    arrays = {
        id(x): tf.TensorArray(x.dtype, time_steps, element_shape=x.shape[1:]).unstack(x)
        for x in inputs
    }
    batch, dtype = states[0].shape[0], states[0].dtype
    kept = tuple(tf.TensorArray(dtype, time_steps, element_shape=(batch, width)) for width in keep)

    def body(t, states, kept):
        states, values = step(lambda x: arrays[id(x)].read(t), *states)
        kept = tuple(array.write(t, value) for array, value in zip(kept, values, strict=True))
        return t - 1 if reverse else t + 1, states, kept

    _, states, kept = tf.while_loop(
        lambda t, *_: t >= 0 if reverse else t < time_steps,
        body,
        (time_steps - 1 if reverse else tf.constant(0), tuple(states), kept),
        maximum_iterations=time_steps,
    )
    return states, tuple(array.stack() for array in kept)


def _keep_masked(read, mask, new, old):
    """`new` where the step counts, `old` where it is masked."""
    if mask is None:
        return new
    counts = read(mask)
    return tuple(tf.where(counts, n, o) for n, o in zip(new, old, strict=True))


def _shift(x, x0, reverse):
    """The value before each step: `x` moved one step on, `x0` in the gap."""
    if reverse:
        return tf.concat([x[1:], x0[None]], axis=0)
    return tf.concat([x0[None], x[:-1]], axis=0)


def _recurrent_product(h, kernel, dropout, gates):
    """`h R`, each gate with its own dropout mask on `h` where there are masks."""
    if dropout is None:
        return tf.matmul(h, kernel)
    products = tf.matmul(h * dropout, tf.stack(tf.split(kernel, gates, axis=1)))
    return tf.concat(tf.unstack(products, num=gates), axis=1)


def _recurrent_product_gradient(d_product, kernel, dropout, gates):
    """Gradient of `_recurrent_product` with respect to `h`."""
    if dropout is None:
        return tf.matmul(d_product, kernel, transpose_b=True)
    d_gates = tf.stack(tf.split(d_product, gates, axis=1))
    kernels = tf.stack(tf.split(kernel, gates, axis=1))
    return tf.reduce_sum(tf.matmul(d_gates, kernels, transpose_b=True) * dropout, axis=0)


def _weight_gradient(previous_h, d_product, dropout, gates):
    """Gradient of the recurrent kernel: one product over all steps and rows."""

    def product(h, d):
        units, width = h.shape[2], d.shape[2]
        return tf.matmul(tf.reshape(h, (-1, units)), tf.reshape(d, (-1, width)), transpose_a=True)

    if dropout is None:
        return product(previous_h, d_product)
    pairs = zip(tf.unstack(dropout, num=gates), tf.split(d_product, gates, axis=2), strict=True)
    return tf.concat([product(previous_h * m, d) for m, d in pairs], axis=1)
