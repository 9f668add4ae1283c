"""Recurrent layers for LiteRT: the gate inputs of all steps are one product before the loop.

The loops of Keras multiply inside every step, and read the kernel of the inputs from memory each time.
A loop of this module reads only the recurrent kernel, and ends at the end of the row. Its states are
tensors of the graph, so that a file remembers nothing between calls. LiteRT's fused operation for LSTMs
is slower than this loop, and keeps its states between calls.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from zoo.common.layers.recurrent import cells
from zoo.common.layers.recurrent.convert import converted

_register = keras.saving.register_keras_serializable("zoo.litert")
_TANH, _SIGMOID = keras.activations.tanh, keras.activations.sigmoid


def with_loops(model: keras.Model) -> keras.Model:
    """Return a copy of a model of stock layers with the layers of this module, for one row.

    Args:
        model: a functional model. Its masks must be True for the first steps of a row.
    """
    return converted(
        model,
        {
            keras.layers.LSTM: LSTM,
            keras.layers.GRU: GRU,
            keras.layers.SimpleRNN: SimpleRNN,
            # A new wrapper, since its layers are new.
            keras.layers.Bidirectional: keras.layers.Bidirectional,
        },
    )


class _Loop:
    """Layer with a loop of this module, unless its activations are not those of a cell."""

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> Any:
        cell = self._recurrence()  # type: ignore[attr-defined]
        if cell is None:
            return super().inner_loop(sequences, initial_state, mask, training)  # type: ignore[misc]
        return _run(self, cell, sequences, keras.tree.flatten(initial_state), mask)


@_register
class LSTM(_Loop, keras.layers.LSTM):
    """`keras.layers.LSTM` for one row."""

    def _recurrence(self) -> cells.Cell | None:
        return cells.LSTM if _is_gated(self) else None


@_register
class GRU(_Loop, keras.layers.GRU):
    """`keras.layers.GRU` for one row."""

    def _recurrence(self) -> cells.Cell | None:
        if not _is_gated(self):
            return None
        return cells.GRU if self.reset_after else cells.GRU_RESET_BEFORE


@_register
class SimpleRNN(_Loop, keras.layers.SimpleRNN):
    """`keras.layers.SimpleRNN` for one row."""

    def _recurrence(self) -> cells.Cell | None:
        return {_TANH: cells.SIMPLE_TANH, _SIGMOID: cells.SIMPLE_SIGMOID}.get(self.activation)


def _is_gated(layer: Any) -> bool:
    return layer.activation is _TANH and layer.recurrent_activation is _SIGMOID


def _run(layer: Any, cell: cells.Cell, sequences: Any, states: list[Any], mask: Any) -> tuple:
    """Return the last output, the outputs and the last states, as `inner_loop` of Keras.

    Outputs after the end of the row are zeros.
    """
    x, units = sequences[0], layer.units  # [time, features]
    time = tf.shape(x)[0]
    bias, *recurrent_bias = _biases(layer, cell)
    gate_inputs = tf.matmul(x, tf.convert_to_tensor(layer.cell.kernel)) + bias
    weights = (tf.convert_to_tensor(layer.cell.recurrent_kernel), *recurrent_bias)
    matrices = cell.prepare(weights, None)
    inside = None if mask is None else tf.cast(keras.tree.flatten(mask)[0][0], "int32")
    steps = time if inside is None else tf.reduce_sum(inside)

    def step(i, states, outputs):
        t = steps - 1 - i if layer.go_backwards else i
        states, _ = cell.forward(tf.gather(gate_inputs, [t]), states, matrices, None)
        return i + 1, tuple(states), outputs.write(t, states[0])

    _, states, outputs = tf.while_loop(
        lambda i, *_: i < steps,
        step,
        (0, tuple(states), tf.TensorArray(x.dtype, time, element_shape=(1, units))),
    )
    if not layer.return_sequences:
        return states[0], states[0][:, tf.newaxis], list(states)
    sequence = tf.reshape(outputs.stack(), (1, -1, units))
    if layer.go_backwards:
        sequence = tf.reverse(sequence, [1])
    return states[0], sequence, list(states)


def _biases(layer: Any, cell: cells.Cell) -> list[Any]:
    """Return the bias of the inputs and, for a GRU with `reset_after`, the recurrent bias."""
    two = getattr(layer, "reset_after", False)
    if not layer.use_bias:
        width = cell.gates * layer.units
        return [tf.zeros((width,))] * (1 + two)
    bias = tf.convert_to_tensor(layer.cell.bias)
    return tf.unstack(bias) if two else [bias]
