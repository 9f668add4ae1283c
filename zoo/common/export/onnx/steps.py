"""Convert layers by tracing them: composite layers, and recurrent layers as an ONNX Scan over steps.

ONNX has no operation for the recurrences that Keras lacks. The matrix product of all inputs stays
outside of the loop, as in the layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from onnx import helper

from zoo.common.export.onnx.graph import Graph, onnx_type, unsupported
from zoo.common.layers.recurrent import Bidirectional, RecurrentBlock
from zoo.common.layers.recurrent.base import RecurrentLayer

# Adds the nodes of a functional model to a graph.
Walk = Callable[[Graph, keras.Model], None]


def is_traced(layer: Any) -> bool:
    """Return whether `traced` converts a layer."""
    both = isinstance(layer, keras.layers.Bidirectional | Bidirectional)
    return isinstance(layer, RecurrentBlock) or (
        both and isinstance(layer.forward_layer, RecurrentLayer)
    )


def traced(walk: Walk, graph: Graph, layer: Any, node: Any, *args: Any, **kwargs: Any) -> list[str]:
    """Convert a layer whose call consists of layers and operations that can be converted."""
    given = keras.tree.flatten((args, kwargs))
    copies = {
        id(x): keras.Input(batch_shape=x.shape, dtype=x.dtype)
        for x in given
        if isinstance(x, keras.KerasTensor)
    }

    def copied(x: Any) -> Any:
        return copies.get(id(x), x)

    args, kwargs = keras.tree.map_structure(copied, (list(args), kwargs))
    outputs = keras.tree.flatten(layer.call(*args, **kwargs))
    model = keras.Model(list(copies.values()), outputs)
    for x in given:
        if isinstance(x, keras.KerasTensor):
            graph.bind(copies[id(x)], graph.value(x))
    walk(graph, model)
    return [graph.value(output) for output in outputs]


def by_steps(
    walk: Walk,
    graph: Graph,
    layer: RecurrentLayer,
    node: Any,
    sequences: Any,
    initial_state: Any = None,
    mask: Any = None,
    training: Any = None,
) -> list[str]:
    """Convert a `RecurrentLayer` to a product and a Scan.

    Returns:
        The name of the output and, with `return_state`, the names of the states.
    """
    if layer.stateful:
        reason = "It must have stateful=False. Make the state an input and an output of the model."
        raise unsupported(layer, reason)
    x = keras.Input(sequences.shape[1:])
    projected = keras.Model(x, layer.cell.project(x))
    graph.bind(x, graph.value(sequences, "float32"))
    walk(graph, projected)
    z = graph.value(projected.output)
    graph.prefix = f"{layer.name}/"
    states = keras.tree.flatten(initial_state)
    names = [graph.value(state, "float32") for state in states if state is not None]
    sizes = list(layer.cell.state_size)
    if not names:
        names = [_zeros(graph, z, size) for size in sizes]
    inputs = [z]
    if mask is not None:
        inputs.append(graph.add("Unsqueeze", graph.value(mask, "bool"), graph.indices(-1)))
    held = mask is not None and not layer.zero_output_for_mask
    if held:
        names.append(_zeros(graph, z, layer.units))
    body = _body(walk, graph, layer, z_width=projected.output.shape[-1], masked=mask is not None)
    direction = [int(layer.go_backwards)] * len(inputs)
    *last, output = graph.add(
        "Scan",
        *names,
        *inputs,
        outputs=len(names) + 1,
        body=body,
        num_scan_inputs=len(inputs),
        scan_input_axes=[1] * len(inputs),
        scan_output_axes=[1],
        scan_input_directions=direction,
    )
    if not layer.return_sequences:
        output = graph.add("Gather", output, graph.indices(-1), axis=1)
        output = graph.add("Squeeze", output, graph.indices(1))
    return [output, *last[: len(sizes)]] if layer.return_state else [output]


def _zeros(graph: Graph, like: str, size: int) -> str:
    """Return zeros [batch, size] for a value [batch, ...]."""
    batch = graph.add("Shape", like, start=0, end=1)
    shape = graph.add("Concat", batch, graph.indices(size), axis=0)
    return graph.add("Expand", graph.constant(np.zeros((1, 1), np.float32)), shape)


def _body(walk: Walk, graph: Graph, layer: RecurrentLayer, z_width: int, masked: bool) -> Any:
    """Return the graph of one step: states, z and the mask to the next states and the output.

    At a masked step the states are kept. Its output is zero, or the previous output, which is one more
    state.
    """
    cell = layer.cell
    z = keras.Input((z_width,))
    states = [keras.Input((size,)) for size in cell.state_size]
    output, following = cell.step(z, states)
    model = keras.Model([*states, z], [output, *following])
    body = graph.body(f"{layer.name}/step{len(graph.nodes)}/")
    names = [body.name(f"state{i}") for i in range(len(states))]
    for tensor, name in zip((*states, z), (*names, body.name("z")), strict=True):
        body.bind(tensor, name)
    walk(body, model)
    output, following = body.value(output), [body.value(state) for state in following]
    inputs = [*names, body.name("z")]
    if masked:
        mask = body.name("mask")
        following = [body.add("Where", mask, *pair) for pair in zip(following, names, strict=True)]
        previous = body.name("held")
        if layer.zero_output_for_mask:
            output = body.add("Where", mask, output, body.constant(np.float32(0)))
        else:
            output = body.add("Where", mask, output, previous)
            following.append(output)
            inputs.insert(len(names), previous)
        inputs.append(mask)
    results = [body.add("Identity", name) for name in (*following, output)]
    kinds = {body.name("mask"): "bool"}
    return helper.make_graph(
        body.nodes,
        f"{layer.name}_step",
        [_untyped(name, kinds.get(name, "float32")) for name in inputs],
        [_untyped(name, "float32") for name in results],
    )


def _untyped(name: str, dtype: str) -> Any:
    """Return the declaration of a value of any shape."""
    return helper.make_tensor_value_info(name, onnx_type(dtype), None)
