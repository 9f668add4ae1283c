"""SavedModel: raw input to answer, in TensorFlow Serving's version folders."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.common.errors import ZooError
from zoo.common.files import atomic_folder
from zoo.common.presets import Preset
from zoo.common.recurrent import to_stock

VERSION = "1"
# Of a float output: the same graph, run by another executor, differs in the last bits alone.
TOLERANCE = 1e-4


def export(preset: Preset, folder: Path) -> dict[str, Any]:
    """Writes `folder/1/`, which plain `tf.saved_model.load` and TensorFlow Serving open.

    Each signature is run on the task's real samples and compared with the Keras model: text to the
    letter, numbers to `TOLERANCE`. Returns the row `zoo export` prints. Raises `ZooError`, and leaves
    nothing behind, if the folder exists, cannot be written, or the comparison fails.
    """
    task, recipe = preset.recipe.task, preset.recipe
    target = folder / VERSION
    with atomic_folder(target) as temporary:
        portable = _without_cudnn(preset)
        module = tf.Module()
        module.weights = [variable.value for variable in portable.variables]
        signatures = {
            name: tf.function(signature.function).get_concrete_function(*signature.spec)
            for name, signature in task.signatures(portable, recipe).items()
        }
        try:
            tf.saved_model.save(module, str(temporary), signatures)
        except tf.errors.OpError as error:  # "<path>; <reason> [<operation>]"
            raise OSError(error.message.rpartition("; ")[2].partition(" [")[0]) from error
        difference, latency = _compare(preset, tf.saved_model.load(str(temporary)))
        if not difference <= TOLERANCE:
            raise ZooError(
                f"The SavedModel differs from the Keras model by {difference:.3g}, more than "
                f"{TOLERANCE:g}: it was removed."
            )
    return {
        "format": "savedmodel",
        "path": str(target),
        "bytes": sum(file.stat().st_size for file in target.rglob("*") if file.is_file()),
        "max_difference": difference,
        "tolerance": TOLERANCE,
        "latency_ms": round(latency * 1e3, 2),
    }


def _without_cudnn(preset: Preset) -> keras.Model:
    """The preset's model for any machine: a graph traced with cuDNN cannot run on a CPU."""
    model = to_stock(preset.recipe.model.build())
    model.set_weights(preset.model.get_weights())
    for layer in model.layers:
        directions = [getattr(layer, name, layer) for name in ("forward_layer", "backward_layer")]
        for direction in directions:
            if hasattr(direction, "use_cudnn"):
                direction.use_cudnn = False
    return model


def _compare(preset: Preset, loaded) -> tuple[float, float]:
    """(largest difference, or infinity where text differs; median seconds of a call)."""
    differences, seconds = [0.0], []
    signatures = preset.recipe.task.signatures(preset.model, preset.recipe)
    for name, batches in preset.recipe.task.samples(preset.recipe).items():
        for inputs in batches:
            tensors = {key: tf.constant(value) for key, value in inputs.items()}
            expected = signatures[name].function(*tensors.values())
            loaded.signatures[name](**tensors)  # the first call sets the graph up
            started = time.perf_counter()
            received = loaded.signatures[name](**tensors)
            seconds.append(time.perf_counter() - started)
            differences += [_difference(expected[key], received[key]) for key in expected]
    return max(differences), float(np.median(seconds))


def _difference(expected: tf.Tensor, received: tf.Tensor) -> float:
    if expected.dtype == tf.string:
        return 0.0 if np.array_equal(expected.numpy(), received.numpy()) else float("inf")
    return float(np.max(np.abs(expected.numpy() - received.numpy()), initial=0.0))
