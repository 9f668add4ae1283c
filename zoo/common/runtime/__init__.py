"""Runtimes of presets: the library of the model itself, or one of its exports.

Each runtime opens the graphs of a preset as functions of named NumPy arrays. `onnx` and `litert` import
neither TensorFlow nor Keras.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path

from zoo.common.core.errors import ExportError, ZooError, check_choice
from zoo.common.core.model import Function, Graphs
from zoo.common.core.precision import SMALLER, export_arguments, format_of
from zoo.common.presets import store
from zoo.common.presets.integrity import check_seal
from zoo.common.utils.progress import say

# "auto" is the runtime with the fastest start, if there is a valid export to it, else the library of the
# model.
AUTO, SOONEST = "auto", "onnx"
KERAS = "keras"
BACKENDS = (KERAS, "savedmodel", "onnx", "litert")
# All runtimes, with those of exports with smaller weights, such as "onnx-int8".
RUNTIMES = (*BACKENDS, *SMALLER)

# Folders of exports in the folder of a preset. A SavedModel is in a version folder of TensorFlow
# Serving, whose name is a number; the highest one is served.
FOLDERS = {name: name for name in ("onnx", "litert", "tensorrt", *SMALLER)}


def open_graphs(backend: str, preset_or_folder: str | Path) -> Graphs:
    """Return the graphs of a preset in a runtime.

    Args:
        backend: one of `RUNTIMES`, where "keras" is the library of the model itself; or "auto", a valid
            export to ONNX if there is one, else that library.
        preset_or_folder: as in `zoo.load`.

    Raises:
        ZooError: the backend or preset is unknown, there is no export to the backend, a file is damaged,
            or the package of the runtime is not installed.
    """
    valid = (AUTO, *RUNTIMES)
    if backend in FOLDERS and backend not in valid:
        raise ZooError(
            "The zoo does not run TensorRT engines, which need TensorRT-RTX and an NVIDIA GPU: "
            f"--backend must be one of {', '.join(map(repr, valid))}. Received: {backend!r}."
        )
    check_choice("--backend", backend, valid)
    folder = store.find(preset_or_folder)
    if backend == AUTO:
        return _open_auto(folder)
    recipe = store.load_recipe(folder)
    if backend == KERAS:
        return Graphs(KERAS, recipe.model.functions(store.load_model(folder, recipe)))
    export = export_folder(backend, store.exports_of(folder))
    if not export.is_dir():
        raise ZooError(
            f"{export} does not exist. Export the preset first: "
            f"zoo export {preset_or_folder} {export_arguments(backend)}"
        )
    check_seal(export, folder, recipe, backend)
    return open_export(backend, export)


def _open_auto(folder: Path) -> Graphs:
    """Return the graphs of a preset in the runtime with the fastest start. Report an invalid export."""
    if not export_folder(SOONEST, store.exports_of(folder)).is_dir():
        return open_graphs(KERAS, folder)
    try:
        return open_graphs(SOONEST, folder)
    except ZooError as error:
        # A folder with exports only has no model to use instead.
        if not (folder / store.load_recipe(folder).model.file).exists():
            raise
        say(f"{error} Using {KERAS} instead.")
        return open_graphs(KERAS, folder)


def open_export(backend: str, folder: Path) -> Graphs:
    """Return the graphs in the folder of an export, such as `<preset>/onnx`. Raises as `open_graphs`."""
    module = importlib.import_module(f"zoo.common.runtime.{format_of(backend)[0]}")
    return _Exported(backend, folder, module.open_export(folder))


def export_folder(format_: str, folder: Path) -> Path:
    """Return the folder of an export of a preset; for SavedModels, the latest version."""
    if format_ == "savedmodel":
        return folder / str(max(versions(folder), default=1))
    return folder / FOLDERS[format_]


def versions(folder: Path) -> list[int]:
    """Return the numbers of the SavedModels in the folder of a preset."""
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return [int(name) for name in names if name.isdecimal()]


class _Exported(Graphs):
    """Graphs of an export that may be incomplete."""

    def __init__(self, backend: str, folder: Path, functions: dict[str, Function]):
        super().__init__(backend, functions)
        self._folder = folder

    def __missing__(self, name: str) -> Function:
        raise ExportError(
            f"{self._folder} is incomplete: it has no graph {name!r}. Export it again."
        )
