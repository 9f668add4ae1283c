"""Exports of the recurrent layers that Keras lacks: ONNX and LiteRT files compared with Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.common.layers.test_recurrences import LAYERS
from zoo.common.layers import recurrent

BATCH, TIME, FEATURES, UNITS = 2, 6, 3, 4
LENGTHS = np.array([TIME, 4])


def onnx_outputs(model, inputs):
    """Return the outputs of a model in ONNX Runtime, by name."""
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    from zoo.common.export.onnx.convert import to_onnx

    session = runtime.InferenceSession(
        to_onnx(model).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def make_inputs(layer):
    random = np.random.default_rng(0)
    inputs = {"x": random.normal(size=(BATCH, TIME, FEATURES)).astype("float32")}
    for i, size in enumerate(layer.cell.state_size):
        inputs[f"s{i}"] = abs(random.normal(size=(BATCH, size))).astype("float32")
    return inputs


def step_model(name):
    """Return a model from inputs and states to outputs and states, and its layer."""
    keras.utils.set_random_seed(1)
    layer = getattr(recurrent, name)(
        UNITS, **LAYERS[name], return_sequences=True, return_state=True, name="cell"
    )
    x = keras.Input((None, FEATURES), name="x")
    sizes = enumerate(layer.cell.state_size)
    states = {f"s{i}": keras.Input((size,), name=f"s{i}") for i, size in sizes}
    y, *following = layer(x, initial_state=list(states.values()))
    outputs = {"y": y, **{f"next_s{i}": state for i, state in enumerate(following)}}
    return keras.Model({"x": x, **states}, outputs), layer


def assert_same(received, expected):
    assert received.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(received[name], value, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("name", LAYERS)
def test_onnx_with_states(name):
    model, layer = step_model(name)
    inputs = make_inputs(layer)
    assert_same(onnx_outputs(model, inputs), model(inputs))


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("name", ["QRNN", "SLSTM"])
def test_onnx_with_masks_and_two_directions(name, sequences):
    options = LAYERS[name] | {"return_sequences": sequences}
    x = keras.Input((None, FEATURES), name="x")
    mask = keras.Input((None,), dtype="bool", name="mask")
    backward = getattr(recurrent, name)(UNITS, **options, go_backwards=True)(x, mask=mask)
    both = recurrent.Bidirectional(getattr(recurrent, name)(UNITS, **options))(x, mask=mask)
    model = keras.Model({"x": x, "mask": mask}, {"one": backward, "both": both})
    inputs = {
        "x": np.random.default_rng(0).normal(size=(BATCH, TIME, FEATURES)).astype("float32"),
        "mask": np.arange(TIME) < LENGTHS[:, None],
    }
    assert_same(onnx_outputs(model, inputs), model(inputs))


@pytest.mark.parametrize("name", ["LSTM", "MinGRU"])
def test_onnx_of_a_block(name):
    keras.utils.set_random_seed(1)
    layer = getattr(recurrent, name)(UNITS)
    x = keras.Input((None, FEATURES), name="x")
    past = keras.Input((3 * FEATURES,), name="past")
    count = 2 if name == "LSTM" else 1
    states = {f"s{i}": keras.Input((UNITS,), name=f"s{i}") for i in range(count)}
    block = recurrent.RecurrentBlock(layer, return_state=True, name="block")
    y, next_past, *following = block(x, initial_state=[past, *states.values()])
    outputs = {"y": y, "next_past": next_past}
    outputs |= {f"next_s{i}": state for i, state in enumerate(following)}
    model = keras.Model({"x": x, "past": past, **states}, outputs)
    random = np.random.default_rng(0)
    shapes = {"x": (BATCH, TIME, FEATURES), "past": (BATCH, 3 * FEATURES)}
    shapes |= dict.fromkeys(states, (BATCH, UNITS))
    inputs = {key: random.normal(size=shape).astype("float32") for key, shape in shapes.items()}
    assert_same(onnx_outputs(model, inputs), model(inputs))


@pytest.mark.parametrize("name", ["MinGRU", pytest.param("MLSTM", marks=pytest.mark.slow)])
def test_litert_by_steps(name, tmp_path):
    pytest.importorskip("ai_edge_litert")
    from ai_edge_litert.interpreter import Interpreter

    from zoo.common.export.litert import _write

    model, layer = step_model(name)
    inputs = {key: value[:1] for key, value in make_inputs(layer).items()}
    expected = {key: np.asarray(value) for key, value in model(inputs).items()}
    layer.by_steps = True
    _write(model, tmp_path / "model.tflite")
    runner = Interpreter(str(tmp_path / "model.tflite")).get_signature_runner()
    assert_same(runner(**inputs), expected)


def test_graph_by_steps_has_no_function_of_xla():
    """A file whose functions XLA must compile does not run in every runtime."""
    model, layer = step_model("LRU")
    for by_steps in (False, True):
        layer.by_steps = by_steps
        spec = {key: tf.TensorSpec(value.shape) for key, value in make_inputs(layer).items()}
        graph = tf.function(lambda **x: model(x)).get_concrete_function(**spec).graph
        compiled = b"_XlaMustCompile" in graph.as_graph_def().SerializeToString()
        assert compiled != by_steps


def test_onnx_of_a_stateful_layer_raises_an_error():
    pytest.importorskip("onnx")
    from zoo.common.core.errors import ZooError
    from zoo.common.export.onnx.convert import to_onnx

    x = keras.Input(batch_shape=(BATCH, None, FEATURES), name="x")
    model = keras.Model({"x": x}, {"y": recurrent.MinGRU(UNITS, stateful=True, name="kept")(x)})
    with pytest.raises(ZooError, match="MinGRU 'kept' cannot be converted to ONNX"):
        to_onnx(model)
