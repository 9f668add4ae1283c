"""What Keras's recurrent layers become in ONNX: one LSTM, GRU or RNN each, both directions in one."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np

from zoo.common.export.onnx.graph import Graph, unsupported


@dataclass(frozen=True)
class _Kind:
    """An ONNX operation.

    order: where each of its gates stands among Keras's. states: how many it carries.
    activations: names of the functions it takes unless told otherwise, for one direction.
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
# An RNN clips what its activation gets: relu6 is a Relu behind that.
_ACTIVATIONS = {"relu": "Relu", "relu6": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh"}
_MERGES = {"sum": "ReduceSum", "ave": "ReduceMean", "mul": "ReduceProd"}


def recurrent(graph: Graph, layer, node, sequences, initial_state=None, mask=None, training=None):
    """LSTM, GRU, SimpleRNN: the names of the output and, with `return_state`, of the states."""
    if layer.go_backwards:
        raise unsupported(layer, "A layer that goes backwards does so within Bidirectional.")
    output, last, new_states = _run(graph, [layer], sequences, initial_state, mask)
    if layer.return_sequences:
        result = graph.transpose(graph.add("Squeeze", output, graph.indices(1)), 1, 0, 2)
    else:
        result = graph.add("Squeeze", last, graph.indices(0))
    return [result, *new_states] if layer.return_state else [result]


def bidirectional(
    graph: Graph, layer, node, sequences, initial_state=None, mask=None, training=None
):
    """Bidirectional: the names of the output and, with `return_state`, of the states."""
    both = [layer.forward_layer, layer.backward_layer]
    if [both[0].go_backwards, both[1].go_backwards] != [False, True] or layer.merge_mode is None:
        raise unsupported(layer, "One direction goes forward, the other back, and they are merged.")
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
    """Adds the operation.

    directions: the layer, or the forward and the backward one. initial_state: those of the first
    direction, then those of the second; or None.

    Returns the names of the outputs [time, direction, batch, units], of the last outputs [direction,
    batch, units] and of each last state [batch, units] as Keras orders them.
    """
    layer = directions[0]
    kind = next((_KINDS[base] for base in type(layer).__mro__ if base in _KINDS), None)
    if kind is None or any(type(each) is not type(layer) for each in directions):
        names = ", ".join(each.__name__ for each in _KINDS)
        raise unsupported(layer, f"Layers that recur: {names}, the same one in both directions.")
    if layer.stateful:
        raise unsupported(layer, "Its state has to be an input and an output: stateful=False.")
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
    attributes = {
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
    """ONNX's W [gates * units, features], R [gates * units, units] and B [2 * gates * units]."""

    def ordered(array):  # [..., gates * units]
        parts = np.split(np.asarray(array, np.float32), len(kind.order), axis=-1)
        return np.concatenate([parts[i] for i in kind.order], axis=-1)

    bias = np.zeros((2, len(kind.order) * layer.units), np.float32)
    if layer.use_bias:
        given = ordered(layer.cell.bias)
        if given.ndim == 2:  # of the input and of the recurrence
            bias = given
        else:
            bias[0] = given
    return ordered(layer.cell.kernel).T, ordered(layer.cell.recurrent_kernel).T, bias.ravel()


def _activations(layer, kind: _Kind) -> list[str]:
    names = [layer.activation.__name__] * (len(kind.activations) - 1)
    names = [layer.recurrent_activation.__name__, *names] if names else [layer.activation.__name__]
    known = [name for name in _ACTIVATIONS if name != "relu6" or kind.operation == "RNN"]
    if not set(names) <= set(known):
        raise unsupported(layer, f"Its activations are of {', '.join(known)}.")
    return names
