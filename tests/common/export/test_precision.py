"""Test exports with smaller weights: trained weights are rounded, fixed weights are not."""

import keras
import numpy as np
import onnxruntime
import pytest
from ai_edge_litert.interpreter import Interpreter
from keras import layers, ops
from onnx import numpy_helper

import zoo
from zoo.common.core.errors import ZooError
from zoo.common.core.evaluation import Evaluation
from zoo.common.core.metrics import export_loss
from zoo.common.core.model import Graphs
from zoo.common.export import litert, quality
from zoo.common.export.litert.weights import store_weights as store_litert
from zoo.common.export.onnx.convert import to_onnx
from zoo.common.export.onnx.weights import store_weights as store_onnx
from zoo.common.export.precision import fits_float16, fixed_weights, to_int8
from zoo.common.export.quality import Quality

TOKENS, UNITS = 100, 32


def floats(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """Return a model with fixed filters, a tied embedding, a convolution and recurrent layers."""
    keras.utils.set_random_seed(0)
    tokens = keras.Input((None,), name="tokens", dtype="int32")
    lengths = keras.Input((), name="lengths", dtype="int32")
    embedding = layers.ReversibleEmbedding(TOKENS, UNITS, name="embedding")
    x = embedding(tokens)
    mask = ops.cumsum(ops.ones_like(tokens), axis=1) <= lengths[:, None]
    x = layers.Dense(UNITS, use_bias=False, trainable=False, name="filters")(x)
    x = layers.Conv1D(UNITS, 3, padding="causal", name="convolution")(x)
    x = layers.Bidirectional(layers.LSTM(UNITS, return_sequences=True, use_cudnn=False))(
        x, mask=mask
    )
    x = layers.GRU(UNITS, return_sequences=True, use_cudnn=False)(x, mask=mask)
    outputs = {"logits": embedding(x, reverse=True)}
    return keras.Model({"tokens": tokens, "lengths": lengths}, outputs, name="all")


@pytest.fixture(scope="module")
def inputs() -> dict[str, np.ndarray]:
    tokens = np.random.default_rng(0).integers(TOKENS, size=(2, 9)).astype(np.int32)
    return {"tokens": tokens, "lengths": np.array([9, 6], np.int32)}


def relative(received: np.ndarray, expected: np.ndarray, lengths: np.ndarray) -> float:
    """Return the largest difference within the lengths, relative to the largest value."""
    inside = np.arange(expected.shape[1]) < lengths[:, None]
    off = np.abs(received[inside] - expected[inside])
    return float(off.max() / np.abs(expected[inside]).max())


# Weights ------------------------------------------------------------------------------------------


def test_int8_is_within_half_a_step():
    array = floats(50, 30)
    values, scale = to_int8(array)
    assert values.dtype == np.int8
    assert np.abs(values * scale - array).max() <= scale / 2 * 1.001
    assert to_int8(np.zeros((2, 2)))[1] == 1


def test_fixed_weights_are_found_in_any_layout(model):
    is_fixed = fixed_weights([model])
    filters = np.asarray(model.get_layer("filters").kernel)
    assert is_fixed(filters)
    assert is_fixed(np.ascontiguousarray(filters.T)[None])
    assert not is_fixed(np.asarray(model.get_layer("convolution").kernel))
    assert not is_fixed(filters + np.float32(1e-6))
    filters = filters.copy()
    filters[:2] = [[0.0], [-0.0]]  # as in a DFT, where the order of equal numbers is open
    model.get_layer("filters").kernel.assign(filters)
    assert fixed_weights([model])(filters[::-1])


def test_which_weights_are_stored_in_float16(model):
    is_fixed = fixed_weights([model])
    filters = np.asarray(model.get_layer("filters").kernel)
    assert not fits_float16(filters, is_fixed)
    exact = filters.astype(np.float16).astype(np.float32)
    assert fits_float16(exact, lambda array: True)
    assert fits_float16(floats(UNITS, UNITS), is_fixed)
    assert not fits_float16(floats(10, 10), is_fixed)  # too small
    assert not fits_float16(floats(UNITS**2), is_fixed)  # a bias
    assert not fits_float16(np.full((UNITS, UNITS), 1e6, np.float32), is_fixed)  # too large


# Files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("precision", "worst", "share"), [("float16", 2e-3, 0.6), ("int8", 0.05, 0.4)]
)
def test_onnx(model, inputs, precision, worst, share):
    whole = to_onnx(model)
    whole.metadata_props.add(key="kept", value="yes")
    size = whole.ByteSize()
    stored, quantized = store_onnx(whole, precision, fixed_weights([model]))
    assert stored.ByteSize() < share * size + 4 * UNITS**2  # the filters stay in float32
    session = onnxruntime.InferenceSession(stored.SerializeToString())
    (received,) = session.run(None, inputs)
    expected = np.asarray(model(inputs)["logits"])
    difference = relative(received, expected, inputs["lengths"])
    assert 0 < difference < worst
    assert session.get_modelmeta().custom_metadata_map == {"kept": "yes"}
    filters = np.asarray(model.get_layer("filters").kernel)
    weights = [numpy_helper.to_array(weight) for weight in stored.graph.initializer]
    assert any(np.array_equal(weight, filters) for weight in weights)
    kinds = [node.op_type for node in stored.graph.node]
    assert ("DynamicQuantizeLSTM" in kinds) == (precision == "int8")
    assert kinds.count("MatMulInteger") == (precision == "int8")
    assert quantized == (5 if precision == "int8" else 0)  # embedding; kernels of LSTM and GRU


@pytest.fixture(scope="module")
def lite(model, tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("lite") / "model.tflite"
    litert._write(model, path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("precision", "worst", "share"),
    [("float32", 1e-5, 1), ("float16", 2e-3, 0.7), ("int8", 0.05, 0.5)],
)
def test_litert(model, inputs, lite, precision, worst, share):
    content, quantized = lite, 0
    if precision != "float32":
        content, quantized = store_litert(lite, precision, fixed_weights([model]))
        assert len(content) < share * len(lite) + 4 * UNITS**2
    interpreter = Interpreter(model_content=content)
    runner = interpreter.get_signature_runner()
    expected = np.asarray(model(inputs)["logits"])
    rows = [{name: value[i : i + 1] for name, value in inputs.items()} for i in range(2)]
    first = [runner(**row)["logits"] for row in rows]
    difference = relative(np.concatenate(first), expected, inputs["lengths"])
    assert difference < worst
    assert (difference > 1e-5) == (precision != "float32")
    # A file has no state between calls.
    for row, answer in zip(rows, first, strict=True):
        np.testing.assert_array_equal(runner(**row)["logits"], answer)
    details = interpreter.get_tensor_details()
    kinds = {detail["dtype"] for detail in details}
    assert (np.float16 in kinds) == (precision != "float32")
    assert (np.int8 in kinds) == (precision == "int8") == (quantized > 0)
    filters = [d for d in details if "filters" in d["name"] and tuple(d["shape"]) == (UNITS, UNITS)]
    assert {detail["dtype"] for detail in filters} == {np.float32}


# The metric ---------------------------------------------------------------------------------------


def test_the_loss_of_an_export():
    assert export_loss("wer", 0.08, 0.075) == pytest.approx(0.005)
    assert export_loss("wer", 0.07, 0.075) == 0
    assert export_loss("accuracy", 0.9, 0.95) == pytest.approx(0.05)
    assert export_loss("perplexity", 101.0, 100.0) == pytest.approx(0.01)
    assert np.isnan(export_loss("accuracy", np.nan, 0.95))


class Answers:
    """A preset whose metric is its graphs' name of the runtime."""

    def __init__(self, **metrics):
        self.metrics, self.seen, self.graphs = metrics, [], Graphs("keras", {})
        self.recipe = self.task = self
        self.monitor = "wer"

    def predictor(self, graphs):
        return graphs

    def evaluate(self, graphs, examples):
        self.seen.append((graphs.backend, examples))
        return Evaluation({"wer": self.metrics[graphs.backend]}, len(examples), 0.0)


def test_an_export_is_as_good_as_keras():
    preset = Answers(keras=0.075, onnx=0.079, litert=0.07)
    check = Quality("int8", lambda: ["a", "b"])
    row = check.check(preset, Graphs("onnx", {}))
    assert row["max_difference"] == pytest.approx(0.004)
    assert (row["metric"], row["figure"], row["keras_figure"]) == ("wer", 0.079, 0.075)
    assert row["examples"] == 2
    assert check.check(preset, Graphs("litert", {}))["max_difference"] == 0
    # The Keras model is evaluated once.
    assert [backend for backend, _ in preset.seen] == ["keras", "onnx", "litert"]


@pytest.mark.slow
def test_a_text_shorter_than_a_window_is_an_example(tmp_path):
    (row,) = zoo.export("language/charlstm-hello", "onnx", tmp_path, precision="int8").files
    assert (row["metric"], row["examples"]) == ("nats_per_char", 6)
    assert row["figure"] == pytest.approx(row["keras_figure"], abs=0.005)


@pytest.mark.parametrize("figure", [0.0801, np.nan])
def test_a_worse_export(figure):
    preset = Answers(keras=0.075, onnx=figure)
    with pytest.raises(ZooError, match=r"The onnx export has wer .* Keras model 0.075: .* removed"):
        Quality("int8", list).check(preset, Graphs("onnx", {}))
    assert quality.MAX_EXPORT_LOSS == 0.005
