"""Convert recurrent Keras layers to one LSTM, GRU or RNN operation of ONNX, also if bidirectional."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from zoo.common.export.onnx.graph import Graph, unsupported


@dataclass(frozen=True)
class _Kind:
    """A recurrent ONNX operation.

    Args:
        operation: name of the operation.
        order: index in Keras of each gate of the operation.
        states: number of states.
        activations: names of the default activations of one direction.
    """

    operation: str
    order: tuple[int, ...]
    states: int
    activations: tuple[str, ...]


_KINDS = {
    # Keras: input, forget, candidate, output. ONNX: input, output, forget, candidate.
    keras.layers.LSTM: _Kind("LSTM", (0, 3, 1, 2), 2, ("sigmoid", "tanh", "tanh")),
    keras.layers.GRU: _Kind("GRU", (0, 1, 2), 1, ("sigmoid", "tanh")),  # update, reset, candidate
    keras.layers.SimpleRNN: _Kind("RNN", (0,), 1, ("tanh",)),
}
# `clip` limits the input of an activation, so relu6 is Relu with clip=6.
_ACTIVATIONS = {"relu": "Relu", "relu6": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh"}
_MERGES = {"sum": "ReduceSum", "ave": "ReduceMean", "mul": "ReduceProd"}


def recurrent(
    graph: Graph,
    layer: Any,
    node: Any,
    sequences: Any,
    initial_state: Any = None,
    mask: Any = None,
    training: Any = None,
) -> list[str]:
    """Convert an LSTM, GRU or SimpleRNN.

    Returns:
        The name of the output and, with `return_state`, the names of the states.
    """
    if layer.go_backwards:
        raise unsupported(layer, "go_backwards=True is only supported inside Bidirectional.")
    output, last, new_states = _run(graph, [layer], sequences, initial_state, mask)
    if layer.return_sequences:
        result = graph.transpose(graph.add("Squeeze", output, graph.indices(1)), 1, 0, 2)
    else:
        result = graph.add("Squeeze", last, graph.indices(0))
    return [result, *new_states] if layer.return_state else [result]


def bidirectional(
    graph: Graph,
    layer: Any,
    node: Any,
    sequences: Any,
    initial_state: Any = None,
    mask: Any = None,
    training: Any = None,
) -> list[str]:
    """Convert a Bidirectional layer.

    Returns:
        The name of the output and, with `return_state`, the names of the states.
    """
    both = [layer.forward_layer, layer.backward_layer]
    if [both[0].go_backwards, both[1].go_backwards] != [False, True] or layer.merge_mode is None:
        reason = "It must have a forward layer, a backward layer and a merge_mode."
        raise unsupported(layer, reason)
    output, last, new_states = _run(graph, both, sequences, initial_state, mask)
    if layer.return_sequences:
        output = graph.transpose(output, 2, 0, 1, 3)  # [batch, time, direction, units]
    else:
        output = graph.transpose(last, 1, 0, 2)  # [batch, direction, units]
    if layer.merge_mode == "concat":
        kept = (0, 0) if layer.return_sequences else (0,)
        result = graph.add("Reshape", output, graph.indices(*kept, 2 * both[0].units))
    else:
        result = graph.add(_MERGES[layer.merge_mode], output, graph.indices(-2), keepdims=0)
    return [result, *new_states] if layer.return_state else [result]


def _run(graph: Graph, directions, sequences, initial_state, mask):
    """Add the operation to the graph.

    Args:
        graph: the graph.
        directions: the layer, or the forward and the backward layer.
        sequences: the input, float32 [batch, time, features].
        initial_state: the states of the first direction, then those of the second; None for zeros.
        mask: bool [batch, time], or None.

    Returns:
        The name of the outputs [time, direction, batch, units], the name of the last outputs
        [direction, batch, units], and the name of each last state [batch, units] in the order of Keras.
    """
    layer = directions[0]
    kind = next((_KINDS[base] for base in type(layer).__mro__ if base in _KINDS), None)
    if kind is None or any(type(each) is not type(layer) for each in directions):
        names = ", ".join(each.__name__ for each in _KINDS)
        reason = f"Supported recurrent layers: {names}, the same type in both directions."
        raise unsupported(layer, reason)
    if layer.stateful:
        reason = "It must have stateful=False. Make the state an input and an output of the model."
        raise unsupported(layer, reason)
    weights = [_weights(each, kind) for each in directions]
    inputs = [
        graph.transpose(graph.value(sequences, "float32"), 1, 0, 2),
        *(graph.constant(np.stack(parts)) for parts in zip(*weights, strict=True)),
        "" if mask is None else graph.lengths(mask),
    ]
    initial_states = [] if initial_state is None else keras.tree.flatten(initial_state)
    for i in range(kind.states if initial_states else 0):
        first = [
            graph.add("Unsqueeze", graph.value(state, "float32"), graph.indices(0))
            for state in initial_states[i :: kind.states]
        ]
        inputs.append(graph.add("Concat", *first, axis=0) if len(first) > 1 else first[0])
    attributes: dict[str, Any] = {
        "hidden_size": layer.units,
        "direction": "bidirectional" if len(directions) > 1 else "forward",
    }
    if kind.operation == "GRU":
        attributes["linear_before_reset"] = int(layer.reset_after)
    activations = [name for each in directions for name in _activations(each, kind)]
    if activations != list(kind.activations) * len(directions):
        attributes["activations"] = [_ACTIVATIONS[name] for name in activations]
    if "relu6" in activations:
        attributes["clip"] = 6.0
    output, *last = graph.add(kind.operation, *inputs, outputs=1 + kind.states, **attributes)
    states = []
    for i in range(len(directions)):
        for value in last:
            if len(directions) > 1:
                value = graph.add("Slice", value, *(graph.indices(n) for n in (i, i + 1, 0)))
            states.append(graph.add("Squeeze", value, graph.indices(0)))
    return output, last[0], states


def _weights(layer, kind: _Kind) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return W [gates * units, features], R [gates * units, units] and B [2 * gates * units] of ONNX."""

    def ordered(array):  # [..., gates * units]
        parts = np.split(np.asarray(array, np.float32), len(kind.order), axis=-1)
        return np.concatenate([parts[i] for i in kind.order], axis=-1)

    bias = np.zeros((2, len(kind.order) * layer.units), np.float32)
    if layer.use_bias:
        given = ordered(layer.cell.bias)
        if given.ndim == 2:  # separate biases of the input and of the recurrence
            bias = given
        else:
            bias[0] = given
    return ordered(layer.cell.kernel).T, ordered(layer.cell.recurrent_kernel).T, bias.ravel()


def _activations(layer, kind: _Kind) -> list[str]:
    names = [layer.activation.__name__] * (len(kind.activations) - 1)
    names = [layer.recurrent_activation.__name__, *names] if names else [layer.activation.__name__]
    known = [name for name in _ACTIVATIONS if name != "relu6" or kind.operation == "RNN"]
    if not set(names) <= set(known):
        raise unsupported(layer, f"Its activations must be {', '.join(known)}.")
    return names
