"""SavedModel: raw input to answer, in TensorFlow Serving's version folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.common.core.model import Graphs
from zoo.common.core.task import Signature
from zoo.common.export import parity
from zoo.common.export.portable import portable, save_module
from zoo.common.export.sealed import sealed_folder
from zoo.common.export.signature import signature, write_signature
from zoo.common.runtime import open_export, versions
from zoo.common.runtime.keras_model import concrete_function
from zoo.common.runtime.preset import Preset

# Of a float output: the same graph, run by another executor, differs in the last bits alone.
TOLERANCE = 1e-4


def export(preset: Preset, folder: Path) -> list[dict[str, Any]]:
    """Write the next version folder, such as `folder/1/`, which plain `tf.saved_model.load` and
    TensorFlow Serving open.

    It has the task's signatures, raw input to answer, and one for each graph, under its name. Each is
    run on the data's example inputs and compared with the Keras model.

    Returns:
        The row `zoo export` prints; its latencies are those of the graphs.

    Raises:
        ZooError: the folder cannot be written, or the comparison fails; nothing is left behind.
    """
    task, recipe = preset.recipe.task, preset.recipe
    target = folder / str(max(versions(folder), default=0) + 1)
    with sealed_folder(preset, "savedmodel", target) as temporary:
        model = portable(preset)
        graphs = recipe.model.graphs(model)
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
        keras_graphs = recipe.model.graphs(preset.model)
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
    """The function of a signature, from named arrays to named arrays."""

    function = tf.function(entry.function).get_concrete_function(*entry.spec)

    def run(**inputs: Any) -> dict[str, np.ndarray]:
        tensors = {spec.name: tf.constant(inputs[spec.name], spec.dtype) for spec in entry.spec}
        return {name: output.numpy() for name, output in function(**tensors).items()}

    return run
