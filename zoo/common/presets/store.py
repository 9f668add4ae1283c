"""Presets and run folders: find, load and save trained recipes.

model.keras     the model in stock Keras layers, which plain Keras opens in safe mode
recipe.json     all settings of the recipe's parts
assets          files of the data, such as alphabet.txt
metrics.json    metrics on each evaluated split, with command, commit and date (presets)
CARD.md         purpose, corpus and licence, metrics, limits (presets)
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
from zoo.common.presets import hub
from zoo.common.presets.index import PRESETS_VARIABLE, fetch_preset, location
from zoo.common.presets.runs import read_json, write_json
from zoo.common.utils.files import atomic_file, read_text, write_text

# Presets are next to the package in a clone, and inside it in an installation. The presets of a
# family may be in a separate package `recurrent_zoo_<family>`; the main package then has their
# cards and metrics.
_INSTALLED = registry.PACKAGE / "saved_models"
ROOT = _INSTALLED if _INSTALLED.is_dir() else registry.PACKAGE.parent / "saved_models"
RECIPE_FILE = "recipe.json"
METRICS_FILE = "metrics.json"
CARD_FILE = "CARD.md"
# Where the preset of a recipe is: in the user's folder, in the zoo, in a package that is not
# installed, or nowhere.
HERE = OWN, SHIPPED = "your own", "shipped"
NOT_INSTALLED, NONE = "not installed", "none"


def home() -> Path:
    """Return the folder of the user's presets: `ZOO_HOME`, else `~/.zoo`."""
    return Path(os.environ.get("ZOO_HOME") or _user_folder("ZOO_HOME") / ".zoo") / "saved_models"


def cache() -> Path:
    """Return the cache folder: `ZOO_CACHE`, else that of the platform, such as `~/.cache/zoo`."""
    if folder := os.environ.get("ZOO_CACHE"):
        return Path(folder)
    import platformdirs

    _user_folder("ZOO_CACHE")
    return platformdirs.user_cache_path("zoo", appauthor=False)


def _user_folder(variable: str) -> Path:
    """Return the home folder of the user. Raises `ZooError` if the system does not know it."""
    try:
        return Path.home()
    except RuntimeError:
        raise ZooError(
            f"The home folder of the user is unknown. Set HOME, or {variable} to a folder."
        ) from None


def names() -> list[str]:
    """Return the names of all presets, the user's and the shipped ones."""
    found = {
        Path(family.name, path.parent.name)
        for root in (home(), ROOT, fetched())
        for family in root.glob("*")
        for folder in (family, _package(family.name))
        for path in (folder.glob(f"*/{RECIPE_FILE}") if folder else ())
    }
    # Names with a leading dot are temporary folders of a publication.
    return sorted(str(name) for name in found if not name.name.startswith("."))


def fetched() -> Path:
    """Return the folder of the presets that were fetched from an index."""
    return cache() / "presets"


def folder_of(name: str) -> Path:
    """Return the folder of a preset by name. The user's preset precedes the shipped one."""
    own = home() / name
    return own if (own / RECIPE_FILE).exists() else shipped_file(f"{name}/{RECIPE_FILE}").parent


def shipped_file(path: str) -> Path:
    """Return the path of a file "<family>/<preset>/<file>" of the shipped presets, which may be missing.

    It is below `ROOT`, in the package of the family's presets, or among the fetched presets.
    """
    family, _, rest = path.partition("/")
    package = _package(family)
    others = [*([package / rest] if package else []), fetched() / path]
    return next((file for file in (ROOT / path, *others) if file.exists()), ROOT / path)


def fetch_file(path: str) -> Path:
    """Return the path of a file as `shipped_file`, after its folder was fetched if it is missing.

    Raises:
        ZooError: it is missing, and the index has it and cannot be read, or there is no index.
    """
    found, name = shipped_file(path), path.rpartition("/")[0]
    if not found.exists() and not (fetched() / name).exists():
        fetch_preset(name, fetched() / name)
        found = shipped_file(path)
    if not found.exists():
        raise ZooError(f"{found} is missing. {how_to_install(name)}")
    return found


def _package(family: str) -> Path | None:
    """Return the folder of the package with the presets of a family, if it is installed."""
    spec = importlib.util.find_spec(f"recurrent_zoo_{family}") if family.isidentifier() else None
    locations = spec.submodule_search_locations if spec else None
    return Path(locations[0]) if locations else None


def state_of(name: str) -> str:
    """Return where the preset of a recipe is: `OWN`, `SHIPPED`, `NOT_INSTALLED` or `NONE`."""
    if (home() / name / RECIPE_FILE).exists():
        return OWN
    if (folder_of(name) / RECIPE_FILE).exists():
        return SHIPPED
    return NOT_INSTALLED if (ROOT / name / METRICS_FILE).exists() else NONE


def how_to_get(name: str) -> str:
    """Return the command that provides the missing preset of a recipe."""
    return how_to_install(name) if state_of(name) == NOT_INSTALLED else f"zoo train {name}"


def how_to_install(name: str) -> str:
    """Return how the missing files of a preset of the zoo are installed."""
    family = name.partition("/")[0]
    index = f"set {PRESETS_VARIABLE} to the folder or address of an index of presets"
    if _has_package(family):
        return (
            f"pip install 'recurrent-zoo[{family}]' (in a clone: pip install ./packages/{family})"
        )
    return index


def _has_package(family: str) -> bool:
    """Return whether the presets of a family have a package of their own, which an extra installs."""
    from importlib import metadata

    try:
        extras = metadata.metadata("recurrent-zoo").get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:
        return False
    return family in {extra.replace("-", "_") for extra in extras}


def destination(name: str) -> Path:
    """Return the folder to publish a preset to, which is never in an installed package."""
    return (home() if ROOT == _INSTALLED else ROOT) / name


def exports_of(folder: Path) -> Path:
    """Return the folder of a preset's exports: its own, or one in the cache for an installed package."""
    if folder.is_relative_to(cache()):
        return cache() / "exports" / folder.relative_to(cache())
    family = folder.parent.name.removeprefix("recurrent_zoo_")
    if folder.parent in (_INSTALLED / family, _package(family)):
        return cache() / "exports" / family / folder.name
    return folder


def find(preset_or_folder: str | Path) -> Path:
    """Return the folder of a preset by name, or of a run or preset by path.

    A preset that is not here is fetched from the hub, or from the index of `ZOO_PRESETS`.

    Raises:
        ZooError: there is no such preset or folder, or it cannot be fetched.
    """
    name = str(preset_or_folder)
    if hub.is_address(name):
        return hub.fetch(name, cache() / "hub", expected_files)
    presets = names()
    if name in presets:
        return folder_of(name)
    if os.path.isdir(name):  # Path.is_dir raises for a name that is too long
        return Path(name)
    if name in registry.names():
        if fetch_preset(name, fetched() / name):
            return fetched() / name
        first = "To install it" if state_of(name) == NOT_INSTALLED else "Train the recipe"
        raise ZooError(f"The preset {name!r} is missing. {first}: {how_to_get(name)}")
    hint = nearest(name, presets) if presets else "There are no presets."
    raise ZooError(f"There is no preset and no run folder {name!r}. {hint}")


def is_available(name: str) -> bool:
    """Return whether a preset of a registered recipe is here, or can be looked for in an index."""
    return name in names() or (state_of(name) == NOT_INSTALLED and bool(location()))


def expected_files(folder: Path) -> set[str]:
    """Return the names of the files that recipe.json in a folder requires. Raises as `load_recipe`."""
    recipe = _read_recipe(folder)
    return {recipe.model.file, RECIPE_FILE, *(asset.file for asset in assets(recipe.data).values())}


def load_recipe(folder: Path) -> Recipe:
    """Return the recipe of a run or preset, with its assets.

    Raises:
        ZooError: a file is missing or corrupt, or the files belong to different models.
    """
    recipe = _read_recipe(folder)
    recipe = replace(recipe, data=_with_assets(folder, recipe.data))
    if recipe.adapt([]) != recipe:
        names = ", ".join(asset.file for asset in assets(recipe.data).values())
        raise ZooError(f"{folder}: {names} and {RECIPE_FILE} belong to different models.")
    return recipe


def _read_recipe(folder: Path) -> Recipe:
    """Return the recipe of a run or preset, without its assets."""
    path = folder / RECIPE_FILE
    values = read_json(path)
    if not isinstance(values, dict) or not isinstance(values.get("name"), str):
        raise ZooError(f"{path} is corrupt: it has no name of a recipe.")
    try:
        recipe = registry.entry(values["name"]).recipe()
        # Other settings, such as another unit of the labels, need not fit the assets of the recipe.
        empty = {n: a.kind() for n, a in assets(recipe.data).items() if not a.optional}
        return replace(recipe, data=replace(recipe.data, **empty)).merge(values)
    except ZooError as error:
        raise ZooError(f"{path} is corrupt: {error}") from None


def _with_assets(folder: Path, data: Data) -> Data:
    """Return data with its assets read from a folder."""
    for name, asset in assets(data).items():
        path = folder / asset.file
        if asset.optional and not path.exists():
            continue
        value = asset.kind.from_text(read_text(path), path)
        try:
            data = replace(data, **{name: value})
        except ZooError as error:
            raise ZooError(f"{path} does not fit {RECIPE_FILE}: {error}") from None
    return data


def asset_texts(data: Data) -> dict[str, str]:
    """Return the text of each asset file of a data kind, by file name; not of an empty optional one."""
    return {
        asset.file: getattr(data, name).to_text()
        for name, asset in assets(data).items()
        if getattr(data, name) or not asset.optional
    }


def files(recipe: Recipe) -> tuple[str, ...]:
    """Return the names of the files of a preset that determine its answers."""
    return (recipe.model.file, RECIPE_FILE, *asset_texts(recipe.data))


def load_model(folder: Path, recipe: Recipe) -> Any:
    """Return the trained model in a folder. Raises as `ModelConfig.load`."""
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
    """Copy recipe.json and the assets of a preset to another folder.

    If the block fails, files that did not exist before are removed.
    """
    new = []
    try:
        # recipe.json is copied last, since it marks a folder as a complete preset.
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
    """Raise `ZooError` if `out` contains a recipe that differs from the one in `folder`."""
    if os.path.exists(out / RECIPE_FILE) and load_recipe(out) != load_recipe(folder):
        raise ZooError(f"{out} contains another preset. Choose another folder.")
