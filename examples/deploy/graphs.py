"""The graphs of an export, by plain ONNX Runtime, LiteRT or TensorFlow. The other scripts import it.

An export is a folder that `zoo export` wrote: `onnx/`, `litert/`, or `1/` of a SavedModel.
"""

import json
from pathlib import Path

import numpy as np


def open_export(folder):
    """Return the graphs of an export by name, functions of named arrays, and its signature.json."""
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

        run.loaded = loaded  # its weights live no longer than it
        return run

    return {name: graph(function) for name, function in loaded.signatures.items()}


def first_states(signature):
    """Return the states where a sequence begins, of one row."""
    return {
        name: np.full((1, *state["shape"]), state["initial"], state["dtype"])
        for name, state in signature["states"].items()
    }


def next_states(signature, outputs, states):
    """Return the states after a call of `step`: those that are constant stay."""
    return {name: outputs.get(f"next_{name}", states[name]) for name in signature["states"]}
