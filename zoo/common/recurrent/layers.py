"""Keras's recurrent layers, run by faster loops on the CPU.

Each class is the Keras layer of the same name: its arguments, config, weights and numbers. Only the
walk over the sequence differs, and only where the kernels cover the layer: on the TensorFlow
backend, without a GPU, with the activations tanh and sigmoid and `unroll=False`. Everywhere else
the layer is Keras's own, cuDNN included.
"""

import keras

if keras.config.backend() == "tensorflow":
    import tensorflow as tf

    from zoo.common.recurrent import cells, kernels
else:
    kernels = None

_register = keras.saving.register_keras_serializable("zoo")


@_register
class LSTM(keras.layers.LSTM):
    """`keras.layers.LSTM` (Hochreiter and Schmidhuber, 1997), faster on the CPU.

    z = x K + b + h R;  i, f, o = sigmoid(z_i), sigmoid(z_f), sigmoid(z_o);  a = tanh(z_a)
    c' = f * c + i * a;  h' = o * tanh(c')

    Arguments, inputs `[batch, time, features]`, masks `bool [batch, time]`, outputs, weights and
    errors are those of `keras.layers.LSTM`.
    """

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Run the sequence; see `keras.layers.RNN`."""
        if not _covered(self):
            return super().inner_loop(sequences, initial_state, mask, training)
        return _run(self, cells.LSTM, sequences, initial_state, mask, training)


@_register
class GRU(keras.layers.GRU):
    """`keras.layers.GRU` (Cho et al., 2014), faster on the CPU.

    u, r = sigmoid(x K_u + b_u + h R_u + d_u), sigmoid(x K_r + b_r + h R_r + d_r)
    a = tanh(x K_a + b_a + r * (h R_a + d_a))    with reset_after=True, else
    a = tanh(x K_a + b_a + (r * h) R_a), and there is no d
    h' = u * h + (1 - u) * a

    Arguments, inputs `[batch, time, features]`, masks `bool [batch, time]`, outputs, weights and
    errors are those of `keras.layers.GRU`.
    """

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Run the sequence; see `keras.layers.RNN`."""
        if not _covered(self):
            return super().inner_loop(sequences, initial_state, mask, training)
        cell = cells.GRU if self.reset_after else cells.GRU_RESET_BEFORE
        return _run(self, cell, sequences, initial_state, mask, training)


@_register
class SimpleRNN(keras.layers.SimpleRNN):
    """`keras.layers.SimpleRNN` (Elman, 1990), faster on the CPU: h' = tanh(x K + b + h R).

    Arguments, inputs `[batch, time, features]`, masks `bool [batch, time]`, outputs, weights and
    errors are those of `keras.layers.SimpleRNN`.
    """

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Run the sequence; see `keras.layers.RNN`."""
        if not _covered(self):
            return super().inner_loop(sequences, initial_state, mask, training)
        return _run(self, cells.SIMPLE, sequences, initial_state, mask, training)


@_register
class Bidirectional(keras.layers.Bidirectional):
    """`keras.layers.Bidirectional` (Schuster and Paliwal, 1997) around the layers of this module.

    Arguments, outputs and errors are those of `keras.layers.Bidirectional`. The two directions do
    not depend on each other, and TensorFlow runs them side by side.
    """


def _covered(layer):
    """Whether the kernels run this layer here; otherwise Keras does."""
    sigmoid = keras.activations.sigmoid
    return (
        kernels is not None
        and layer.activation is keras.activations.tanh
        and getattr(layer, "recurrent_activation", sigmoid) is sigmoid
        and not layer.unroll
        and getattr(layer, "use_cudnn", "auto") is not True
        and layer.dropout < 1
        and layer.recurrent_dropout < 1
        and not tf.config.list_logical_devices("GPU")
    )


def _run(layer, cell, sequences, initial_state, mask, training):
    """Keras's `inner_loop` by a kernel: (last output, outputs, states)."""
    # Half precision only rounds the operands: a long sum of bfloat16 states would drift.
    dtype = "float64" if layer.compute_dtype == "float64" else "float32"
    states = [_tensor(state, dtype) for state in keras.tree.flatten(initial_state)]
    if mask is not None:
        mask = tf.transpose(tf.cast(keras.tree.flatten(mask)[0], "bool"))[:, :, None]
    bias, *recurrent_bias = _biases(layer, dtype)
    h, last = kernels.run(
        cell,
        _gate_inputs(layer, cell, sequences, bias, dtype, training),
        (_tensor(layer.cell.recurrent_kernel, dtype), *recurrent_bias),
        states,
        mask=mask,
        dropout=_recurrent_dropout(layer, states[0], training),
        reverse=layer.go_backwards,
        training=training,
    )
    last_output = last[0]
    if mask is not None:
        # Keras gives zeros at a masked step, or the output before it (zeros where there is none).
        counts, at_end = mask, mask[0] if layer.go_backwards else mask[-1]
        if not layer.zero_output_for_mask:
            counts = tf.cumsum(tf.cast(mask, "int32"), axis=0, reverse=layer.go_backwards) > 0
            at_end = tf.reduce_any(mask, axis=0)
        h, last_output = tf.where(counts, h, 0.0), tf.where(at_end, last_output, 0.0)
    if not layer.return_sequences:
        return last_output, last_output[:, None], last
    if layer.go_backwards:
        h = tf.reverse(h, [0])
    return last_output, tf.transpose(h, (1, 0, 2)), last


def _gate_inputs(layer, cell, sequences, bias, dtype, training):
    """`x K + b`, `[time, batch, gates * units]`, with Keras's dropout on x."""
    x = tf.transpose(_tensor(sequences, dtype), (1, 0, 2))
    kernel = _tensor(layer.cell.kernel, dtype)
    masks = layer.cell.get_dropout_mask(sequences[:, 0, :]) if training else None
    if isinstance(masks, list):  # one for each gate: implementation=1
        blocks = zip(
            masks, tf.split(kernel, cell.gates, axis=1), tf.split(bias, cell.gates), strict=True
        )
        return tf.concat([_affine(x * _tensor(m, dtype), k, b) for m, k, b in blocks], axis=2)
    if masks is not None:
        x *= _tensor(masks, dtype)
    return _affine(x, kernel, bias)


def _affine(x, kernel, bias):
    """`x K + b` over `[time, batch, features]`, as one product of two matrices."""
    features, width = kernel.shape
    rows = tf.nn.bias_add(tf.matmul(tf.reshape(x, (-1, features)), kernel), bias)
    z = tf.reshape(rows, (*tf.unstack(tf.shape(x)[:2]), width))
    return tf.ensure_shape(z, (*x.shape[:2], width))


def _biases(layer, dtype):
    """The bias of the inputs and, for a GRU that resets after the product, the recurrent one."""
    two = getattr(layer, "reset_after", False)
    if layer.use_bias:
        bias = _tensor(layer.cell.bias, dtype)
    else:
        width = layer.cell.kernel.shape[1]
        bias = tf.zeros((2, width) if two else (width,), dtype)
    return tf.unstack(bias) if two else [bias]


def _recurrent_dropout(layer, state, training):
    """Keras's masks on the state, `[gates, batch, units]`, or None."""
    masks = layer.cell.get_recurrent_dropout_mask(state) if training else None
    if masks is None:
        return None
    return tf.stack([_tensor(m, state.dtype) for m in keras.tree.flatten(masks)])


def _tensor(x, dtype):
    return tf.cast(tf.convert_to_tensor(x), dtype)
