"""Keras's recurrent layers with faster loops on the CPU.

Each class has the arguments, config, weights and results of the Keras layer of the same name. `LSTM` has
one additional argument. Only the loop over the sequence differs, and only if the kernels support the
layer: on the TensorFlow backend, without a GPU, with the activations tanh and sigmoid (`SimpleRNN` with
either) and `unroll=False`. Otherwise Keras runs the layer, also with cuDNN.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

if keras.config.backend() == "tensorflow":
    import tensorflow as tf

    from zoo.common.layers.recurrent import cells, kernels
    from zoo.common.layers.recurrent.rows import map_rows, run_rows
else:
    kernels = None  # type: ignore[assignment]

_register = keras.saving.register_keras_serializable("zoo")


class _Fast:
    """The attribute that the layers of this module share.

    `by_steps` is True if Keras runs the layer, in operations that any runtime has. Exports set it in
    layers that are inside other layers of the zoo.
    """

    by_steps = False


@_register
class LSTM(_Fast, keras.layers.LSTM):
    """`keras.layers.LSTM` (Hochreiter and Schmidhuber, 1997), faster on the CPU.

    z = x K + b + h R;  i, f, o = sigmoid(z_i), sigmoid(z_f), sigmoid(z_o);  a = tanh(z_a)
    c' = f * c + i * a;  h' = o * tanh(c')

    Inputs `[batch, time, features]`, masks `bool [batch, time]`, outputs, weights and errors are those
    of `keras.layers.LSTM`.

    Args:
        *args: arguments of `keras.layers.LSTM`.
        weight_drop: float in [0, 1), the fraction of the elements of R that are 0 in a training step.
            The elements are the same for all rows and time steps. The others are divided by
            1 - weight_drop (DropConnect, Wan et al., 2013; Merity, Keskar and Socher, 2018, section 2).
            `to_stock` removes this argument.
        **kwargs: arguments of `keras.layers.LSTM`.
    """

    def __init__(self, *args: Any, weight_drop: float = 0.0, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.weight_drop = weight_drop

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> Any:
        with _weights_dropped(self.cell, self.weight_drop if training else 0.0):
            if not _covered(self):
                return super().inner_loop(sequences, initial_state, mask, training)
            return _run(self, cells.LSTM, sequences, initial_state, mask, training)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "weight_drop": self.weight_drop}


@_register
class GRU(_Fast, keras.layers.GRU):
    """`keras.layers.GRU` (Cho et al., 2014), faster on the CPU.

    u, r = sigmoid(x K_u + b_u + h R_u + d_u), sigmoid(x K_r + b_r + h R_r + d_r)
    a = tanh(x K_a + b_a + r * (h R_a + d_a))    with reset_after=True
    a = tanh(x K_a + b_a + (r * h) R_a)          with reset_after=False, without d
    h' = u * h + (1 - u) * a

    Arguments, inputs `[batch, time, features]`, masks `bool [batch, time]`, outputs, weights and
    errors are those of `keras.layers.GRU`.
    """

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> Any:
        if not _covered(self):
            return super().inner_loop(sequences, initial_state, mask, training)
        cell = cells.GRU if self.reset_after else cells.GRU_RESET_BEFORE
        return _run(self, cell, sequences, initial_state, mask, training)


@_register
class SimpleRNN(_Fast, keras.layers.SimpleRNN):
    """`keras.layers.SimpleRNN` (Elman, 1990), faster on the CPU: h' = tanh(x K + b + h R).

    With `activation="sigmoid"` it is the layer of Mikolov et al. (2010): h' = sigmoid(x K + b + h R).

    Arguments, inputs `[batch, time, features]`, masks `bool [batch, time]`, outputs, weights and
    errors are those of `keras.layers.SimpleRNN`.
    """

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> Any:
        sigmoid = self.activation is keras.activations.sigmoid
        if not _covered(self, keras.activations.sigmoid if sigmoid else keras.activations.tanh):
            return super().inner_loop(sequences, initial_state, mask, training)
        cell = cells.SIMPLE_SIGMOID if sigmoid else cells.SIMPLE_TANH
        return _run(self, cell, sequences, initial_state, mask, training)


@_register
class Bidirectional(keras.layers.Bidirectional):
    """`keras.layers.Bidirectional` (Schuster and Paliwal, 1997) around the layers of this module.

    Arguments, outputs and errors are those of `keras.layers.Bidirectional`. TensorFlow runs the two
    directions in parallel.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        # The two directions already use two cores, so neither splits its batch into halves.
        self.forward_layer.paired = self.backward_layer.paired = True


def _covered(layer, activation=keras.activations.tanh):
    """Return whether the kernels support this layer with this activation on this machine."""
    sigmoid = keras.activations.sigmoid
    return (
        kernels is not None
        and not layer.by_steps
        and layer.activation is activation
        and getattr(layer, "recurrent_activation", sigmoid) is sigmoid
        and not layer.unroll
        and getattr(layer, "use_cudnn", "auto") is not True
        and layer.dropout < 1
        and layer.recurrent_dropout < 1
        and not tf.config.list_logical_devices("GPU")
    )


@contextmanager
def _weights_dropped(cell: Any, rate: float) -> Iterator[None]:
    """Set random elements of a Keras cell's recurrent kernel to 0 inside the context."""
    kernel = cell.recurrent_kernel
    if rate:
        # With `setattr`, Keras would search the value for variables.
        vars(cell)["recurrent_kernel"] = keras.random.dropout(
            keras.ops.convert_to_tensor(kernel), rate, seed=cell.seed_generator
        )
    try:
        yield
    finally:
        vars(cell)["recurrent_kernel"] = kernel


def _run(layer, cell, sequences, initial_state, mask, training):
    """Run `inner_loop` with a kernel, and return the last output, the outputs and the states."""
    # Only products outside the loop are in half precision: a long sum of bfloat16 states is inexact.
    dtype = "float64" if layer.compute_dtype == "float64" else "float32"
    states = keras.tree.flatten(initial_state)
    rows = {
        "x": sequences,
        "states": states,
        "dropout": layer.cell.get_dropout_mask(sequences[:, 0, :]) if training else None,
        "recurrent_dropout": (
            layer.cell.get_recurrent_dropout_mask(states[0]) if training else None
        ),
    }
    rows = map_rows(lambda x: _tensor(x, dtype), rows)
    rows["mask"] = None if mask is None else tf.cast(keras.tree.flatten(mask)[0], "bool")
    return run_rows(
        lambda **part: _run_rows(layer, cell, training, **part),
        rows,
        paired=getattr(layer, "paired", False),
        padded=not training,
    )


def _run_rows(layer, cell, training, x, states, dropout, recurrent_dropout, mask):
    """Run some rows of the batch with their states and masks. See `_run`."""
    if mask is not None:
        mask = tf.transpose(mask)[:, :, None]
    bias, *recurrent_bias = _biases(layer, x.dtype)
    if recurrent_dropout is not None:
        recurrent_dropout = tf.stack(keras.tree.flatten(recurrent_dropout))
    x = tf.transpose(x, (1, 0, 2))
    kernel = _tensor(layer.cell.kernel, x.dtype)
    if isinstance(dropout, list):  # one for each gate: implementation=1
        x = tf.concat([x * mask for mask in dropout], axis=2)
        kernel = _block_diagonal(tf.split(kernel, cell.gates, axis=1))
    elif dropout is not None:
        x = x * dropout
    h, last = kernels.run(
        cell,
        x,
        kernel,
        bias,
        (_tensor(layer.cell.recurrent_kernel, x.dtype), *recurrent_bias),
        states,
        mask=mask,
        dropout=recurrent_dropout,
        reverse=layer.go_backwards,
        training=training,
        products=_products(layer),
    )
    last_output = last[0]
    if mask is not None:
        # At a masked step, Keras returns zeros or the previous output (zeros at the first step).
        counts, at_end = mask, mask[0] if layer.go_backwards else mask[-1]
        if not layer.zero_output_for_mask:
            counts = tf.cumsum(tf.cast(mask, "int32"), axis=0, reverse=layer.go_backwards) > 0
            at_end = tf.reduce_any(mask, axis=0)
        h, last_output = tf.where(counts, h, 0.0), tf.where(at_end, last_output, 0.0)
    if not layer.return_sequences:
        return last_output, last_output[:, None], list(last)
    if layer.go_backwards:
        h = tf.reverse(h, [0])
    return last_output, tf.transpose(h, (1, 0, 2)), list(last)


def _products(layer):
    """Return the dtype of products outside the loop; never float16, which CPUs do not support."""
    return "bfloat16" if layer.compute_dtype == "bfloat16" else None


def _block_diagonal(blocks):
    """Return a block diagonal matrix from blocks of equal width."""
    count, width = len(blocks), blocks[0].shape[1]
    margins = [((0, 0), (i * width, (count - 1 - i) * width)) for i in range(count)]
    return tf.concat([tf.pad(b, m) for b, m in zip(blocks, margins, strict=True)], axis=0)


def _biases(layer, dtype):
    """Return the bias of the inputs and, for a GRU with `reset_after`, the recurrent bias."""
    two = getattr(layer, "reset_after", False)
    if layer.use_bias:
        bias = _tensor(layer.cell.bias, dtype)
    else:
        width = layer.cell.kernel.shape[1]
        bias = tf.zeros((2, width) if two else (width,), dtype)
    return tf.unstack(bias) if two else [bias]


def _tensor(x, dtype):
    return tf.cast(tf.convert_to_tensor(x), dtype)
