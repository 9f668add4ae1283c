"""An ONNX graph in the making."""

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
    """An ONNX graph in the making. Values go by name; a Keras tensor is bound to one."""

    def __init__(self):
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._names: dict[int, str] = {}
        self._constants: dict[tuple, str] = {}
        self._lengths: dict[str, str] = {}
        self.prefix = ""  # of the names of nodes

    # Values

    def bind(self, tensor: keras.KerasTensor, name: str) -> None:
        """Say which value a Keras tensor is."""
        self._names[id(tensor)] = name

    def value(self, x: Any, dtype: str | None = None) -> str:
        """Return the value of a Keras tensor, variable, array or number, in a type if one is given."""
        if not isinstance(x, keras.KerasTensor):
            return self.constant(np.asarray(x, dtype))
        name = self._names[id(x)]
        return name if dtype in (None, x.dtype) else self.cast(name, dtype)

    def constant(self, array: Any) -> str:
        """Return the value of an array that the file holds, once for all equal ones."""
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
        """Return int64 [numbers], as axes and shapes are given."""
        return self.constant(np.array(numbers, np.int64))

    # Nodes

    def add(self, operation: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node and return its output's name, or the names where it has several.

        inputs: "" stands for an optional one left out.
        """
        names = [f"{self.prefix}{operation}_{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(operation, inputs, names, names[0], **attributes))
        return names[0] if outputs == 1 else names

    def cast(self, name: str, dtype: str) -> str:
        """Return a value in another type."""
        return self.add("Cast", name, to=onnx_type(dtype))

    def transpose(self, name: str, *order: int) -> str:
        """Return a value with its axes in another order."""
        return self.add("Transpose", name, perm=order)

    def lengths(self, mask: keras.KerasTensor) -> str:
        """Return int32 [batch]: how many steps a mask bool [batch, time] lets through, the first of each
        row."""
        name = self.value(mask)
        if name not in self._lengths:
            counted = self.cast(name, "int32")
            self._lengths[name] = self.add("ReduceSum", counted, self.indices(1), keepdims=0)
        return self._lengths[name]


def unsupported(operation: Any, words: str) -> ZooError:
    """Return the error for a layer that cannot be written, and why or what could."""
    return ZooError(f"{type(operation).__name__} {operation.name!r} has no way to ONNX. {words}")


def onnx_type(dtype: str) -> int:
    """Return ONNX's number of a type. Raises `ZooError` for one that files are not written in."""
    if dtype not in TYPES:
        raise ZooError(f"ONNX files are written in {', '.join(TYPES)}. Received: {dtype}.")
    return TYPES[dtype]
