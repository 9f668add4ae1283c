"""Exports of presets for other runtimes. Each is compared with the Keras model before it is kept."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

from zoo.common.core.errors import ZooError, check_choice
from zoo.common.core.precision import FLOAT32, PRECISE_FORMATS, PRECISIONS
from zoo.common.utils.packages import import_package

# The module of a format has `export(preset, folder)`, which returns rows of the table of `zoo export`.
# With another precision than float32, it also takes a `zoo.common.export.quality.Quality`.
FORMATS = {
    "savedmodel": "zoo.common.export.savedmodel",
    "litert": "zoo.common.export.litert",
    "onnx": "zoo.common.export.onnx",
    "tensorrt": "zoo.common.export.tensorrt",
}
# Servers for which the module `DEPLOYMENTS` writes files, with the format that each serves.
DEPLOYMENTS = "zoo.common.export.deployments"
SERVERS = {"kserve": "onnx", "triton": "onnx", "tfserving": "savedmodel"}
# Packages that a format needs besides TensorFlow, as (module, package). Its extra has the same name.
PACKAGES: dict[str, tuple[tuple[str, str], ...]] = {
    "savedmodel": (),
    "litert": (("ai_edge_litert.interpreter", "ai-edge-litert"),),
    "onnx": (("onnx", "onnx"), ("onnxruntime", "onnxruntime")),
    "tensorrt": (("tensorrt_rtx", "tensorrt-rtx-cu13"), ("onnx", "onnx")),
}


def check_format(format_: str, precision: str = FLOAT32) -> None:
    """Check that a format is available in a precision, before a model is loaded.

    Raises:
        ZooError: the format or precision is unknown, the format does not have the precision, or a
            package that it needs is not installed.
    """
    base = SERVERS.get(format_, format_)
    if base not in FORMATS:
        valid = ", ".join((*FORMATS, *SERVERS))
        raise ZooError(f"There is no export to {format_!r}. Valid: {valid}.")
    check_choice("precision", precision, PRECISIONS)
    if precision != FLOAT32 and format_ not in PRECISE_FORMATS:
        raise ZooError(
            f"precision must be {FLOAT32!r} for {format_}; {' and '.join(PRECISE_FORMATS)} have others. "
            f"Received: {precision!r}."
        )
    import_packages(base)


def import_packages(format_: str) -> list[ModuleType]:
    """Return the modules that a format needs, in the order of `PACKAGES`. Raises `ZooError`."""
    return [import_package(module, package, format_) for module, package in PACKAGES[format_]]


def exporter(format_: str) -> Callable[..., list[dict[str, Any]]]:
    """Return the exporter of a format: a function of a preset and a folder that returns table rows.

    It raises `ZooError` if the preset is not a Keras model.
    """
    if format_ in SERVERS:
        return functools.partial(importlib.import_module(DEPLOYMENTS).deploy, format_)
    return importlib.import_module(FORMATS[format_]).export
