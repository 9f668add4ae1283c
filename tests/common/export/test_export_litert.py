"""Test LiteRT files: built-in operations only, any length, names of Keras, no TensorFlow at runtime."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers, ops

import zoo
from zoo.common.core.errors import ZooError
from zoo.common.export import litert
from zoo.common.runtime import open_export

WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = sys.modules["zoo"] = None
import numpy as np
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter(sys.argv[1])
(name,) = interpreter.get_signature_list()
np.savez(sys.argv[3], **interpreter.get_signature_runner(name)(**np.load(sys.argv[2])))
"""


def written(model: keras.Model, folder: Path):
    """Return the graph of a model that LiteRT runs from a file."""
    litert._write(model, folder / "model.tflite")
    return open_export("litert", folder)["model"]


def _example_inputs(preset) -> list[dict[str, np.ndarray]]:
    recipe = preset.recipe
    return recipe.data.example_inputs(recipe.model, recipe.decoder)["model"]


def floats(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_recurrent_layers(tmp_path, capfd):
    """Test a masked bidirectional LSTM, both kinds of GRU with initial states, and a SimpleRNN."""
    x = keras.Input((None, 3), name="x")
    lengths = keras.Input((), name="lengths", dtype="int32")
    state = keras.Input((4,), name="state")
    mask = ops.cumsum(ops.ones_like(x[:, :, 0]), axis=1) <= ops.cast(lengths[:, None], "float32")
    arguments = {"return_sequences": True, "use_cudnn": False}
    y = layers.Bidirectional(layers.LSTM(4, **arguments))(x, mask=mask)
    y = layers.GRU(4, **arguments)(y, mask=mask, initial_state=state)
    y, last = layers.GRU(4, reset_after=False, return_state=True, **arguments)(y, mask=mask)
    outputs = {"y": layers.SimpleRNN(2)(y, mask=mask), "last": last}
    model = keras.Model({"x": x, "lengths": lengths, "state": state}, outputs, name="all")
    run = written(model, tmp_path)
    capfd.readouterr()
    for batch, time in ((1, 6), (3, 9), (2, 1)):
        inputs = {
            "x": floats(batch, time, 3),
            "lengths": np.arange(time, time - batch, -1, dtype=np.int32).clip(1),
            "state": floats(batch, 4),
        }
        expected, received = model(inputs), run(**inputs)
        assert set(received) == {"y", "last"}
        for name, value in received.items():
            np.testing.assert_allclose(value, expected[name], atol=1e-5)
    assert capfd.readouterr() == ("", "")


def test_a_file_runs_without_tensorflow(tiny_run, tmp_path):
    preset = zoo.load(str(tiny_run))
    (row,) = litert.export(preset, tmp_path)
    inputs = _example_inputs(preset)[1]
    np.savez(tmp_path / "inputs.npz", **inputs)
    command = [sys.executable, "-c", WITHOUT_TENSORFLOW, row["path"]]
    subprocess.run([*command, tmp_path / "inputs.npz", tmp_path / "outputs.npz"], check=True)
    received, expected = np.load(tmp_path / "outputs.npz"), preset.graphs["model"](**inputs)
    assert set(received) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(received[name], value, atol=row["tolerance"])


def test_the_error_about_an_unsupported_operation_is_one_line(tmp_path):
    x = keras.Input((3, 3), name="x")
    model = keras.Model({"x": x}, {"y": ops.linalg.det(x)}, name="determinant")
    with pytest.raises(ZooError, match="determinant cannot be converted to built-in") as caught:
        litert._write(model, tmp_path / "model.tflite")
    assert "\n" not in str(caught.value)
