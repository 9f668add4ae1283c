"""Weights of LiteRT files in fewer bits.

The converter of TensorFlow rounds every weight, also the kernels of a DFT. Here the file is rewritten:

int8      the weights of FULLY_CONNECTED, which then quantizes its inputs itself, and the tables of
          GATHER, whose rows are dequantized after they are taken
float16   any other weight, with a DEQUANTIZE, which LiteRT runs once
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from zoo.common.core.precision import INT8
from zoo.common.export.precision import MIN_SIZE, IsFixed, fits_float16, to_int8

_OPERATOR = schema.BuiltinOperator
# Position of the weights among the inputs of an operator with int8 weights, and the version of the
# operator that has them.
_INT8_INPUTS = {_OPERATOR.FULLY_CONNECTED: (1, 3), _OPERATOR.GATHER: (0, 2)}
_DEQUANTIZE_VERSION = 3  # of float16


def store_weights(content: bytes, precision: str, is_fixed: IsFixed) -> tuple[bytes, int]:
    """Return the content of a LiteRT file with smaller weights, and the number of int8 weights.

    Args:
        content: content of a file with float32 weights.
        precision: "float16" or "int8".
        is_fixed: see `zoo.common.export.precision`.
    """
    file = _File(flatbuffer_utils.read_model_from_bytearray(bytearray(content)))
    quantized = 0
    for places in file.weights().values():
        subgraph, index = places[0]
        array = file.array(subgraph, index)
        if precision == INT8 and not is_fixed(array) and file.takes_int8(places):
            file.store_int8(places, array)
            quantized += 1
        elif fits_float16(array, is_fixed):
            file.store_float16(places, array)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(file.model)), quantized


class _File:
    """A model in a LiteRT file. A place of a weight is a subgraph and the index of a tensor in it."""

    def __init__(self, model: Any):
        self.model = model
        # The operators that read each tensor, with the position of the input.
        self._readers: dict[tuple[int, int], list[tuple[Any, int]]] = defaultdict(list)
        for number, subgraph in enumerate(model.subgraphs):
            for operator in subgraph.operators:
                for position, index in enumerate(operator.inputs):
                    self._readers[number, index].append((operator, position))

    def weights(self) -> dict[int, list[tuple[int, int]]]:
        """Return the places of each large float32 constant, by its buffer."""
        places = defaultdict(list)
        for number, subgraph in enumerate(self.model.subgraphs):
            for index, tensor in enumerate(subgraph.tensors):
                data = self.model.buffers[tensor.buffer].data
                is_float = tensor.type == schema.TensorType.FLOAT32
                if data is not None and is_float and len(data) >= 4 * MIN_SIZE:
                    places[tensor.buffer].append((number, index))
        return places

    def array(self, subgraph: int, index: int) -> np.ndarray:
        """Return the values of a constant."""
        tensor = self.model.subgraphs[subgraph].tensors[index]
        data = np.asarray(self.model.buffers[tensor.buffer].data, np.uint8)
        return data.view(np.float32).reshape(tensor.shape)

    def takes_int8(self, places: list[tuple[int, int]]) -> bool:
        """Return whether all operators that read a weight take it in int8."""
        return all(
            (wanted := _INT8_INPUTS.get(self._kind(operator))) and wanted[0] == position
            for place in places
            for operator, position in self._readers[place]
        )

    def store_int8(self, places: list[tuple[int, int]], array: np.ndarray) -> None:
        """Store a weight in int8."""
        values, scale = to_int8(array)
        for place in places:
            self._set(place, schema.TensorType.INT8, values, scale)
            for operator, _ in self._readers[place]:
                kind = self._kind(operator)
                operator.opcodeIndex = self._code(kind, _INT8_INPUTS[kind][1])
                if kind == _OPERATOR.GATHER:
                    self._dequantize_rows(place[0], operator, scale)

    def store_float16(self, places: list[tuple[int, int]], array: np.ndarray) -> None:
        """Store a weight in float16."""
        for place in places:
            subgraph = self.model.subgraphs[place[0]]
            wide = self._copy(subgraph, place[1])
            self._set(place, schema.TensorType.FLOAT16, array.astype(np.float16))
            subgraph.operators.insert(0, self._dequantize(place[1], wide))
            for operator, position in self._readers[place]:
                operator.inputs = list(operator.inputs)
                operator.inputs[position] = wide

    def _dequantize_rows(self, number: int, gather: Any, scale: float) -> None:
        """Let a GATHER give int8 rows, and dequantize them to its former output."""
        subgraph = self.model.subgraphs[number]
        output = gather.outputs[0]
        rows = self._copy(subgraph, output)
        subgraph.tensors[rows].type = schema.TensorType.INT8
        subgraph.tensors[rows].quantization = _scaled(scale)
        gather.outputs = [rows]
        # `index` would compare the operators by value.
        at = next(i for i, each in enumerate(subgraph.operators) if each is gather)
        subgraph.operators.insert(at + 1, self._dequantize(rows, output))

    def _set(
        self, place: tuple[int, int], type_: int, values: np.ndarray, scale: Any = None
    ) -> None:
        tensor = self.model.subgraphs[place[0]].tensors[place[1]]
        tensor.type = type_
        tensor.quantization = None if scale is None else _scaled(scale)
        self.model.buffers[tensor.buffer].data = values.reshape(-1).view(np.uint8)

    def _copy(self, subgraph: Any, index: int) -> int:
        """Add a tensor with the shape of another, without values, and return its index."""
        old = subgraph.tensors[index]
        new = schema.TensorT()
        new.name = bytes(old.name) + b"/stored"
        new.shape, new.shapeSignature, new.hasRank = old.shape, old.shapeSignature, old.hasRank
        new.type = schema.TensorType.FLOAT32
        new.buffer = 0  # the empty buffer
        subgraph.tensors.append(new)
        return len(subgraph.tensors) - 1

    def _dequantize(self, source: int, target: int) -> Any:
        operator = schema.OperatorT()
        operator.opcodeIndex = self._code(_OPERATOR.DEQUANTIZE, _DEQUANTIZE_VERSION)
        operator.inputs, operator.outputs = [source], [target]
        operator.builtinOptionsType = schema.BuiltinOptions.DequantizeOptions
        operator.builtinOptions = schema.DequantizeOptionsT()
        return operator

    def _kind(self, operator: Any) -> int:
        code = self.model.operatorCodes[operator.opcodeIndex]
        return max(
            code.builtinCode, code.deprecatedBuiltinCode
        )  # the old field has small codes only

    def _code(self, kind: int, version: int) -> int:
        """Return the index of an operator code, which is added if it is new."""
        codes = self.model.operatorCodes
        for index, code in enumerate(codes):
            if (code.builtinCode, code.version) == (kind, version):
                return index
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = kind
        code.version = version
        codes.append(code)
        return len(codes) - 1


def _scaled(scale: float) -> Any:
    quantization = schema.QuantizationParametersT()
    quantization.scale, quantization.zeroPoint = [scale], [0]
    return quantization
