"""Keras's recurrent layers, run by faster loops on the CPU.

Each class is the Keras layer of the same name: its arguments, config, weights and numbers. Only the
walk over the sequence differs, and only where `kernels` covers the layer (the TensorFlow backend, no
GPU, tanh and sigmoid, `unroll=False`); everywhere else the layer is Keras's own, cuDNN included.
"""

import keras

if keras.config.backend() == "tensorflow":
    import tensorflow as tf

    from zoo.common.recurrent import kernels
else:
    kernels = None

_register = keras.saving.register_keras_serializable("zoo")


@_register
class LSTM(keras.layers.LSTM):
    """`keras.layers.LSTM` (Hochreiter and Schmidhuber, 1997), faster on the CPU.

    z = x K + b + h R;  i, f, o = sigmoid(z_i, z_f, z_o);  a = tanh(z_a)
    c' = f * c + i * a;  h' = o * tanh(c')

    Arguments, inputs `[batch, time, features]`, masks `bool [batch, time]`, outputs, weights and
    errors are those of `keras.layers.LSTM`.
    """

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Run the sequence; see `keras.layers.RNN`."""
        if not _covered(self) or self.recurrent_activation is not keras.activations.sigmoid:
            return super().inner_loop(sequences, initial_state, mask, training)

        def recurrence(project, states, mask, dropout):
            z = project(4, self.cell.bias)
            kernel = _tensor(self.cell.recurrent_kernel, z.dtype)
            return kernels.lstm(z, kernel, *states, mask, self.go_backwards, dropout)

        return _run(self, recurrence, sequences, initial_state, mask, training)


@_register
class GRU(keras.layers.GRU):
    """`keras.layers.GRU` (Cho et al., 2014), faster on the CPU.

    u, r = sigmoid(x K_u + b_u + h R_u + d_u), ...
    a = tanh(x K_a + b_a + r * (h R_a + d_a));  h' = u * h + (1 - u) * a

    with `reset_after=True`; `reset_after=False` is Keras's own. Arguments, inputs
    `[batch, time, features]`, masks `bool [batch, time]`, outputs, weights and errors are those of
    `keras.layers.GRU`.
    """

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Run the sequence; see `keras.layers.RNN`."""
        if (
            not _covered(self)
            or self.recurrent_activation is not keras.activations.sigmoid
            or not self.reset_after
        ):
            return super().inner_loop(sequences, initial_state, mask, training)

        def recurrence(project, states, mask, dropout):
            bias = self.cell.bias
            z = project(3, None if bias is None else bias[0])
            kernel = _tensor(self.cell.recurrent_kernel, z.dtype)
            recurrent_bias = (
                tf.zeros(kernel.shape[1:], z.dtype) if bias is None else _tensor(bias[1], z.dtype)
            )
            return kernels.gru(z, kernel, recurrent_bias, *states, mask, self.go_backwards, dropout)

        return _run(self, recurrence, sequences, initial_state, mask, training)


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

        def recurrence(project, states, mask, dropout):
            z = project(1, self.cell.bias)
            kernel = _tensor(self.cell.recurrent_kernel, z.dtype)
            return kernels.simple_rnn(z, kernel, *states, mask, self.go_backwards, dropout)

        return _run(self, recurrence, sequences, initial_state, mask, training)


@_register
class Bidirectional(keras.layers.Bidirectional):
    """`keras.layers.Bidirectional` (Schuster and Paliwal, 1997) around the layers of this module.

    Arguments, outputs and errors are those of `keras.layers.Bidirectional`.
    """


def _covered(layer):
    """Whether the kernels run this layer here; otherwise Keras does."""
    cell = layer.cell
    return (
        kernels is not None
        and layer.activation is keras.activations.tanh
        and not layer.unroll
        and getattr(layer, "use_cudnn", "auto") is not True
        and cell.dropout < 1
        and cell.recurrent_dropout < 1
        and not tf.config.list_logical_devices("GPU")
    )


def _run(layer, recurrence, sequences, initial_state, mask, training):
    """Keras's `inner_loop` by a kernel: (last output, outputs, states).

    `recurrence(project, states, mask, dropout)` returns `[time, batch, units]` and the last states.
    """
    cell = layer.cell
    # Half precision only rounds the operands: a long sum of bfloat16 states would drift.
    dtype = "float64" if layer.compute_dtype == "float64" else "float32"
    inputs = _tensor(tf.transpose(sequences, (1, 0, 2)), dtype)
    states = [_tensor(state, dtype) for state in keras.tree.flatten(initial_state)]
    mask = keras.tree.flatten(mask)[0] if mask is not None else None
    if mask is not None:
        mask = tf.transpose(tf.cast(mask, "bool"))[:, :, None]

    def project(gates, bias):
        kernel = _tensor(cell.kernel, dtype)
        masks = cell.get_dropout_mask(sequences[:, 0, :]) if training else None
        if isinstance(masks, list):
            kernels_ = tf.split(kernel, gates, axis=1)
            z = tf.concat(
                [_product(inputs * _tensor(m, dtype), k) for m, k in zip(masks, kernels_)], axis=2
            )
        elif masks is not None:
            z = _product(inputs * _tensor(masks, dtype), kernel)
        else:
            z = _product(inputs, kernel)
        return z if bias is None else z + _tensor(bias, dtype)

    dropout = cell.get_recurrent_dropout_mask(initial_state[0]) if training else None
    if dropout is not None:
        dropout = tf.stack([_tensor(m, dtype) for m in keras.tree.flatten(dropout)])

    outputs, *last = recurrence(project, states, mask, dropout)
    last_output = last[0]
    if mask is not None:
        # Keras gives zeros at a masked step, or the output before it (zeros where there is none).
        end = mask[0] if layer.go_backwards else mask[-1]
        seen = mask
        if not layer.zero_output_for_mask:
            seen = tf.cumsum(tf.cast(mask, "int32"), axis=0, reverse=layer.go_backwards) > 0
            end = tf.reduce_any(mask, axis=0)
        last_output = tf.where(end, last_output, 0.0)
        outputs = tf.where(seen, outputs, 0.0)
    if not layer.return_sequences:
        return last_output, last_output[:, None], last
    if layer.go_backwards:
        outputs = tf.reverse(outputs, [0])
    return last_output, tf.transpose(outputs, (1, 0, 2)), last


def _product(x, kernel):
    """`[time, batch, features]` by a kernel, as one product."""
    shape = tf.shape(x)
    z = tf.matmul(tf.reshape(x, (-1, kernel.shape[0])), kernel)
    z = tf.reshape(z, (shape[0], shape[1], kernel.shape[1]))
    z.set_shape((x.shape[0], x.shape[1], None))
    return z


def _tensor(x, dtype):
    return tf.cast(tf.convert_to_tensor(x), dtype)
