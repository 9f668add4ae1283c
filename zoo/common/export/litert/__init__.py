"""Export to LiteRT: the graphs of a preset in built-in operations, without TensorFlow.

loops     recurrent layers as LiteRT runs them fast
weights   stores weights in float16 or int8
"""

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
from zoo.common.core.precision import FLOAT32
from zoo.common.export import import_packages
from zoo.common.export.litert.loops import with_loops
from zoo.common.export.per_graph import export_graphs
from zoo.common.export.portable import config_of, portable, save_module
from zoo.common.export.precision import IsFixed
from zoo.common.export.quality import Quality
from zoo.common.export.signature import SIGNATURE_FILE
from zoo.common.runtime.keras_model import concrete_function
from zoo.common.runtime.litert import SUFFIX
from zoo.common.runtime.preset import Preset
from zoo.common.utils.private import update_outputs_in_place
from zoo.common.utils.quiet import silent_stderr

# Sums are computed in another order, and recurrent layers accumulate the difference over time steps.
TOLERANCE = 1e-3
# The batch size is fixed, since a free one cannot be converted to built-in operations.
BATCH_SIZE = 1


def export(preset: Preset, folder: Path, quality: Quality | None = None) -> list[dict[str, Any]]:
    """Write `folder/litert/<graph>.tflite` with batch size 1, free time axes and the names of the model.

    With `quality`, the folder is `litert-int8` and so on.

    Returns and raises as `export_graphs`. A graph that needs other operations raises `ZooError`.
    """
    import_packages("litert")
    from zoo.common.export.litert.weights import store_weights

    models = config_of(preset).graphs(portable(preset))

    def write(
        model: keras.Model, path: Path, metadata: str, precision: str, is_fixed: IsFixed
    ) -> int:
        _write(model, path)
        quantized = 0
        if precision != FLOAT32:
            content, quantized = store_weights(path.read_bytes(), precision, is_fixed)
            path.write_bytes(content)
        # The form of LiteRT metadata. ZipInfo has no time stamp, so that equal exports have equal files.
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(zipfile.ZipInfo(SIGNATURE_FILE), metadata)
        return quantized

    return export_graphs(
        "litert", SUFFIX, write, models, TOLERANCE, preset, folder, BATCH_SIZE, quality
    )


def _write(model: keras.Model, path: Path) -> None:
    model, module = with_loops(model), tf.Module()
    module.weights = [variable.value for variable in model.variables]
    # On the disk of the export, so that an error about a full disk names it.
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, _quiet():
        # The signature of a SavedModel keeps the names of inputs and outputs.
        save_module(module, Path(folder), {model.name: concrete_function(model, BATCH_SIZE)})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, [model.name])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        update_outputs_in_place(converter)
        try:
            content = converter.convert()
        except Exception as error:  # the class of the converter's exceptions is not public
            reason = " ".join(str(error).split())[:200]
            raise ZooError(
                f"{model.name} cannot be converted to built-in operations of LiteRT: {reason}"
            ) from None
    path.write_bytes(content)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the converter, which logs to standard error from C++ and through loggers."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with silent_stderr():
            yield
    finally:
        logging.disable(before)
