"""Exports: a preset as files for other runtimes, each compared with the Keras model before it counts."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.runtime.preset import Preset
from zoo.common.utils.packages import import_package

# A format's module has `export(preset, folder) -> list of rows` of the table `zoo export` prints.
FORMATS = {
    "savedmodel": "zoo.common.export.savedmodel",
    "litert": "zoo.common.export.litert",
    "onnx": "zoo.common.export.onnx",
    "tensorrt": "zoo.common.export.tensorrt",
}
# What a format needs beside TensorFlow, as (module, package). The extra has the name of the format.
PACKAGES = {
    "savedmodel": (),
    "litert": (("ai_edge_litert.interpreter", "ai-edge-litert"),),
    "onnx": (("onnx", "onnx"), ("onnxruntime", "onnxruntime")),
    "tensorrt": (("tensorrt_rtx", "tensorrt-rtx-cu13"), ("onnx", "onnx")),
}


def check_format(format_: str) -> None:
    """Check that a format can be exported to, before a model is loaded.

    Raises:
        ZooError: there is no such format, the valid ones are named; or a package that it needs is not
            installed.
    """
    if format_ not in FORMATS:
        raise ZooError(f"There is no export to {format_!r}. Valid: {', '.join(FORMATS)}.")
    import_packages(format_)


def import_packages(format_: str) -> list[ModuleType]:
    """Return the modules that a format needs, in the order of `PACKAGES`. Raises `ZooError`."""
    return [import_package(module, package, format_) for module, package in PACKAGES[format_]]


def exporter(format_: str) -> Callable[[Preset, Path], list[dict[str, Any]]]:
    """Return the exporter of a format: of a preset and a folder, to rows of the table.

    It raises `ZooError` for a preset whose model is not of Keras.
    """

    def export(preset: Preset, folder: Path) -> list[dict[str, Any]]:
        if not isinstance(preset.recipe.model, KerasModel):
            raise ZooError(
                f"{preset.name} is not a Keras model and has no export: the model is the file "
                f"{preset.folder / preset.recipe.model.file}."
            )
        return importlib.import_module(FORMATS[format_]).export(preset, folder)

    return export
