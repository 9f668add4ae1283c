"""Weights of ONNX models in fewer bits.

int8      the weights of LSTM and MatMul, whose quantized operations compute in integers, and the tables
          of Gather (`onnxruntime.quantization`); the weights of GRU and RNN, which have no quantized
          operation, with a Cast and a scale
float16   any other weight, with a Cast

ONNX Runtime computes the casts of constants once, when it loads the file.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from zoo.common.core.precision import INT8
from zoo.common.export.precision import MIN_SIZE, IsFixed, fits_float16, to_int8

_QUANTIZED = ("LSTM", "MatMul", "Gather")
_STORED = ("GRU", "RNN")


def store_weights(
    model: onnx.ModelProto, precision: str, is_fixed: IsFixed
) -> tuple[onnx.ModelProto, int]:
    """Return a model with smaller weights, and the number of int8 weights.

    Args:
        model: a model with float32 weights.
        precision: "float16" or "int8".
        is_fixed: see `zoo.common.export.precision`.
    """
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    if precision == INT8:
        model = _quantized(model, is_fixed)
    casts, kept = [], []
    stored = {
        name for node in model.graph.node if node.op_type in _STORED for name in node.input[1:3]
    }
    int8 = 0
    for weight in model.graph.initializer:
        array = numpy_helper.to_array(weight)
        int8 += array.dtype in (np.int8, np.uint8) and array.size >= MIN_SIZE
        if array.dtype != np.float32 or not fits_float16(array, is_fixed):
            kept.append(weight)
        elif precision == INT8 and weight.name in stored:
            values, scale = to_int8(array)
            wide, factor = f"{weight.name}/float", f"{weight.name}/scale"
            casts += [_cast(kept, values, weight.name, wide)]
            kept.append(numpy_helper.from_array(np.array(scale, np.float32), factor))
            casts += [helper.make_node("Mul", [wide, factor], [weight.name])]
            int8 += 1
        else:
            casts.append(_cast(kept, array.astype(np.float16), weight.name, weight.name))
    nodes = [*casts, *model.graph.node]
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)
    helper.set_model_props(model, metadata)
    onnx.checker.check_model(model)
    return model, int8


def _cast(
    initializers: list[TensorProto], values: np.ndarray, name: str, wide: str
) -> onnx.NodeProto:
    """Add an initializer and return the node that casts it to float32.

    Args:
        initializers: the initializers of the graph.
        values: the values to store.
        name: name of the weight.
        wide: name of the value in float32.
    """
    initializers.append(numpy_helper.from_array(values, f"{name}/stored"))
    return helper.make_node("Cast", [f"{name}/stored"], [wide], to=TensorProto.FLOAT)


def _quantized(model: onnx.ModelProto, is_fixed: IsFixed) -> onnx.ModelProto:
    """Return a model whose large trained weights of `_QUANTIZED` operations are in int8."""
    from onnxruntime.quantization import quantize_dynamic

    arrays = {weight.name: numpy_helper.to_array(weight) for weight in model.graph.initializer}

    def is_kept(node: onnx.NodeProto) -> bool:
        given = [arrays[name] for name in node.input if name in arrays]
        return any(is_fixed(array) for array in given) or all(a.size < MIN_SIZE for a in given)

    excluded = [node.name for node in model.graph.node if is_kept(node)]
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)  # it recommends a preparation, which these graphs do not need
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "model.onnx")
            quantize_dynamic(
                model,
                path,
                op_types_to_quantize=list(_QUANTIZED),
                nodes_to_exclude=excluded,
                # Seven bits: on processors without VNNI, sums of products of eight bits overflow.
                reduce_range=True,
            )
            return onnx.load(path)
    finally:
        logging.disable(before)
