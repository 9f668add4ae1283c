"""An index of presets: a folder, or the same files at an address, from which presets are fetched.

index.json                       name -> version, file, size and SHA-256
<family>/<preset>.zip            the files of a preset
"""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.presets.runs import write_json
from zoo.common.utils.archives import unpack
from zoo.common.utils.download import check_online, download, megabytes, shown_url
from zoo.common.utils.files import atomic_file, atomic_folder, clear_parts, digest, read_text
from zoo.common.utils.locks import LOCK_FILE, locked
from zoo.common.utils.progress import say

# Environment variable with the folder or the address of an index.
PRESETS_VARIABLE = "ZOO_PRESETS"
INDEX_FILE = "index.json"
FORMAT = 1
# About the size of an index, and its largest size.
_BYTES, _MAX_BYTES = 30_000, 2**22
_NAME = re.compile(r"[a-z0-9_]+/[A-Za-z0-9_.-]+")
_SUFFIXES = ("http://", "https://")


def location() -> str:
    """Return the folder or address of the index; empty if there is none."""
    return os.environ.get(PRESETS_VARIABLE, "").rstrip("/")


def write_index(folder: Path, presets: dict[str, list[Path]], version: str) -> dict[str, Any]:
    """Write an index of presets, which replaces an earlier one.

    Args:
        folder: the folder of the index.
        presets: the files of each preset by its name.
        version: version of the zoo.

    Returns:
        The entries by name, as in index.json.

    Raises:
        ZooError: a file cannot be read or written.
    """
    entries = {}
    with locked(folder / LOCK_FILE):
        for name, files in presets.items():
            path = folder / f"{name}.zip"
            with atomic_file(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
                for file in sorted(files):
                    # Without the time of the file, so that the same preset has the same digest.
                    info = zipfile.ZipInfo(file.name)
                    info.external_attr = 0o644 << 16
                    archive.writestr(info, file.read_bytes(), zipfile.ZIP_DEFLATED)
            entries[name] = {
                "version": version,
                "file": f"{name}.zip",
                "size": path.stat().st_size,
                "sha256": digest(path),
            }
        write_json(folder / INDEX_FILE, {"format": FORMAT, "presets": entries})
    return entries


def fetch_preset(name: str, folder: Path) -> bool:
    """Fetch a preset from the index into a new folder.

    Args:
        name: name of the preset.
        folder: the folder, which gets its name when all files are in it.

    Returns:
        Whether there is an index that has the preset.

    Raises:
        ZooError: downloads are forbidden, the index cannot be read, or the preset is not the one of the
            index.
    """
    where = location()
    if not where:
        return False
    remote = where.startswith(_SUFFIXES)
    if remote:
        check_online(f"The preset {name!r}")
    with locked(folder.with_name(f".{folder.name}{LOCK_FILE}"), folder):
        entry = _read(where, folder.parent).get(name)
        if entry is None:
            return False
        archive = folder.with_name(f".{folder.name}.zip")
        shown = shown_url(where) if remote else where
        say(
            f"Fetching the preset {name} {entry['version']} from {shown}: {megabytes(entry['size'])}"
        )
        if remote:
            download(
                f"{where}/{entry['file']}", archive, entry["size"], f"sha256:{entry['sha256']}"
            )
        else:
            _copy(Path(where) / entry["file"], archive, entry["sha256"])
        clear_parts(folder.parent, folder.name)
        try:
            with atomic_folder(folder) as temporary:
                unpack(archive, temporary)
        finally:
            archive.unlink(missing_ok=True)
    return True


def _copy(source: Path, archive: Path, expected: str) -> None:
    if digest(source) != expected:
        raise ZooError(f"{source} is not the file of the index: its SHA-256 differs.")
    with atomic_file(archive) as temporary:
        shutil.copyfile(source, temporary)


def _read(where: str, cache: Path) -> dict[str, dict[str, Any]]:
    """Return the entries of an index by name.

    Raises:
        ZooError: it cannot be read, or it is not an index.
    """
    path, shown = Path(where) / INDEX_FILE, where
    if where.startswith(_SUFFIXES):
        path, shown = cache / f".{INDEX_FILE}", shown_url(where)
        path.unlink(missing_ok=True)
        download(f"{where}/{INDEX_FILE}", path, _BYTES)
    try:
        content = json.loads(read_text(path, _MAX_BYTES))
        entries = content["presets"]
        valid = content["format"] == FORMAT and all(map(_is_valid, entries, entries.values()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, ZooError):
            raise
        valid = False
    if not valid:
        raise ZooError(f"{shown} is not an index of presets: {INDEX_FILE} is invalid.")
    return entries


def _is_valid(name: str, entry: Any) -> bool:
    return (
        bool(_NAME.fullmatch(name))
        and entry["file"] == f"{name}.zip"
        and isinstance(entry["version"], str)
        and isinstance(entry["size"], int)
        and bool(re.fullmatch(r"[0-9a-f]{64}", entry["sha256"]))
    )
