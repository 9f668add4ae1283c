"""Share presets: on a hub, or in an index that other installations fetch from."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from zoo.api.results import IndexResult, UploadResult
from zoo.common.core.errors import ZooError
from zoo.common.presets import hub, store
from zoo.common.presets.hub_card import hub_card
from zoo.common.presets.index import write_index as write
from zoo.common.presets.integrity import preset_digests
from zoo.common.presets.runs import write_json
from zoo.common.utils.files import write_text

CARD_FILE = "README.md"


def upload(preset: str | Path, to: str) -> UploadResult:
    """Publish a preset on a hub.

    Args:
        preset: a preset by name, or its folder.
        to: an address such as "hf://owner/name".

    Raises:
        ZooError: it is not a preset with a card, or the hub refuses it.
    """
    hub.parse(to)
    folder = store.find(preset)
    recipe = store.load_recipe(folder)
    files = [*store.files(recipe), store.METRICS_FILE, store.CARD_FILE]
    if missing := [name for name in files if not (folder / name).exists()]:
        raise ZooError(f"{folder / missing[0]} is missing: publish the run first.")
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        for file in files:
            shutil.copyfile(folder / file, copy / file)
        card = hub_card(folder)
        write_text(copy / CARD_FILE, card)
        write_json(copy / hub.DIGESTS_FILE, preset_digests(copy, recipe))
        commit = hub.upload(copy, to, card)
        return UploadResult(to, commit, sorted(path.name for path in copy.iterdir()))


def write_index(folder: str | Path, version: str) -> IndexResult:
    """Write an index of all presets that are here, the user's and the shipped ones.

    Args:
        folder: the folder of the index, which can then be served over HTTPS.
        version: version of the zoo.

    Raises:
        ZooError: a file cannot be read or written.
    """
    folders = {name: store.folder_of(name) for name in store.names()}
    # Files that several presets share, such as a pretrained encoder, have a folder without a recipe.
    shared = {f"{path.parent.name}/{path.name}": path for path in store.ROOT.glob("*/*")}
    presets = {
        name: [file for file in path.iterdir() if file.is_file() and file.name[0] != "."]
        for name, path in sorted({**shared, **folders}.items())
        if path.is_dir() and path.name[0] != "."
    }
    presets = {name: files for name, files in presets.items() if files}
    return IndexResult(Path(folder), write(Path(folder), presets, version))
