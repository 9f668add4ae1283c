"""Export to SavedModel: from raw input to answer, in version folders of TensorFlow Serving."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.common.core.model import Graphs
from zoo.common.core.task import Signature
from zoo.common.export import parity
from zoo.common.export.portable import config_of, portable, save_module
from zoo.common.export.sealed import sealed_folder
from zoo.common.export.signature import signature, write_signature
from zoo.common.runtime import open_export, versions
from zoo.common.runtime.keras_model import concrete_function
from zoo.common.runtime.preset import Preset

# The same graph in another executor differs in the last bits of floats only.
TOLERANCE = 1e-4


def export(preset: Preset, folder: Path) -> list[dict[str, Any]]:
    """Write the next version folder, such as `folder/1/`, for TensorFlow Serving.

    It has the signatures of the task, from raw input to answer, and one signature for each graph.
    Each is run on the example inputs of the data and compared with the Keras model.

    Returns:
        The row that `zoo export` prints, with the latencies of the graphs.

    Raises:
        ZooError: the folder cannot be written, or the comparison fails. Nothing is left behind.
    """
    task, recipe = preset.recipe.task, preset.recipe
    target = folder / str(max(versions(folder), default=0) + 1)
    with sealed_folder(preset, "savedmodel", target) as temporary:
        model = portable(preset)
        graphs = config_of(preset).graphs(model)
        signatures = task.signatures(recipe.predictor(Graphs("graph", graphs)))
        module = tf.Module()
        module.weights = [
            variable.value for part in (model, *graphs.values()) for variable in part.variables
        ]
        module.resources = [held for part in signatures.values() for held in part.resources]
        functions = {name: concrete_function(graph) for name, graph in graphs.items()}
        for name, entry in signatures.items():
            functions[name] = tf.function(entry.function).get_concrete_function(*entry.spec)
        save_module(module, temporary, functions)
        tensors = {name: (graph.input, graph.output) for name, graph in graphs.items()}
        for name, entry in signatures.items():
            inputs = {spec.name: spec for spec in entry.spec}
            tensors[name] = (inputs, functions[name].structured_outputs)
        write_signature(temporary, signature(preset, tensors))
        received, samples = (
            open_export("savedmodel", temporary),
            recipe.data.example_inputs(recipe.model, recipe.decoder),
        )
        keras_graphs = config_of(preset).graphs(preset.model)
        keras_predictor = recipe.predictor(Graphs("graph", keras_graphs))
        expected = {
            name: _on_arrays(entry) for name, entry in task.signatures(keras_predictor).items()
        }
        expected |= {name: preset.graphs[name] for name in graphs}
        compared = parity.compare(expected, received, samples)
        parity.check(*compared, TOLERANCE, "SavedModel")
        timed = parity.latencies(keras_graphs, received, samples)
    size = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
    return [parity.row("savedmodel", target, size, compared, TOLERANCE, timed)]


def _on_arrays(entry: Signature) -> Callable[..., dict[str, np.ndarray]]:
    """Return the function of a signature as a function of named arrays."""

    function = tf.function(entry.function).get_concrete_function(*entry.spec)

    def run(**inputs: Any) -> dict[str, np.ndarray]:
        tensors = {spec.name: tf.constant(inputs[spec.name], spec.dtype) for spec in entry.spec}
        return {name: output.numpy() for name, output in function(**tensors).items()}

    return run
