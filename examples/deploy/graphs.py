"""Run the graphs of an export with ONNX Runtime, LiteRT or TensorFlow. The other scripts import this.

An export is a folder that `zoo export` wrote: `onnx/`, `litert/`, or `1/` for a SavedModel.
"""

import json
from pathlib import Path

import errors  # noqa: F401  (prints errors in one line)
import numpy as np


def open_export(folder):
    """Return the graphs of an export and its signature.json.

    The graphs are a dict from names to functions of named arrays.
    """
    folder = Path(folder)
    signature = json.loads((folder / "signature.json").read_text("utf-8"))
    if list(folder.glob("*.onnx")):
        return {name: _onnx(folder / f"{name}.onnx") for name in signature["graphs"]}, signature
    if list(folder.glob("*.tflite")):
        return {name: _litert(folder / f"{name}.tflite") for name in signature["graphs"]}, signature
    return _saved_model(folder), signature


def _onnx(path):
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    names = [output.name for output in session.get_outputs()]
    return lambda **inputs: dict(zip(names, session.run(names, inputs), strict=True))


def _litert(path):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    (name,) = interpreter.get_signature_list()
    return interpreter.get_signature_runner(name)


def _saved_model(folder):
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))

    def graph(function):
        def run(**inputs):
            tensors = {name: tf.constant(value) for name, value in inputs.items()}
            return {name: output.numpy() for name, output in function(**tensors).items()}

        run.loaded = loaded  # keeps the weights alive
        return run

    return {name: graph(function) for name, function in loaded.signatures.items()}


def first_states(signature):
    """Return the initial states of one sequence."""
    return {
        name: np.full((1, *state["shape"]), state["initial"], state["dtype"])
        for name, state in signature["states"].items()
    }


def next_states(signature, outputs, states):
    """Return the states after a call of `step`. Constant states are not changed."""
    return {name: outputs.get(f"next_{name}", states[name]) for name in signature["states"]}
