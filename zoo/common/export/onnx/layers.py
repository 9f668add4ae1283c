"""Convert Keras layers to ONNX. Images are [batch, height, width, channels], as in Keras."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers

from zoo.common.export.onnx.graph import Graph, unsupported
from zoo.common.export.onnx.recurrent import bidirectional, recurrent
from zoo.common.layers import recurrent as fast

_ACTIVATIONS = {
    "relu": ("Relu", {}),
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "softmax": ("Softmax", {"axis": -1}),
    "log_softmax": ("LogSoftmax", {"axis": -1}),
}


def _same(graph: Graph, layer, node, inputs, training=None):
    """Convert a layer that has no effect outside training."""
    return graph.value(inputs, node.outputs[0].dtype)


def _activation(graph: Graph, layer, node, inputs):
    return _activated(graph, layer, graph.value(inputs))


def _activated(graph: Graph, layer, value: str) -> str:
    if layer.activation is None or layer.activation is keras.activations.linear:
        return value
    name = layer.activation.__name__
    if name not in _ACTIVATIONS:
        raise unsupported(layer, f"Its activation must be linear, {', '.join(_ACTIVATIONS)}.")
    operation, attributes = _ACTIVATIONS[name]
    return graph.add(operation, value, **attributes)


def _dense(graph: Graph, layer, node, inputs, training=None):
    value = graph.add("MatMul", graph.value(inputs, "float32"), graph.constant(layer.kernel))
    if layer.use_bias:
        value = graph.add("Add", value, graph.constant(layer.bias))
    return _activated(graph, layer, value)


def _embedding(graph: Graph, layer, node, inputs, reverse=False):
    if layer.mask_zero:
        raise unsupported(layer, "It must have mask_zero=False. Pass masks to layers explicitly.")
    # Tied weights are stored once, as the matrix of the product, so that the product can be quantized.
    tied = getattr(layer, "tie_weights", False)
    if not reverse and not tied:
        return graph.add("Gather", graph.constant(layer.embeddings), graph.value(inputs))
    kernel = graph.constant(
        np.asarray(layer.embeddings).T if tied else np.asarray(layer.reverse_embeddings)
    )
    if not reverse:
        columns = graph.add("Gather", kernel, graph.value(inputs), axis=1)
        return graph.transpose(columns, *range(1, 1 + len(inputs.shape)), 0)
    value = graph.add("MatMul", graph.value(inputs, "float32"), kernel)
    if layer.logit_soft_cap is None:
        return value
    cap = graph.constant(np.float32(layer.logit_soft_cap))
    return graph.add("Mul", graph.add("Tanh", graph.add("Div", value, cap)), cap)


def _layer_normalization(graph: Graph, layer, node, inputs):
    if list(layer.axis) not in ([-1], [len(inputs.shape) - 1]):
        raise unsupported(layer, f"It must normalize the last axis. Received: axis={layer.axis}.")
    units = inputs.shape[-1]
    scale = layer.gamma if layer.scale else np.ones(units, np.float32)
    shift = [graph.constant(layer.beta)] if layer.center else []
    value = graph.value(inputs, "float32")
    return graph.add(
        "LayerNormalization", value, graph.constant(scale), *shift, axis=-1, epsilon=layer.epsilon
    )


def _batch_normalization(graph: Graph, layer, node, inputs, training=None, mask=None):
    if layer.axis not in (-1, len(inputs.shape) - 1):
        raise unsupported(layer, f"It must normalize the last axis. Received: axis={layer.axis}.")
    mean, variance = (np.asarray(x) for x in (layer.moving_mean, layer.moving_variance))
    scale = (np.asarray(layer.gamma) if layer.scale else 1.0) / np.sqrt(variance + layer.epsilon)
    shift = (np.asarray(layer.beta) if layer.center else 0.0) - mean * scale
    value = graph.add("Mul", graph.value(inputs, "float32"), graph.constant(scale))
    return graph.add("Add", value, graph.constant(shift))


def _rescaling(graph: Graph, layer, node, inputs):
    value = graph.value(inputs, "float32")
    value = graph.add("Mul", value, graph.constant(np.asarray(layer.scale, np.float32)))
    return graph.add("Add", value, graph.constant(np.asarray(layer.offset, np.float32)))


# Convolution and pooling --------------------------------------------------------------------------


def _channels_first(graph: Graph, inputs) -> str:
    rank = len(inputs.shape)
    return graph.transpose(graph.value(inputs, "float32"), 0, rank - 1, *range(1, rank - 1))


def _channels_last(graph: Graph, value: str, rank: int) -> str:
    return graph.transpose(value, 0, *range(2, rank), 1)


def _window(layer, size: Sequence[int], dilation: Sequence[int]) -> dict[str, Any]:
    """Return the size, strides and padding of a convolution or pooling as ONNX attributes."""
    if layer.data_format != "channels_last":
        raise unsupported(layer, "Its data_format must be channels_last.")
    spread = [(n - 1) * d for n, d in zip(size, dilation, strict=True)]
    attributes: dict[str, Any] = {"kernel_shape": list(size), "strides": list(layer.strides)}
    if layer.padding == "causal":
        attributes["pads"] = [*spread, *(0 for _ in spread)]
    elif layer.padding == "same" and set(layer.strides) == {1}:
        attributes["pads"] = [*(n // 2 for n in spread), *(n - n // 2 for n in spread)]
    elif layer.padding == "same":
        attributes["auto_pad"] = "SAME_UPPER"
    return attributes


def _convolution(graph: Graph, layer, node, inputs):
    kernel = np.asarray(layer.kernel)  # [*window, in, out]
    rank = kernel.ndim
    weights = graph.constant(kernel.transpose(rank - 1, rank - 2, *range(rank - 2)))
    bias = [graph.constant(layer.bias)] if layer.use_bias else []
    attributes = _window(layer, layer.kernel_size, layer.dilation_rate)
    attributes |= {"dilations": list(layer.dilation_rate), "group": layer.groups}
    value = graph.add("Conv", _channels_first(graph, inputs), weights, *bias, **attributes)
    return _activated(graph, layer, _channels_last(graph, value, rank))


def _pooling(operation: str):
    def emit(graph: Graph, layer, node, inputs):
        size = layer.pool_size
        attributes = _window(layer, size, [1] * len(size))
        value = graph.add(operation, _channels_first(graph, inputs), **attributes)
        return _channels_last(graph, value, len(inputs.shape))

    return emit


def _global_pooling(operation: str):
    def emit(graph: Graph, layer, node, inputs, mask=None):
        if mask is not None or layer.data_format != "channels_last":
            raise unsupported(layer, "It must have no mask and the data_format channels_last.")
        axes = graph.indices(*range(1, len(inputs.shape) - 1))
        return graph.add(operation, graph.value(inputs), axes, keepdims=int(layer.keepdims))

    return emit


# Shapes -------------------------------------------------------------------------------------------


def _padding(graph: Graph, layer, node, inputs):
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        raise unsupported(layer, "Its data_format must be channels_last.")
    margins = np.array(layer.padding).reshape(-1, 2)
    before, after = ((0, *side, 0) for side in margins.T.tolist())
    return graph.add("Pad", graph.value(inputs), graph.indices(*before, *after))


def _reshape(graph: Graph, layer, node, inputs):
    shape = getattr(layer, "target_shape", (-1,))  # Flatten has no target_shape
    return graph.add("Reshape", graph.value(inputs), graph.indices(0, *shape))


def _concatenate(graph: Graph, layer, node, inputs):
    dtype = node.outputs[0].dtype
    return graph.add("Concat", *(graph.value(x, dtype) for x in inputs), axis=layer.axis)


def _average(graph: Graph, layer, node, inputs):
    dtype = node.outputs[0].dtype
    return graph.add("Mean", *(graph.value(x, dtype) for x in inputs))


# Each function adds the ONNX nodes of a layer; see `convert`.
LAYERS: dict[type, Callable[..., Any]] = {
    layers.Activation: _activation,
    layers.Average: _average,
    layers.AveragePooling1D: _pooling("AveragePool"),
    layers.AveragePooling2D: _pooling("AveragePool"),
    layers.BatchNormalization: _batch_normalization,
    layers.Bidirectional: bidirectional,
    layers.Concatenate: _concatenate,
    layers.Conv1D: _convolution,
    layers.Conv2D: _convolution,
    layers.Conv3D: _convolution,
    layers.Dense: _dense,
    layers.Dropout: _same,
    layers.Embedding: _embedding,
    layers.Flatten: _reshape,
    layers.GRU: recurrent,
    layers.GlobalAveragePooling1D: _global_pooling("ReduceMean"),
    layers.GlobalAveragePooling2D: _global_pooling("ReduceMean"),
    layers.GlobalMaxPooling1D: _global_pooling("ReduceMax"),
    layers.GlobalMaxPooling2D: _global_pooling("ReduceMax"),
    layers.Identity: _same,
    layers.LSTM: recurrent,
    layers.LayerNormalization: _layer_normalization,
    layers.MaxPooling1D: _pooling("MaxPool"),
    layers.MaxPooling2D: _pooling("MaxPool"),
    layers.Rescaling: _rescaling,
    layers.Reshape: _reshape,
    layers.ReversibleEmbedding: _embedding,
    layers.SimpleRNN: recurrent,
    layers.SpatialDropout1D: _same,
    layers.ZeroPadding1D: _padding,
    layers.ZeroPadding2D: _padding,
    fast.Bidirectional: bidirectional,
    fast.GRU: recurrent,
    fast.LSTM: recurrent,
    fast.SimpleRNN: recurrent,
}
