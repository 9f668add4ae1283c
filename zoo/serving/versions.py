"""Versions of a model: the folders that hold them, and their graphs in a runtime."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.api.options import set_options
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.recipe import Recipe
from zoo.common.export.signature import SIGNATURE_FILE
from zoo.common.presets import store
from zoo.common.presets.integrity import check_seal
from zoo.common.presets.runs import read_json
from zoo.common.runtime import (
    export_folder,
    open_export,
    open_graphs,
    versions,
)
from zoo.serving.batching import batched

SAVEDMODEL = "savedmodel"


@dataclass(frozen=True)
class Place:
    """The place of a version, before it is loaded.

    Args:
        folder: folder of the preset, run or export.
        savedmodel: number of the SavedModel in it; None for another runtime.
    """

    folder: Path
    savedmodel: int | None = None

    def fingerprint(self) -> tuple[Any, ...]:
        """Return what changes when a file of the version does: paths, sizes and times of all files."""
        found = []
        for root in {self.folder, store.exports_of(self.folder)}:
            for folder, folders, files in os.walk(root):
                folders[:] = [name for name in folders if not name.startswith(".")]
                for name in files:
                    try:
                        status = os.stat(os.path.join(folder, name))
                    except OSError:  # removed meanwhile
                        continue
                    found.append((os.path.join(folder, name), status.st_size, status.st_mtime_ns))
        return tuple(sorted(found))

    def without_paths(self, text: str) -> str:
        """Return a message without the path of the folder."""
        for path in (store.exports_of(self.folder), self.folder, self.folder.resolve()):
            text = text.replace(f"{path}{os.sep}", "").replace(str(path), self.folder.name)
        return text


@dataclass(frozen=True)
class Version:
    """A loaded version.

    Args:
        number: its number.
        place: the folder that it was loaded from.
        recipe: the recipe, with the default options of the server.
        graphs: the graphs in the runtime.
        signature: content of `signature.json`; empty if the graphs are not an export.
    """

    number: int
    place: Place
    recipe: Recipe
    graphs: Graphs
    signature: dict[str, Any]

    def without_paths(self, text: str) -> str:
        """Return a message without the paths of this machine."""
        return self.place.without_paths(text)


def find_places(preset: str, backend: str) -> dict[int, Place]:
    """Return the places of the versions of a preset by number.

    Args:
        preset: a preset by name, the folder of a run, preset or export, or a folder whose subfolders
            are such folders, named by numbers.
        backend: the runtime.

    Raises:
        ZooError: there is no such preset, or the folder has no version.
    """
    folder = store.find(preset)
    if (folder / store.RECIPE_FILE).exists():
        exports = store.exports_of(folder)
        if backend == SAVEDMODEL and versions(exports):
            return {number: Place(folder, number) for number in versions(exports)}
        return {1: Place(folder)}
    found = {number: Place(folder / str(number)) for number in versions(folder)}
    if not found:
        raise ZooError(
            f"{folder} has neither {store.RECIPE_FILE} nor folders of versions, such as 1."
        )
    return found


def load_version(
    name: str,
    number: int,
    place: Place,
    backend: str,
    options: dict[str, Any],
    batch_size: int = 1,
) -> Version:
    """Load a version.

    Args:
        name: name of the model, for error messages.
        number: number of the version.
        place: its place.
        backend: the runtime.
        options: default options of the decoder.
        batch_size: maximum number of requests in a batch.

    Raises:
        ZooError: a file is missing or corrupt, or an option is invalid.
    """
    folder, exports = place.folder, store.exports_of(place.folder)
    recipe = set_options(name, store.load_recipe(folder), options)
    if place.savedmodel is None:
        graphs = open_graphs(backend, folder)
        export = exports if graphs.backend == "keras" else export_folder(graphs.backend, exports)
    else:
        export = exports / str(place.savedmodel)
        check_seal(export, folder, recipe, SAVEDMODEL)
        graphs = open_export(SAVEDMODEL, export)
    recipe.task.check_predictor(recipe.predictor(graphs))
    return Version(number, place, recipe, batched(graphs, batch_size), _signature(export))


def _signature(export: Path) -> dict[str, Any]:
    path = export / SIGNATURE_FILE
    found = read_json(path) if path.exists() else {}
    if not isinstance(found, dict):
        raise ZooError(
            f"{path} is corrupt: it must be a JSON object. Received: {json.dumps(found)[:40]}."
        )
    return found
