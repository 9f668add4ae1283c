"""A functional Keras model, node by node, to an ONNX model."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from zoo.common.errors import ZooError

OPSET = 18
IR_VERSION = 9  # old enough for runtimes of years ago, and all that the opset needs

TYPES = {
    "float32": TensorProto.FLOAT,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "bool": TensorProto.BOOL,
}


def to_onnx(model: keras.Model) -> onnx.ModelProto:
    """A functional model with named inputs and outputs as an ONNX model that passes the full check.

    Dimensions that Keras leaves free stay free: the first is called `batch`. Raises `ZooError` for a
    layer or operation without a counterpart, naming it.
    """
    graph = Graph()
    inputs = []
    for name, tensor in model.input.items():
        graph.bind(tensor, name)
        inputs.append(_value_info(name, tensor))
    graph.walk(model)
    for name, tensor in model.output.items():
        graph.nodes.append(helper.make_node("Identity", [graph.value(tensor)], [name]))
    outputs = [_value_info(name, tensor) for name, tensor in model.output.items()]
    built = helper.make_model(
        helper.make_graph(graph.nodes, model.name, inputs, outputs, graph.initializers),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="recurrent-zoo",
    )
    onnx.checker.check_model(built, full_check=True)
    return built


class Graph:
    """An ONNX graph in the making. Values go by name; a Keras tensor is bound to one."""

    def __init__(self):
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._names: dict[int, str] = {}
        self._constants: dict[tuple, str] = {}
        self._lengths: dict[str, str] = {}
        self._prefix = ""

    # Values

    def bind(self, tensor: keras.KerasTensor, name: str) -> None:
        """Says which value a Keras tensor is."""
        self._names[id(tensor)] = name

    def value(self, x: Any, dtype: str | None = None) -> str:
        """The value of a Keras tensor, variable, array or number, in a type if one is given."""
        if not isinstance(x, keras.KerasTensor):
            return self.constant(np.asarray(x, dtype))
        name = self._names[id(x)]
        return name if dtype in (None, x.dtype) else self.cast(name, dtype)

    def constant(self, array: Any) -> str:
        """An array that the file holds, once for all equal ones."""
        array = np.asarray(array)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            name = f"constant_{len(self._constants)}"
            self._constants[key] = name
            self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return self._constants[key]

    def indices(self, *numbers: int) -> str:
        """int64 [numbers], as axes and shapes are given."""
        return self.constant(np.array(numbers, np.int64))

    # Nodes

    def add(self, operation: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Adds a node and returns its output's name, or the names where it has several.

        inputs: "" stands for an optional one left out.
        """
        names = [f"{self._prefix}{operation}_{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(operation, inputs, names, names[0], **attributes))
        return names[0] if outputs == 1 else names

    def cast(self, name: str, dtype: str) -> str:
        """A value in another type."""
        return self.add("Cast", name, to=_type(dtype))

    def transpose(self, name: str, *order: int) -> str:
        """A value with its axes in another order."""
        return self.add("Transpose", name, perm=order)

    def lengths(self, mask: keras.KerasTensor) -> str:
        """int32 [batch]: how many steps a mask bool [batch, time] lets through, the first ones of each
        row."""
        name = self.value(mask)
        if name not in self._lengths:
            counted = self.cast(name, "int32")
            self._lengths[name] = self.add("ReduceSum", counted, self.indices(1), keepdims=0)
        return self._lengths[name]

    # Walk

    def walk(self, model: keras.Model) -> None:
        """Adds the nodes of a functional model whose inputs are bound, and binds its tensors."""
        if isinstance(model, keras.Sequential):
            model = model._functional
        for depth in sorted(model._nodes_by_depth, reverse=True):
            for node in model._nodes_by_depth[depth]:
                if not node.is_input:
                    self._emit(node)

    def _emit(self, node: Any) -> None:
        operation = node.operation
        arguments = inspect.signature(operation.call).bind(
            *node.arguments.args, **node.arguments.kwargs
        )
        self._prefix = f"{operation.name}/"
        if isinstance(operation, keras.Model):
            outputs = self._nested(operation, node)
        else:
            outputs = _emitter(operation)(self, operation, node, **arguments.arguments)
        outputs = [outputs] if isinstance(outputs, str) else outputs
        for tensor, name in zip(node.outputs, outputs, strict=True):
            self.bind(tensor, name)

    def _nested(self, model: keras.Model, node: Any) -> list[str]:
        for inner, outer in zip(model.inputs, node.input_tensors, strict=True):
            self.bind(inner, self.value(outer))
        self.walk(model)
        return [self.value(tensor) for tensor in model.outputs]


def _emitter(operation: Any):
    """The function that adds the nodes of an operation: of the graph, the operation, its node in the
    Keras model and its arguments, to the names of its outputs."""
    from zoo.common.export.onnx.layers import LAYERS
    from zoo.common.export.onnx.operations import OPERATIONS

    kind = type(operation)
    if kind in LAYERS:
        return LAYERS[kind]
    if not isinstance(operation, keras.Layer) and kind.__name__ in OPERATIONS:
        return OPERATIONS[kind.__name__]
    layers = sorted({layer.__name__ for layer in LAYERS})
    raise unsupported(
        operation,
        f"Layers that do: {', '.join(layers)}. Operations of keras.ops: "
        f"{', '.join(sorted(OPERATIONS))}.",
    )


def unsupported(operation: Any, words: str) -> ZooError:
    """The error for a layer that cannot be written, and why or what could."""
    return ZooError(f"{type(operation).__name__} {operation.name!r} has no way to ONNX. {words}")


def _type(dtype: str) -> int:
    if dtype not in TYPES:
        raise ZooError(f"ONNX files are written in {', '.join(TYPES)}. Received: {dtype}.")
    return TYPES[dtype]


def _value_info(name: str, tensor: keras.KerasTensor) -> onnx.ValueInfoProto:
    shape = [
        size or ("batch" if axis == 0 else f"{name}_{axis}")
        for axis, size in enumerate(tensor.shape)
    ]
    return helper.make_tensor_value_info(name, _type(tensor.dtype), shape)
