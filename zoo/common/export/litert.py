"""LiteRT: the graphs of a preset in built-in operations, for machines without TensorFlow."""

from __future__ import annotations

import logging
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from zoo.common.core.errors import ZooError
from zoo.common.export import import_packages
from zoo.common.export.per_graph import export_graphs
from zoo.common.export.portable import portable, save_module
from zoo.common.export.signature import SIGNATURE_FILE
from zoo.common.runtime.keras_model import concrete_function
from zoo.common.runtime.litert import SUFFIX
from zoo.common.runtime.preset import Preset
from zoo.common.utils.quiet import silent_stderr

# Sums in another order; a recurrent layer carries the difference on over its steps.
TOLERANCE = 1e-3
# What the files fix: a free one has no way to built-in operations.
BATCH_SIZE = 1


def export(preset: Preset, folder: Path) -> list[dict[str, Any]]:
    """Write `folder/litert/<graph>.tflite`: batch 1 and free time, names those of the Keras model.

    Returns rows and raises as `export_graphs`; also for a graph that built-in operations cannot do.
    """
    import_packages("litert")
    models = preset.recipe.model.graphs(portable(preset))

    def write(model: keras.Model, path: Path, facts: str) -> None:
        _write(model, path)
        # As LiteRT's metadata packs files. Without the time of day, so that equal files are equal.
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(zipfile.ZipInfo(SIGNATURE_FILE), facts)

    return export_graphs("litert", SUFFIX, write, models, TOLERANCE, preset, folder, BATCH_SIZE)


def _write(model: keras.Model, path: Path) -> None:
    module = tf.Module()
    module.weights = [variable.value for variable in model.variables]
    # On the disk that the export goes to: what is full is then what the error names.
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, _quiet():
        # By way of a SavedModel: its signature keeps the names of inputs and outputs.
        save_module(module, Path(folder), {model.name: concrete_function(model, BATCH_SIZE)})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, [model.name])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        try:
            content = converter.convert()
        except Exception as error:  # the converter's own class is not public
            reason = " ".join(str(error).split())[:200]
            raise ZooError(
                f"{model.name} has no way to LiteRT's built-in operations: {reason}"
            ) from None
    path.write_bytes(content)


@contextmanager
def _quiet() -> Iterator[None]:
    """The converter tells its steps to standard error, from C++ and through the loggers."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with silent_stderr():
            yield
    finally:
        logging.disable(before)
