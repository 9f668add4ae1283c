"""Test that ONNX files give the outputs of Keras, for each layer and operation, any batch and length."""

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from keras import layers, ops

from zoo.common.core.errors import ZooError
from zoo.common.export.onnx.convert import to_onnx
from zoo.common.layers import recurrent

FEATURES, UNITS = 3, 4
SHAPES = ((1, 1), (1, 7), (3, 5))  # batch and time


def session(model: keras.Model) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(to_onnx(model).SerializeToString())


def same(model: keras.Model, *batches: dict[str, np.ndarray], lengths: str | None = None) -> None:
    """Check that outputs of Keras and ONNX Runtime are equal, within the lengths if there are any."""
    running = session(model)
    for inputs in batches:
        expected = model(inputs, training=False)
        names = list(expected)
        for name, received in zip(names, running.run(names, inputs), strict=True):
            right = np.array(expected[name])
            assert received.shape == right.shape, name
            assert received.dtype == right.dtype, name
            if lengths and name == "y" and right.ndim == 3:
                inside = np.arange(right.shape[1]) < inputs[lengths][:, None]
                received, right = received[inside], right[inside]
            np.testing.assert_allclose(received, right, atol=2e-5, rtol=1e-5, err_msg=name)


def operations(model: keras.Model) -> list[str]:
    return [node.op_type for node in to_onnx(model).graph.node]


def floats(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def randomized(model: keras.Model) -> keras.Model:
    """Return the model with random weights, including biases and scales."""
    generator = np.random.default_rng(1)
    for weight in model.weights:
        value = generator.normal(0, 0.5, weight.shape)
        weight.assign(np.abs(value) if weight.name == "moving_variance" else value)
    return model


# Recurrent layers ---------------------------------------------------------------------------------

CELLS = {
    "LSTM": (layers.LSTM, {}),
    "LSTM without bias": (layers.LSTM, {"use_bias": False}),
    "LSTM with other activations": (
        layers.LSTM,
        {"activation": "relu", "recurrent_activation": "tanh"},
    ),
    "GRU": (layers.GRU, {}),
    "GRU, reset_after=False": (layers.GRU, {"reset_after": False}),
    "RNN": (layers.SimpleRNN, {}),
    "RNN with sigmoid": (layers.SimpleRNN, {"activation": "sigmoid"}),
}


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_recurrent_layers(cell, sequences, both):
    kind, arguments = CELLS[cell]
    layer = kind(UNITS, return_sequences=sequences, return_state=True, **arguments)
    layer = layers.Bidirectional(layer) if both else layer
    x = keras.Input((None, FEATURES), name="x")
    y, *states = layer(x)
    model = randomized(
        keras.Model({"x": x}, {"y": y} | {f"state{i}": s for i, s in enumerate(states)})
    )
    same(model, *({"x": floats(*shape, FEATURES)} for shape in SHAPES))
    found = operations(model)
    assert sum(found.count(name) for name in ("LSTM", "GRU", "RNN")) == 1
    assert "Loop" not in found
    assert "Scan" not in found


def test_recurrent_layers_of_the_zoo():
    x = keras.Input((None, FEATURES), name="x")
    y = recurrent.Bidirectional(recurrent.LSTM(UNITS, return_sequences=True))(x)
    y = recurrent.SimpleRNN(UNITS)(recurrent.GRU(UNITS, return_sequences=True)(y))
    same(randomized(keras.Model({"x": x}, {"y": y})), {"x": floats(2, 5, FEATURES)})


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("cell", ["LSTM", "GRU", "GRU, reset_after=False", "RNN"])
def test_masks_become_lengths(cell, sequences, both):
    kind, arguments = CELLS[cell]
    layer = kind(UNITS, return_sequences=sequences, **arguments)
    x = keras.Input((None, FEATURES), name="x")
    lengths = keras.Input((), name="lengths", dtype="int32")
    step = ops.cumsum(ops.ones_like(x[:, :, 0]), axis=1)
    mask = step <= ops.cast(ops.expand_dims(lengths, -1), "float32")
    y = (layers.Bidirectional(layer) if both else layer)(x, mask=mask)
    model = randomized(keras.Model({"x": x, "lengths": lengths}, {"y": y}))
    batches = [
        {"x": floats(1, 6, FEATURES), "lengths": np.array([6], np.int32)},
        {"x": floats(3, 6, FEATURES), "lengths": np.array([4, 6, 1], np.int32)},
    ]
    same(model, *batches, lengths="lengths")


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize(("cell", "states"), [("LSTM", 2), ("GRU", 1), ("RNN", 1)])
def test_initial_states_are_inputs(cell, states, both):
    kind, _ = CELLS[cell]
    layer = kind(UNITS, return_sequences=True, return_state=True)
    layer = layers.Bidirectional(layer) if both else layer
    x = keras.Input((None, FEATURES), name="x")
    first = [keras.Input((UNITS,), name=f"s{i}") for i in range(states * (1 + both))]
    y, *last = layer(x, initial_state=first)
    outputs = {"y": y} | {f"next_{s.name}": n for s, n in zip(first, last, strict=True)}
    model = randomized(keras.Model({"x": x} | {s.name: s for s in first}, outputs))
    for batch, time in SHAPES:
        given = {s.name: floats(batch, UNITS, seed=i) for i, s in enumerate(first)}
        same(model, {"x": floats(batch, time, FEATURES), **given})


@pytest.mark.parametrize("merge", ["sum", "ave", "mul", "concat"])
def test_merged_directions(merge):
    x = keras.Input((None, FEATURES), name="x")
    y = layers.Bidirectional(layers.GRU(UNITS, return_sequences=True), merge_mode=merge)(x)
    z = layers.Bidirectional(layers.GRU(UNITS), merge_mode=merge)(y)
    same(keras.Model({"x": x}, {"y": y, "z": z}), {"x": floats(2, 5, FEATURES)})


# Other layers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
def test_convolution_in_time(padding, strides):
    x = keras.Input((None, FEATURES), name="x")
    y = layers.Conv1D(UNITS, 4, strides=strides, padding=padding, activation="relu")(x)
    z = layers.Conv1D(2, 3, dilation_rate=2, padding="same" if padding == "valid" else padding)(x)
    model = randomized(keras.Model({"x": x}, {"y": y, "z": z}))
    same(model, *({"x": floats(2, time, FEATURES)} for time in (4, 9, 10)))


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_convolution_and_pooling_of_images(padding, strides):
    x = keras.Input((None, 7, FEATURES), name="x")
    y = layers.ZeroPadding2D(((1, 2), (0, 1)))(x)
    y = layers.Conv2D(UNITS, (3, 2), strides=strides, padding=padding, use_bias=False)(y)
    pooled = layers.MaxPooling2D(2, padding=padding)(y)
    mean = layers.AveragePooling2D((2, 3), strides=2, padding=padding)(y)
    outputs = {
        "y": y,
        "pooled": pooled,
        "mean": mean,
        "all": layers.Concatenate()(
            [
                layers.GlobalAveragePooling2D()(y),
                layers.GlobalMaxPooling2D()(y),
                layers.Flatten()(layers.GlobalAveragePooling2D(keepdims=True)(pooled)),
            ]
        ),
    }
    model = randomized(keras.Model({"x": x}, outputs))
    same(model, *({"x": floats(*shape, 7, FEATURES)} for shape in ((1, 8), (3, 11))))


def test_pooling_in_time():
    x = keras.Input((None, FEATURES), name="x")
    padded = layers.ZeroPadding1D((2, 1))(x)
    outputs = {
        "largest": layers.MaxPooling1D(2)(padded),
        "mean": layers.AveragePooling1D(3, strides=2)(padded),
        "all": layers.GlobalAveragePooling1D()(x),
        "most": layers.GlobalMaxPooling1D(keepdims=True)(x),
    }
    same(keras.Model({"x": x}, outputs), {"x": floats(2, 5, FEATURES)})


def test_layers_on_features():
    x = keras.Input((None, 6), name="x")
    y = layers.Rescaling(2.0, offset=[-1.0, 0, 1, 2, 3, 4])(x)
    y = layers.LayerNormalization()(layers.Dropout(0.5)(y))
    y = layers.LayerNormalization(center=False, scale=False, epsilon=1e-5)(y)
    y = layers.BatchNormalization(epsilon=0.1)(
        layers.BatchNormalization(center=False, scale=False)(y)
    )
    y = layers.SpatialDropout1D(0.5)(layers.Identity()(y))
    outputs = {"split": layers.Reshape((-1, 2, 3))(y)}
    for name in ("linear", "relu", "sigmoid", "tanh", "softmax", "log_softmax"):
        outputs[name] = layers.Activation(name)(layers.Dense(UNITS, activation=name)(y))
    outputs["between"] = layers.Average()([outputs["linear"], outputs["tanh"], outputs["relu"]])
    model = randomized(keras.Model({"x": x}, outputs))
    same(model, *({"x": floats(*shape, 6)} for shape in SHAPES))


@pytest.mark.parametrize("cap", [None, 2.0])
@pytest.mark.parametrize("tied", [False, True])
def test_embeddings(tied, cap):
    tokens = keras.Input((None,), name="tokens", dtype="int32")
    embedding = layers.ReversibleEmbedding(11, UNITS, tie_weights=tied, logit_soft_cap=cap)
    y = embedding(tokens)
    outputs = {"y": y, "back": embedding(y, reverse=True), "other": layers.Embedding(11, 2)(tokens)}
    model = randomized(keras.Model({"tokens": tokens}, outputs))
    same(model, {"tokens": np.array([[0, 10, 3], [1, 1, 2]], np.int32)})
    # Tied weights are stored once.
    assert len([x for x in to_onnx(model).graph.initializer if 11 in x.dims]) == 3 - tied


def test_nested_models_and_shared_layers():
    inner = keras.Sequential([keras.Input((None, UNITS)), layers.Dense(UNITS, activation="tanh")])
    x = keras.Input((None, UNITS), name="x")
    twice = layers.GRU(UNITS, return_sequences=True)
    y = twice(inner(twice(x)))
    model = randomized(keras.Model({"x": x}, {"y": y, "z": inner(y)}))
    same(model, *({"x": floats(*shape, UNITS)} for shape in SHAPES))


# Operations ---------------------------------------------------------------------------------------


def test_operations_on_floats():
    x, y = keras.Input((None, 3), name="x"), keras.Input((1, 3), name="y")
    positive = ops.square(x) + 0.5
    outputs = {
        "sum": x + y,
        "difference": 1 - x,
        "product": x * y * 2,
        "quotient": x / positive,
        "floored": x // y,
        "largest": ops.maximum(x, 0.1),
        "least": ops.minimum(x, y),
        "root": ops.sqrt(positive) + ops.exp(-x) + ops.log(positive) + ops.abs(x) + ops.floor(x),
        "bent": ops.tanh(x) + ops.sigmoid(x) + ops.relu(x),
        "softmax": ops.softmax(x, axis=1) + ops.log_softmax(x),
        "matrix": ops.matmul(x, ops.transpose(x, (0, 2, 1))),
        "chosen": ops.where(ops.logical_and(x > y, ops.logical_not(x >= 1)), x, -1.0),
        "other": ops.where(ops.logical_or(x < y, ops.equal(x, 0.0)), y, x),
    }
    model = keras.Model({"x": x, "y": y}, outputs)
    same(model, *({"x": floats(b, t, 3), "y": floats(b, 1, 3, seed=2)} for b, t in SHAPES))


def test_operations_on_integers():
    n = keras.Input((None,), name="n", dtype="int32")
    outputs = {
        "floored": (n - 3) // 4 + 1,
        "ones": ops.cumsum(ops.ones_like(n), axis=1) + ops.zeros_like(n),
        "halves": n / 2,
        "small": ops.cast(n <= 2.5, "int32"),
        "mask": n > 1,
    }
    same(keras.Model({"n": n}, outputs), {"n": np.array([[-9, -4, -3, 0, 1, 2, 3, 11]], np.int32)})


def test_operations_on_shapes():
    x = keras.Input((None, 4, 3), name="x")
    outputs = {
        "part": x[:, 1:, ::2],
        "one": x[:, :, -1],
        "added": x[..., None, 1:2],
        "last": x[:, -1, None, 0],
        "flipped": ops.flip(x, axis=-1) + x[:, ::-1, ::-1],
        "squeezed": ops.squeeze(ops.expand_dims(x, (1, -1)), (1, -1)),
        "rows": ops.reshape(x, (-1, 12)),
        "joined": ops.concatenate([x, x], axis=1),
        "taken": ops.take(x, np.array([2, 0]), axis=2),
        "reduced": ops.sum(x, axis=(1, 2)) + ops.mean(x, axis=[2])[:, 0],
        "most": ops.max(x, axis=-1, keepdims=True) - ops.min(x, axis=1, keepdims=True)[..., :1],
    }
    same(keras.Model({"x": x}, outputs), *({"x": floats(*shape, 4, 3)} for shape in SHAPES))


# The file -----------------------------------------------------------------------------------------


def test_the_file_names_dynamic_dimensions():
    x = keras.Input((None, FEATURES), name="x")
    model = to_onnx(keras.Model({"x": x}, {"y": layers.LSTM(UNITS, return_sequences=True)(x)}))

    def dims(value):
        return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]

    assert {v.name: dims(v) for v in model.graph.input} == {"x": ["batch", "time", FEATURES]}
    assert {v.name: dims(v) for v in model.graph.output} == {"y": ["batch", "time", UNITS]}
    onnx.checker.check_model(model, full_check=True)


def unsupported(x):
    return {
        "PReLU 'bent'": layers.PReLU(name="bent")(x),
        "Conv1D 'elu'.*activation": layers.Conv1D(2, 1, activation="elu", name="elu")(x),
        "Einsum 'einsum": ops.einsum("btf,btg->bfg", x, x),
        "LSTM 'odd'.*activations": layers.LSTM(2, activation="elu", name="odd")(x),
        "GRU 'back'.*Bidirectional": layers.GRU(2, go_backwards=True, name="back")(x),
        "LayerNormalization 'wide'.*last axis": layers.LayerNormalization((1, 2), name="wide")(x),
        "BatchNormalization 'rows'.*last axis": layers.BatchNormalization(1, name="rows")(x),
        "Embedding 'zero'.*mask_zero": layers.Embedding(9, 2, mask_zero=True, name="zero")(
            x[..., 0]
        ),
    }


@pytest.mark.parametrize("words", unsupported(keras.Input((5, FEATURES))))
def test_the_error_names_an_unsupported_layer(words):
    x = keras.Input((5, FEATURES), name="x")
    with pytest.raises(ZooError, match=words):
        to_onnx(keras.Model({"x": x}, {"y": unsupported(x)[words]}))


def test_bfloat16_is_rejected():
    x = keras.Input((5,), name="x", dtype="bfloat16")
    with pytest.raises(ZooError, match=r"float32, int32, int64, bool. Received: bfloat16"):
        to_onnx(keras.Model({"x": x}, {"y": x + 1}))


def test_the_error_lists_supported_layers_and_operations():
    x = keras.Input((5, FEATURES), name="x")
    with pytest.raises(
        ZooError, match=r"Supported layers: Activation, .*operations of keras.ops: Abs"
    ):
        to_onnx(keras.Model({"x": x}, {"y": layers.PReLU()(x)}))
