"""Integrity of exports: SHA-256 digests of the exported preset and of the files of the export.

The digests are stored in the folder of the export as export.json:

name      the preset or run that was exported
preset    file of the preset (model, recipe.json, assets) -> digest
files     file of the export -> digest
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ExportError, ZooError
from zoo.common.core.precision import export_arguments
from zoo.common.core.recipe import Recipe
from zoo.common.presets import store
from zoo.common.presets.runs import read_json, write_json
from zoo.common.utils.files import digest

SEAL_FILE = "export.json"


def preset_digests(folder: Path, recipe: Recipe) -> dict[str, str]:
    """Return the digest of each existing file of a preset that determines its answers."""
    return {
        name: digest(folder / name)
        for name in store.files(recipe)
        if os.path.lexists(folder / name)
    }


def seal(export: Path, preset: Path, recipe: Recipe, name: str) -> None:
    """Write the digests of a complete export.

    Args:
        export: folder of the export.
        preset: folder of the preset.
        recipe: recipe of the preset.
        name: name of the preset.
    """
    write_json(
        export / SEAL_FILE,
        {
            "name": name,
            "preset": preset_digests(preset, recipe),
            "files": {path: digest(export / path) for path in _files(export)},
        },
    )


def is_sealed(export: Path) -> bool:
    """Return whether a folder has the digests of an export."""
    return os.path.isfile(export / SEAL_FILE)


def sealed_preset(export: Path) -> Mapping[str, str]:
    """Return the digests of the preset of an export. Raises `ZooError` if they are corrupt."""
    return _read(export)["preset"]


def check_seal(export: Path, folder: Path, recipe: Recipe, runtime: str) -> None:
    """Check that an export is complete and unchanged, and belongs to a preset.

    Args:
        export: folder of the export.
        folder: folder of the preset, or a folder of `zoo export --out`, which has no model.
        recipe: recipe of the preset.
        runtime: runtime of the export, such as "onnx" or "onnx-int8".

    Raises:
        ExportError: it is not. The message has the command to export again.
    """
    if not is_sealed(export):
        raise ExportError(
            f"{export} has no {SEAL_FILE}, so that its model is unknown. Remove it and export again: "
            f"{_command(folder, recipe, runtime, None)}"
        )
    try:
        found = _read(export)
        preset, files = preset_digests(folder, recipe), {}
        for path in _files(export):
            files[path] = digest(export / path)
    except ZooError as error:
        again = _command(folder, recipe, runtime, None)
        raise ExportError(f"{error} Export it again: {again}") from None
    again = f"Export it again: {_command(folder, recipe, runtime, found['name'])}"
    for name, own in preset.items():
        if found["preset"].get(name) != own:
            raise ExportError(
                f"{export} was exported from another {name} than {folder / name}. {again}"
            )
    for name in sorted({*found["files"], *files}):
        if name not in files:
            raise ExportError(f"{export} is incomplete: {name} is missing. {again}")
        if name not in found["files"]:
            raise ExportError(f"{export} has a file that was not exported: {name}. {again}")
        if found["files"][name] != files[name]:
            raise ExportError(
                f"{export / name} is corrupt: it differs from the exported file. {again}"
            )


def _read(export: Path) -> dict[str, Any]:
    path = export / SEAL_FILE
    found = read_json(path)
    whole = isinstance(found, dict) and isinstance(found.get("name"), str)
    if not whole or not all(isinstance(found.get(key), dict) for key in ("preset", "files")):
        raise ZooError(f"{path} is corrupt: it is not the record of an export.")
    return found


def _files(export: Path) -> list[str]:
    """Return the files of an export, without its digests and hidden files."""
    paths = (path.relative_to(export) for path in export.rglob("*") if not path.is_dir())
    names = (path for path in paths if not any(part.startswith(".") for part in path.parts))
    return sorted(path.as_posix() for path in names if path != Path(SEAL_FILE))


def _command(folder: Path, recipe: Recipe, runtime: str, name: str | None) -> str:
    """Return the command that exports a preset again into the same folder."""
    arguments = export_arguments(runtime)
    if (folder / recipe.model.file).exists():
        return f"zoo export {shlex.quote(str(folder))} {arguments}"
    name = shlex.quote(name) if name else "PRESET|RUN"
    return f"zoo export {name} {arguments} --out {shlex.quote(str(folder))}"
