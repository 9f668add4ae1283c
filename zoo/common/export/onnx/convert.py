"""Convert a functional Keras model to an ONNX model, node by node."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import keras
import onnx
from onnx import helper

from zoo.common.core.axes import NO_AXES, Axes, name_axes
from zoo.common.export.onnx.graph import Graph, onnx_type, unsupported
from zoo.common.export.onnx.layers import LAYERS
from zoo.common.export.onnx.operations import OPERATIONS
from zoo.common.export.onnx.steps import by_steps, is_traced, traced
from zoo.common.layers.recurrent.base import RecurrentLayer
from zoo.common.utils.private import nodes

OPSET = 18
IR_VERSION = 9  # the lowest version for this opset, so that older runtimes can read the file


def to_onnx(
    model: keras.Model, axes: Axes = NO_AXES, metadata: Mapping[str, str] = MappingProxyType({})
) -> onnx.ModelProto:
    """Return a functional model as an ONNX model, checked by `onnx.checker`.

    Args:
        model: functional model with named inputs and outputs.
        axes: names of the free axes besides batch and time; see `name_axes`.
        metadata: texts that are stored in the file, by key.

    Raises:
        ZooError: a layer or operation cannot be converted to ONNX.
    """
    graph = Graph()
    inputs = []
    for name, tensor in model.input.items():
        graph.bind(tensor, name)
        inputs.append(_value_info(name, tensor, axes))
    _walk(graph, model)
    for name, tensor in model.output.items():
        graph.nodes.append(helper.make_node("Identity", [graph.value(tensor)], [name]))
    outputs = [_value_info(name, tensor, axes) for name, tensor in model.output.items()]
    built = helper.make_model(
        helper.make_graph(graph.nodes, model.name, inputs, outputs, graph.initializers),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="recurrent-zoo",
    )
    helper.set_model_props(built, dict(metadata))
    onnx.checker.check_model(built, full_check=True)
    return built


def _walk(graph: Graph, model: keras.Model) -> None:
    """Add the nodes of a functional model to a graph. The inputs of the model must be bound."""
    for node in nodes(model):
        operation = node.operation
        arguments = inspect.signature(operation.call).bind(
            *node.arguments.args, **node.arguments.kwargs
        )
        graph.prefix = f"{operation.name}/"
        if isinstance(operation, keras.Model):
            outputs = _nested(graph, operation, node)
        else:
            outputs = _adder(operation)(graph, operation, node, **arguments.arguments)
        outputs = [outputs] if isinstance(outputs, str) else outputs
        for tensor, name in zip(node.outputs, outputs, strict=True):
            graph.bind(tensor, name)


def _nested(graph: Graph, model: keras.Model, node: Any) -> list[str]:
    for inner, outer in zip(model.inputs, node.input_tensors, strict=True):
        graph.bind(inner, graph.value(outer))
    _walk(graph, model)
    return [graph.value(tensor) for tensor in model.outputs]


def _adder(operation: Any) -> Callable[..., Any]:
    """Return the function that adds the ONNX nodes of an operation.

    Its arguments are the graph, the operation, the node in the Keras model and the arguments of the
    operation. It returns the names of the outputs.
    """
    kind = type(operation)
    if isinstance(operation, RecurrentLayer):
        return functools.partial(by_steps, _walk)
    if is_traced(operation):
        return functools.partial(traced, _walk)
    if kind in LAYERS:
        return LAYERS[kind]
    if not isinstance(operation, keras.Layer) and kind.__name__ in OPERATIONS:
        return OPERATIONS[kind.__name__]
    layers = sorted({layer.__name__ for layer in LAYERS})
    raise unsupported(
        operation,
        f"Supported layers: {', '.join(layers)}. Supported operations of keras.ops: "
        f"{', '.join(sorted(OPERATIONS))}.",
    )


def _value_info(name: str, tensor: keras.KerasTensor, axes: Axes) -> onnx.ValueInfoProto:
    shape = name_axes(name, tensor.shape, axes)
    return helper.make_tensor_value_info(name, onnx_type(tensor.dtype), shape)
