"""The runtimes a preset answers in: the library its model is made of, or one of its exports.

Each opens the graphs of a preset as functions of named NumPy arrays; what stands around them is NumPy,
the same for all. `onnx` and `litert` import neither TensorFlow nor Keras.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path

from zoo.common.core.errors import ExportError, ZooError, check_choice
from zoo.common.core.model import Function, Graphs
from zoo.common.presets import store
from zoo.common.presets.integrity import check_seal
from zoo.common.utils.progress import say

# What a user gets who names no runtime: the export that begins soonest, where it is valid, else the
# library the model is made of.
AUTO, SOONEST = "auto", "onnx"
KERAS = "keras"
BACKENDS = (KERAS, "savedmodel", "onnx", "litert")

# Where an export stands in the folder of a preset. A SavedModel stands in TensorFlow Serving's version
# folders: numbers, of which the highest is served.
FOLDERS = {"onnx": "onnx", "litert": "litert", "tensorrt": "tensorrt"}


def open_graphs(backend: str, preset_or_folder: str | Path) -> Graphs:
    """Return the graphs of a preset in a runtime.

    Args:
        backend: one of `BACKENDS`, of which "keras" is the library the model itself is made of; or
            "auto": a valid export to ONNX, else that library.
        preset_or_folder: see `zoo.load`.

    Raises:
        ZooError: an unknown backend or preset, one that was not exported to that backend, a damaged
            file, or the runtime's package is not installed.
    """
    valid = (AUTO, *BACKENDS)
    if backend in FOLDERS and backend not in valid:
        raise ZooError(
            "TensorRT engines are run by TensorRT-RTX on an NVIDIA GPU, and the zoo does not run them: "
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
            f"There is no {export}: export it first: zoo export {preset_or_folder} --to {backend}"
        )
    check_seal(export, folder, recipe, backend)
    return open_export(backend, export)


def _open_auto(folder: Path) -> Graphs:
    """The graphs of a preset in the runtime that begins soonest. A bad export is told of, not used."""
    if not export_folder(SOONEST, store.exports_of(folder)).is_dir():
        return open_graphs(KERAS, folder)
    try:
        return open_graphs(SOONEST, folder)
    except ZooError as error:
        # In a folder of exports alone there is nothing else to answer by.
        if not (folder / store.load_recipe(folder).model.file).exists():
            raise
        say(f"{error} The answer is by {KERAS}.")
        return open_graphs(KERAS, folder)


def open_export(backend: str, folder: Path) -> Graphs:
    """Return the graphs in the folder of an export, such as `<preset>/onnx`. Raises as `open_graphs`."""
    module = importlib.import_module(f"zoo.common.runtime.{backend}")
    return _Exported(backend, folder, module.open_export(folder))


def export_folder(format_: str, folder: Path) -> Path:
    """Return where an export of a preset stands, or would: of SavedModels the latest version."""
    if format_ == "savedmodel":
        return folder / str(max(versions(folder), default=1))
    return folder / FOLDERS[format_]


def versions(folder: Path) -> list[int]:
    """Return the numbers of the SavedModels in the folder of a preset."""
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return [int(name) for name in names if name.isdecimal()]


class _Exported(Graphs):
    """Graphs from a folder, which may lack one."""

    def __init__(self, backend: str, folder: Path, functions: dict[str, Function]):
        super().__init__(backend, functions)
        self._folder = folder

    def __missing__(self, name: str) -> Function:
        raise ExportError(f"{self._folder} is not whole: it has no graph {name!r}. Export it anew.")
