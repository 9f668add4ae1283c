"""Exported files without the zoo and TensorFlow: one environment for each runtime."""

import subprocess
import venv

import numpy as np
import pytest

import zoo
from zoo.cli.export import export
from zoo.common.presets import store

pytestmark = pytest.mark.slow

# What a user of the file alone writes.
PROGRAMS = {
    "onnx": """
import sys, numpy as np, onnxruntime
file, inputs, outputs = sys.argv[1:]
session = onnxruntime.InferenceSession(file)
names = [node.name for node in session.get_outputs()]
np.savez(outputs, **dict(zip(names, session.run(names, dict(np.load(inputs))))))
""",
    "litert": """
import sys, numpy as np
from ai_edge_litert.interpreter import Interpreter
file, inputs, outputs = sys.argv[1:]
interpreter = Interpreter(file)
(name,) = interpreter.get_signature_list()
np.savez(outputs, **interpreter.get_signature_runner(name)(**np.load(inputs)))
""",
}
PACKAGES = {"onnx": "onnxruntime", "litert": "ai-edge-litert"}
SUFFIXES = {"onnx": "onnx", "litert": "tflite"}


@pytest.fixture(scope="module", params=PROGRAMS)
def runtime(request, tmp_path_factory):
    """(name, the Python of an environment that has this runtime alone)."""
    folder = tmp_path_factory.mktemp(request.param)
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", PACKAGES[request.param]], check=True)
    for absent in ("tensorflow", "keras", "zoo"):
        found = subprocess.run([python, "-c", f"import {absent}"], capture_output=True, cwd=folder)
        assert found.returncode != 0
    return request.param, python


@pytest.mark.parametrize("name", store.names())
def test_a_file_answers_alone(runtime, name, tmp_path):
    format_, python = runtime
    rows = export(name, [format_], tmp_path / "exported")["files"]
    preset = zoo.load(name)
    example_inputs = preset.recipe.data.example_inputs(preset.recipe)
    for graph in preset.recipe.model.graphs(preset.model):
        function = preset.graphs[graph]
        inputs = {key: np.asarray(value)[:1] for key, value in example_inputs[graph][0].items()}
        np.savez(tmp_path / "inputs.npz", **inputs)
        file = tmp_path / "exported" / format_ / f"{graph}.{SUFFIXES[format_]}"
        arguments = [file, tmp_path / "inputs.npz", tmp_path / "outputs.npz"]
        subprocess.run([python, "-c", PROGRAMS[format_], *arguments], check=True, cwd=tmp_path)
        received = np.load(tmp_path / "outputs.npz")
        for key, expected in function(**inputs).items():
            np.testing.assert_allclose(received[key], expected, atol=rows[0]["tolerance"])
