"""The seal of an export: of which model it is, and what its files are, by SHA-256.

It stands in the export's folder as export.json:

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
from zoo.common.core.recipe import Recipe
from zoo.common.presets import store
from zoo.common.presets.runs import read_json, write_json
from zoo.common.utils.files import digest

SEAL_FILE = "export.json"


def preset_digests(folder: Path, recipe: Recipe) -> dict[str, str]:
    """Return the digest of each file of a preset that its answers come from, where it is there."""
    return {
        name: digest(folder / name)
        for name in store.files(recipe)
        if os.path.lexists(folder / name)
    }


def seal(export: Path, preset: Path, recipe: Recipe, name: str) -> None:
    """Write the seal of an export that is whole.

    Args:
        export: the folder of its files.
        preset, recipe, name: the folder of the preset it is of, its recipe, and what it is called.
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
    """Return whether a folder says that it is an export."""
    return os.path.isfile(export / SEAL_FILE)


def sealed_preset(export: Path) -> Mapping[str, str]:
    """Return the digests of the preset that an export is of. Raises `ZooError` for a bad seal."""
    return _read(export)["preset"]


def check_seal(export: Path, folder: Path, recipe: Recipe, format_: str) -> None:
    """Check that an export is whole, as it was written, and of the model and recipe beside it.

    Args:
        export: the folder of its files.
        folder, recipe: the preset's, or what `zoo export --out` made, which has no model.
        format_: what `zoo export --to` calls it.

    Raises:
        ExportError: it is not, with the command that exports it anew.
    """
    if not is_sealed(export):
        raise ExportError(
            f"{export} does not tell which model it is of: it has no {SEAL_FILE}. Remove it and "
            f"export it anew: {_command(folder, recipe, format_, None)}"
        )
    try:
        found = _read(export)
        preset, files = preset_digests(folder, recipe), {}
        for path in _files(export):
            files[path] = digest(export / path)
    except ZooError as error:
        anew = _command(folder, recipe, format_, None)
        raise ExportError(f"{error} Export it anew: {anew}") from None
    anew = f"Export it anew: {_command(folder, recipe, format_, found['name'])}"
    for name, own in preset.items():
        if found["preset"].get(name) != own:
            raise ExportError(
                f"{export} is an export of another {name} than {folder / name}. {anew}"
            )
    for name in sorted({*found["files"], *files}):
        if name not in files:
            raise ExportError(f"{export} is not whole: {name} is missing. {anew}")
        if name not in found["files"]:
            raise ExportError(f"{export} has a file that was not exported: {name}. {anew}")
        if found["files"][name] != files[name]:
            raise ExportError(f"{export / name} is corrupt: it is not what was exported. {anew}")


def _read(export: Path) -> dict[str, Any]:
    path = export / SEAL_FILE
    found = read_json(path)
    whole = isinstance(found, dict) and isinstance(found.get("name"), str)
    if not whole or not all(isinstance(found.get(key), dict) for key in ("preset", "files")):
        raise ZooError(f"{path} is corrupt: it is no record of an export.")
    return found


def _files(export: Path) -> list[str]:
    """The files of an export below its folder; not the seal, nor what a file manager hides there."""
    paths = (path.relative_to(export) for path in export.rglob("*") if not path.is_dir())
    names = (path for path in paths if not any(part.startswith(".") for part in path.parts))
    return sorted(path.as_posix() for path in names if path != Path(SEAL_FILE))


def _command(folder: Path, recipe: Recipe, format_: str, name: str | None) -> str:
    """What exports a preset anew into the folder where its export stands."""
    if (folder / recipe.model.file).exists():
        return f"zoo export {shlex.quote(str(folder))} --to {format_}"
    name = shlex.quote(name) if name else "PRESET|RUN"
    return f"zoo export {name} --to {format_} --out {shlex.quote(str(folder))}"
