"""Convert operations of `keras.ops` to ONNX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from zoo.common.export.onnx.graph import Graph, unsupported

_ARITHMETIC = {
    "Add": "Add",
    "Subtract": "Sub",
    "Multiply": "Mul",
    "Divide": "Div",
    "TrueDivide": "Div",
    "Maximum": "Max",
    "Minimum": "Min",
}
_COMPARISONS = {
    "Equal": "Equal",
    "Less": "Less",
    "LessEqual": "LessOrEqual",
    "Greater": "Greater",
    "GreaterEqual": "GreaterOrEqual",
}
_ELEMENTWISE = {
    "Absolute": "Abs",
    "Exp": "Exp",
    "Floor": "Floor",
    "Identity": "Identity",
    "Log": "Log",
    "Negative": "Neg",
    "Relu": "Relu",
    "Sigmoid": "Sigmoid",
    "Softplus": "Softplus",
    "Sqrt": "Sqrt",
    "Tanh": "Tanh",
}
_REDUCTIONS = {"Max": "ReduceMax", "Mean": "ReduceMean", "Min": "ReduceMin", "Sum": "ReduceSum"}
_LOGIC = {"LogicalAnd": "And", "LogicalOr": "Or"}


def _arithmetic(graph: Graph, op, node, x1, x2):
    dtype = node.outputs[0].dtype
    return graph.add(_ARITHMETIC[type(op).__name__], graph.value(x1, dtype), graph.value(x2, dtype))


def _comparison(graph: Graph, op, node, x1, x2):
    dtype = keras.backend.result_type(*(getattr(x, "dtype", type(x)) for x in (x1, x2)))
    return graph.add(
        _COMPARISONS[type(op).__name__], graph.value(x1, dtype), graph.value(x2, dtype)
    )


def _elementwise(graph: Graph, op, node, x):
    return graph.add(_ELEMENTWISE[type(op).__name__], graph.value(x, node.outputs[0].dtype))


def _logic(graph: Graph, op, node, x1, x2):
    return graph.add(_LOGIC[type(op).__name__], graph.value(x1, "bool"), graph.value(x2, "bool"))


def _logical_not(graph: Graph, op, node, x):
    return graph.add("Not", graph.value(x, "bool"))


def _reduction(graph: Graph, op, node, x):
    axes = range(len(x.shape)) if op.axis is None else _tuple(op.axis)
    value = graph.value(x, node.outputs[0].dtype)
    keep = int(op.keepdims)
    return graph.add(_REDUCTIONS[type(op).__name__], value, graph.indices(*axes), keepdims=keep)


def _floor_divide(graph: Graph, op, node, x1, x2):
    """Convert a floor division. ONNX truncates integer quotients, Keras rounds them down."""
    dtype = node.outputs[0].dtype
    x1, x2 = graph.value(x1, dtype), graph.value(x2, dtype)
    if not dtype.startswith("int"):
        return graph.add("Floor", graph.add("Div", x1, x2))
    return graph.add("Div", graph.add("Sub", x1, graph.add("Mod", x1, x2)), x2)


def _square(graph: Graph, op, node, x):
    value = graph.value(x)
    return graph.add("Mul", value, value)


def _cast(graph: Graph, op, node, x):
    return graph.value(x, node.outputs[0].dtype)


def _stop_gradient(graph: Graph, op, node, variable):
    return graph.value(variable)


def _like(number: int):
    def emit(graph: Graph, op, node, x, dtype=None):
        shape = graph.add("Shape", graph.value(x))
        one = graph.constant(np.array(number, node.outputs[0].dtype))
        return graph.add("Expand", one, shape)

    return emit


def _cumsum(graph: Graph, op, node, x):
    if op.axis is None:
        raise unsupported(op, "It needs an axis.")
    value = graph.value(x, node.outputs[0].dtype)
    return graph.add("CumSum", value, graph.constant(np.array(op.axis, np.int64)))


def _where(graph: Graph, op, node, condition, x1=None, x2=None):
    dtype = node.outputs[0].dtype
    parts = graph.value(condition, "bool"), graph.value(x1, dtype), graph.value(x2, dtype)
    return graph.add("Where", *parts)


def _matmul(graph: Graph, op, node, x1, x2):
    dtype = node.outputs[0].dtype
    return graph.add("MatMul", graph.value(x1, dtype), graph.value(x2, dtype))


def _take(graph: Graph, op, node, x, indices):
    if op.axis is None:
        raise unsupported(op, "It needs an axis.")
    return graph.add("Gather", graph.value(x), graph.value(indices), axis=op.axis)


def _softmax(graph: Graph, op, node, x):
    return graph.add(type(op).__name__, graph.value(x), axis=op.axis)


# Shapes -------------------------------------------------------------------------------------------


def _expand_dims(graph: Graph, op, node, x):
    return graph.add("Unsqueeze", graph.value(x), graph.indices(*_tuple(op.axis)))


def _squeeze(graph: Graph, op, node, x):
    axes = [i for i, n in enumerate(x.shape) if n == 1] if op.axis is None else _tuple(op.axis)
    return graph.add("Squeeze", graph.value(x), graph.indices(*axes))


def _reshape(graph: Graph, op, node, x):
    shape = [-1 if size is None else size for size in op.newshape]
    return graph.add("Reshape", graph.value(x), graph.indices(*shape))


def _transpose(graph: Graph, op, node, x):
    return graph.transpose(graph.value(x), *(op.axes or reversed(range(len(x.shape)))))


def _concatenate(graph: Graph, op, node, xs):
    dtype = node.outputs[0].dtype
    return graph.add("Concat", *(graph.value(x, dtype) for x in xs), axis=op.axis)


def _split(graph: Graph, op, node, x):
    if not isinstance(op.indices_or_sections, int):
        raise unsupported(op, "It must have a number of equal parts.")
    count = op.indices_or_sections
    return graph.add("Split", graph.value(x), outputs=count, axis=op.axis, num_outputs=count)


def _flip(graph: Graph, op, node, x):
    axes = range(len(x.shape)) if op.axis is None else _tuple(op.axis)
    return _slice(graph, graph.value(x), {axis: slice(None, None, -1) for axis in axes})


def _get_item(graph: Graph, op, node, x, key):
    """Convert an index of slices, integers, None and an Ellipsis, with the semantics of NumPy."""
    keys = list(key) if isinstance(key, tuple) else [key]
    if not all(k is None or k is ... or isinstance(k, int | slice) for k in keys):
        raise unsupported(op, f"Its index must consist of slices and integers. Received: {key}.")
    if ... in keys:
        at = keys.index(...)
        rest = len(x.shape) - sum(k is not None and k is not ... for k in keys)
        keys[at : at + 1] = [slice(None)] * rest
    slices: dict[int, slice] = {}
    dropped: list[int] = []
    added: list[int] = []
    axis = 0
    for position, k in enumerate(keys):
        if k is None:
            added.append(position - len(dropped))
            continue
        if isinstance(k, int):
            dropped.append(axis)
            k = slice(k, k + 1 or None)
        if k != slice(None):
            slices[axis] = k
        axis += 1
    value = _slice(graph, graph.value(x), slices) if slices else graph.value(x)
    if dropped:
        value = graph.add("Squeeze", value, graph.indices(*dropped))
    return graph.add("Unsqueeze", value, graph.indices(*added)) if added else value


def _slice(graph: Graph, value: str, slices: dict[int, slice]) -> str:
    far = np.iinfo(np.int64).max
    columns = []
    for part in slices.values():
        step = part.step or 1
        start = part.start if part.start is not None else (0 if step > 0 else far)
        stop = part.stop if part.stop is not None else (far if step > 0 else -far)
        columns.append((start, stop, step))
    starts, stops, steps = zip(*columns, strict=True)
    return graph.add(
        "Slice",
        value,
        graph.indices(*starts),
        graph.indices(*stops),
        graph.indices(*slices),
        graph.indices(*steps),
    )


def _tuple(axis: int | tuple[int, ...] | list[int]) -> tuple[int, ...]:
    return (axis,) if isinstance(axis, int) else tuple(axis)


# Each function adds the ONNX nodes of an operation; see `convert`.
OPERATIONS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(_ARITHMETIC, _arithmetic),
    **dict.fromkeys(_COMPARISONS, _comparison),
    **dict.fromkeys(_ELEMENTWISE, _elementwise),
    **dict.fromkeys(_REDUCTIONS, _reduction),
    **dict.fromkeys(_LOGIC, _logic),
    "Cast": _cast,
    "Concatenate": _concatenate,
    "Cumsum": _cumsum,
    "ExpandDims": _expand_dims,
    "Flip": _flip,
    "FloorDivide": _floor_divide,
    "GetItem": _get_item,
    "LogSoftmax": _softmax,
    "LogicalNot": _logical_not,
    "Matmul": _matmul,
    "OnesLike": _like(1),
    "Reshape": _reshape,
    "Softmax": _softmax,
    "Split": _split,
    "Square": _square,
    "Squeeze": _squeeze,
    "StopGradient": _stop_gradient,
    "Take": _take,
    "Transpose": _transpose,
    "Where": _where,
    "ZerosLike": _like(0),
}
