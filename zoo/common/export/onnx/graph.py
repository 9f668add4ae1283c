"""Build an ONNX graph."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from zoo.common.core.errors import ZooError

TYPES = {
    "float32": TensorProto.FLOAT,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "bool": TensorProto.BOOL,
}


class Graph:
    """The nodes and constants of an ONNX graph. A Keras tensor is bound to the name of its value."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._names: dict[int, str] = {}
        self._constants: dict[tuple, str] = {}
        self._lengths: dict[str, str] = {}
        self.prefix = ""  # prefix of the names of nodes
        self._scope = ""

    def body(self, scope: str) -> Graph:
        """Return a graph for the body of a loop of this graph. Both share the constants.

        Args:
            scope: prefix of all names in the body.
        """
        inner = Graph()
        inner.initializers, inner._constants = self.initializers, self._constants
        inner._scope = scope
        return inner

    def name(self, name: str) -> str:
        """Return a name with the prefix of a body."""
        return self._scope + name

    # Values

    def bind(self, tensor: keras.KerasTensor, name: str) -> None:
        """Bind a Keras tensor to the name of a value."""
        self._names[id(tensor)] = name

    def value(self, x: Any, dtype: str | None = None) -> str:
        """Return the name of a value.

        Args:
            x: Keras tensor, variable, array or number.
            dtype: type to cast to; None for no cast.
        """
        if not isinstance(x, keras.KerasTensor):
            return self.constant(np.asarray(x, dtype))
        name = self._names[id(x)]
        return name if dtype in (None, x.dtype) else self.cast(name, dtype)

    def constant(self, array: Any) -> str:
        """Return the name of a constant. Equal constants are stored once."""
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
        """Return the name of an int64 [numbers] constant, the type of axes and shapes in ONNX."""
        return self.constant(np.array(numbers, np.int64))

    # Nodes

    def add(self, operation: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node and return the name of its output, or a list of names if it has several outputs.

        Args:
            operation: the ONNX operation.
            inputs: names of the inputs; "" for an omitted optional input.
            outputs: number of outputs.
            attributes: attributes of the operation.
        """
        stem = self.name(f"{self.prefix}{operation}_{len(self.nodes)}")
        names = [f"{stem}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(operation, inputs, names, names[0], **attributes))
        return names[0] if outputs == 1 else names

    def cast(self, name: str, dtype: str) -> str:
        """Return the name of a value cast to another type."""
        return self.add("Cast", name, to=onnx_type(dtype))

    def transpose(self, name: str, *order: int) -> str:
        """Return the name of a value with its axes in another order."""
        return self.add("Transpose", name, perm=order)

    def lengths(self, mask: keras.KerasTensor) -> str:
        """Return the name of the lengths, int32 [batch], of a right-padding mask.

        Args:
            mask: bool [batch, time], True for the first steps of each row.
        """
        name = self.value(mask)
        if name not in self._lengths:
            counted = self.cast(name, "int32")
            self._lengths[name] = self.add("ReduceSum", counted, self.indices(1), keepdims=0)
        return self._lengths[name]


def unsupported(operation: Any, reason: str) -> ZooError:
    """Return the error for a layer or operation that cannot be converted.

    Args:
        operation: the layer or operation.
        reason: a sentence that states the reason, or what is supported.
    """
    name = f"{type(operation).__name__} {operation.name!r}"
    return ZooError(f"{name} cannot be converted to ONNX. {reason}")


def onnx_type(dtype: str) -> int:
    """Return ONNX's number of a dtype.

    Raises:
        ZooError: the dtype is not supported.
    """
    if dtype not in TYPES:
        raise ZooError(f"The dtype of a tensor must be {', '.join(TYPES)}. Received: {dtype}.")
    return TYPES[dtype]
