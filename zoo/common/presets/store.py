"""Presets and run folders: a trained recipe on disk, and back.

model.keras     the model; of Keras, stock layers only: plain Keras opens it in safe mode
recipe.json     every setting of the recipe's parts
assets          files of the data, such as alphabet.txt
metrics.json    figures on each split measured, with command, commit and date (presets)
CARD.md         what it is for, corpus and licence, figures, limits (presets)
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.common.core import registry
from zoo.common.core.data import Data
from zoo.common.core.errors import ZooError, nearest
from zoo.common.core.recipe import Recipe
from zoo.common.core.settings import assets
from zoo.common.presets.runs import read_json, write_json
from zoo.common.utils.files import atomic_file, read_text, write_text

# A clone has the presets beside the package, an installed one inside it. The presets of a family may be
# a package of their own, `recurrent_zoo_<family>`: the zoo's has their cards and metrics.
_INSTALLED = registry.PACKAGE / "saved_models"
ROOT = _INSTALLED if _INSTALLED.is_dir() else registry.PACKAGE.parent / "saved_models"
RECIPE_FILE = "recipe.json"
METRICS_FILE = "metrics.json"
CARD_FILE = "CARD.md"
# Where the preset of a recipe is: in the user's own folder, with the zoo, in a package that is not
# installed, or nowhere.
HERE = OWN, SHIPPED = "your own", "shipped"
NOT_INSTALLED, NONE = "not installed", "none"


def home() -> Path:
    """Return the folder of the user's own presets: that of `ZOO_HOME`, else `~/.zoo`."""
    return Path(os.environ.get("ZOO_HOME") or Path.home() / ".zoo") / "saved_models"


def cache() -> Path:
    """Return the folder of what can be made again: that of `ZOO_CACHE`, else `~/.cache/zoo`."""
    return Path(os.environ.get("ZOO_CACHE") or Path.home() / ".cache" / "zoo")


def names() -> list[str]:
    """Return the names of the presets: the user's own and the shipped ones."""
    found = {
        Path(family.name, path.parent.name)
        for root in (home(), ROOT)
        for family in root.glob("*")
        for folder in (family, _package(family.name))
        for path in (folder.glob(f"*/{RECIPE_FILE}") if folder else ())
    }
    # What begins with a dot is being published, or was when its writer was killed.
    return sorted(str(name) for name in found if not name.name.startswith("."))


def folder_of(name: str) -> Path:
    """Return the folder of a preset by name: the user's own before the shipped one of that name."""
    own = home() / name
    return own if (own / RECIPE_FILE).exists() else shipped_file(f"{name}/{RECIPE_FILE}").parent


def shipped_file(path: str) -> Path:
    """Return a file "<family>/<preset>/<file>" of the shipped presets: in the package that the family's
    presets are, or below `ROOT`, where it is missing if it is in neither."""
    family, _, rest = path.partition("/")
    package = _package(family)
    return package / rest if package and not (ROOT / path).exists() else ROOT / path


def _package(family: str) -> Path | None:
    """The folder of the package that the presets of a family are, where one is installed."""
    spec = importlib.util.find_spec(f"recurrent_zoo_{family}") if family.isidentifier() else None
    return Path(spec.submodule_search_locations[0]) if spec else None


def state_of(name: str) -> str:
    """Return where the preset of a recipe is: `OWN`, `SHIPPED`, `NOT_INSTALLED` or `NONE`."""
    if (home() / name / RECIPE_FILE).exists():
        return OWN
    if (folder_of(name) / RECIPE_FILE).exists():
        return SHIPPED
    return NOT_INSTALLED if (ROOT / name / METRICS_FILE).exists() else NONE


def how_to_get(name: str) -> str:
    """Return the command that gives the preset of a recipe which has none here."""
    family = name.partition("/")[0]
    return install_command(family) if state_of(name) == NOT_INSTALLED else f"zoo train {name}"


def install_command(family: str) -> str:
    """Return what installs the presets of a family that are a package of their own."""
    return f"pip install 'recurrent-zoo[{family}]' (in a clone: pip install ./packages/{family})"


def destination(name: str) -> Path:
    """Return where a preset of this name is published: never into an installed package."""
    return (home() if ROOT == _INSTALLED else ROOT) / name


def exports_of(folder: Path) -> Path:
    """Return where exports of a preset stand: in its folder, or of an installed package in the cache."""
    family = folder.parent.name.removeprefix("recurrent_zoo_")
    if folder.parent in (_INSTALLED / family, _package(family)):
        return cache() / "exports" / family / folder.name
    return folder


def find(preset_or_folder: str | Path) -> Path:
    """Return the folder of a preset by name, or of a run or preset by path.

    Raises:
        ZooError: there is neither.
    """
    name, presets = str(preset_or_folder), names()
    if name in presets:
        return folder_of(name)
    if os.path.isdir(name):  # unlike Path.is_dir, not an error for a name too long
        return Path(name)
    if name in {entry.name for entry in registry.entries()}:
        first = "install it" if state_of(name) == NOT_INSTALLED else "train the recipe"
        raise ZooError(f"There is no preset {name!r} here: {first} first: {how_to_get(name)}")
    hint = nearest(name, presets) if presets else "There are no presets."
    raise ZooError(f"There is no preset and no run folder {name!r}. {hint}")


def load_recipe(folder: Path) -> Recipe:
    """Return the recipe a run or preset was trained by, with its assets.

    Raises:
        ZooError: a file of it is missing or corrupt, or they do not fit each other.
    """
    path = folder / RECIPE_FILE
    values = read_json(path)
    if not isinstance(values, dict) or not isinstance(values.get("name"), str):
        raise ZooError(f"{path} is corrupt: it names no recipe.")
    try:
        recipe = registry.entry(values["name"]).recipe().merge(values)
    except ZooError as error:
        raise ZooError(f"{path} is corrupt: {error}") from None
    try:
        recipe = replace(recipe, data=replace(recipe.data, **_read_assets(folder, recipe.data)))
        fits = recipe.adapt([]) == recipe
    except ZooError as error:
        raise ZooError(f"{folder}: {error}") from None
    if not fits:
        names = ", ".join(asset.file for asset in assets(recipe.data).values())
        raise ZooError(f"{folder}: {names} and {RECIPE_FILE} belong to different models.")
    return recipe


def _read_assets(folder: Path, data: Data) -> dict[str, Any]:
    """Return the assets of a data kind in a folder, by the name of their field."""
    values = {}
    for name, asset in assets(data).items():
        path = folder / asset.file
        if not asset.optional or path.exists():
            values[name] = asset.kind.from_text(read_text(path), path)
    return values


def asset_texts(data: Data) -> dict[str, str]:
    """Return the text of each asset file of a data kind, by file name; not of an empty optional one."""
    return {
        asset.file: getattr(data, name).to_text()
        for name, asset in assets(data).items()
        if getattr(data, name) or not asset.optional
    }


def files(recipe: Recipe) -> tuple[str, ...]:
    """Return the names of the files of a preset that its answers come from."""
    return (recipe.model.file, RECIPE_FILE, *asset_texts(recipe.data))


def load_model(folder: Path, recipe: Recipe) -> Any:
    """Return the trained model in a folder, as `ModelConfig.load` gives it. Raises `ZooError`."""
    return recipe.model.load(folder / recipe.model.file)


def save_model(folder: Path, model: Any, recipe: Recipe) -> None:
    """Write the model, recipe.json and the assets, each atomically."""
    recipe.model.save(model, folder / recipe.model.file)
    save_recipe(folder, recipe)


def save_recipe(folder: Path, recipe: Recipe) -> None:
    """Write recipe.json and the assets, each atomically."""
    write_json(folder / RECIPE_FILE, recipe.to_dict())
    for name, text in asset_texts(recipe.data).items():
        write_text(folder / name, text)


@contextmanager
def recipe_copied(folder: Path, out: Path, recipe: Recipe) -> Iterator[None]:
    """Put recipe.json and the assets of a preset into another folder, to the byte.

    If the block fails, those that were not there before are removed.
    """
    new = []
    try:
        # The recipe last: with it the folder is that of a preset, whose assets are whole.
        for name in (*asset_texts(recipe.data), RECIPE_FILE):
            if not os.path.exists(out / name):
                new.append(out / name)
            with atomic_file(out / name) as temporary:
                shutil.copyfile(folder / name, temporary)
        yield
    except BaseException:
        for path in reversed(new):
            path.unlink(missing_ok=True)
        raise


def check_same(folder: Path, out: Path) -> None:
    """Raise `ZooError` if `out` holds a recipe, and another than `folder`."""
    if os.path.exists(out / RECIPE_FILE) and load_recipe(out) != load_recipe(folder):
        raise ZooError(f"{out} holds another preset. Name another folder.")
