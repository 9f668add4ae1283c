"""Exports: a preset as files for other runtimes, each compared with the Keras model before it counts."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from zoo.common.errors import ZooError

# A format's module has `export(preset, folder) -> list of rows` of the table `zoo export` prints.
FORMATS = {
    "savedmodel": "zoo.common.export.savedmodel",
    "litert": "zoo.common.export.litert",
    "onnx": "zoo.common.export.onnx",
    "tensorrt": "zoo.common.export.tensorrt",
}


def check_format(format_: str) -> None:
    """Raises `ZooError` naming the valid formats if this is none."""
    if format_ not in FORMATS:
        raise ZooError(f"There is no export to {format_!r}. Valid: {', '.join(FORMATS)}.")


def exporter(format_: str) -> Callable:
    """The exporter of a format."""
    return importlib.import_module(FORMATS[format_]).export
