"""Presets and run folders: a trained recipe on disk, and back.

model.keras     stock Keras layers only: plain Keras opens it in safe mode, without the zoo
recipe.json     every setting; the model's shape and the task among them
assets          files of the task, such as alphabet.txt
metrics.json    figures on each split measured, with command, commit and date (presets)
CARD.md         what it is for, corpus and licence, figures, limits (presets)
"""

from __future__ import annotations

import functools
import io
import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common import registry
from zoo.common.errors import ZooError, nearest
from zoo.common.files import atomic_file, write_text
from zoo.common.recipe import Recipe
from zoo.common.runs import read_json, write_json

if TYPE_CHECKING:
    import keras

    from zoo.common.task import Graphs

ROOT = Path(__file__).resolve().parents[2] / "saved_models"
MODEL_FILE = "model.keras"
RECIPE_FILE = "recipe.json"
METRICS_FILE = "metrics.json"
CARD_FILE = "CARD.md"
WEIGHTS_MEMBER = "model.weights.h5"


@dataclass(frozen=True)
class Preset:
    """A trained recipe: the model, what made it, and how well it does."""

    name: str
    folder: Path
    model: keras.Model
    recipe: Recipe
    metrics: dict[str, Any]

    @functools.cached_property
    def models(self) -> dict[str, keras.Model]:
        """See `Task.graphs`."""
        return self.recipe.task.graphs(self.model, self.recipe)

    @functools.cached_property
    def graphs(self) -> Graphs:
        """`models`, run by TensorFlow."""
        from zoo.common.backends import keras_graphs

        return keras_graphs(self.models)

    def predict(self, inputs: Sequence[str]) -> Iterator[dict[str, Any]]:
        """One answer an input, `{"input", "output", ...}`; `{"input", "error"}` for a bad one."""
        return self.recipe.task.predict(self.graphs, self.recipe, inputs)


def names() -> list[str]:
    """Names of the shipped presets."""
    return sorted(str(p.parent.relative_to(ROOT)) for p in ROOT.glob(f"*/*/{RECIPE_FILE}"))


def find(preset_or_folder: str | Path) -> Path:
    """The folder of a shipped preset by name, or of a run or preset by path.

    Raises `ZooError` if there is neither.
    """
    name = str(preset_or_folder)
    if name in names():
        return ROOT / name
    if os.path.isdir(name):  # unlike Path.is_dir, not an error for a name too long
        return Path(name)
    raise ZooError(
        f"There is no preset and no run folder {name!r}. {nearest(name, names())}"
        if names()
        else f"There is no run folder {name!r}."
    )


def load_recipe(folder: Path) -> Recipe:
    """The recipe a run or preset was trained by, with its assets. Raises `ZooError`."""
    path = folder / RECIPE_FILE
    values = read_json(path)
    if not isinstance(values, dict) or not isinstance(values.get("name"), str):
        raise ZooError(f"{path} is corrupt: it names no recipe.")
    try:
        recipe = registry.entry(values["name"]).recipe().merge(values)
    except ZooError as error:
        raise ZooError(f"{path} is corrupt: {error}") from None
    recipe = replace(recipe, task=recipe.task.with_assets(folder))
    if recipe.fit([]) != recipe:
        names = ", ".join(recipe.task.assets())
        raise ZooError(
            f"{folder}: {names} does not fit {RECIPE_FILE}: they are of different models."
        )
    return recipe


def load_preset(preset_or_folder: str | Path) -> Preset:
    """See `zoo.load`."""
    import keras

    folder = find(preset_or_folder)
    recipe = load_recipe(folder)
    path = folder / MODEL_FILE
    if not path.exists():
        raise ZooError(f"{path} is missing.")
    if not zipfile.is_zipfile(path):
        raise ZooError(f"{path} is corrupt: it is no Keras file, or not a whole one.")
    model = recipe.model.build()
    try:
        weights = keras.saving.load_model(path, compile=False, safe_mode=True).get_weights()
    except Exception as error:  # whatever a damaged archive makes zipfile, h5py or Keras raise
        reason = " ".join(str(error).split()).split(". ")[0]
        raise ZooError(f"{path} cannot be opened in Keras's safe mode: {reason}.") from None
    own = recipe.model.own_part(model)
    if [w.shape for w in weights] != [tuple(w.shape) for w in own.weights]:
        raise ZooError(
            f"{path} does not fit {RECIPE_FILE} and its assets: it holds another shape of model."
        )
    if not all(np.isfinite(w).all() for w in weights):
        raise ZooError(f"{path} is corrupt: it has weights that are no finite numbers.")
    own.set_weights(weights)
    metrics = folder / METRICS_FILE
    return Preset(
        name=str(preset_or_folder),
        folder=folder,
        model=model,
        recipe=recipe,
        metrics=read_json(metrics) if metrics.exists() else {},
    )


def save_model(folder: Path, model: keras.Model, recipe: Recipe) -> None:
    """Writes model.keras, recipe.json and the assets, each atomically.

    The file holds stock layers in float32 whatever precision the model was trained in.
    """
    from zoo.common.recurrent import to_stock

    stock = to_stock(recipe.model.own_part(recipe.model.build()))
    stock.set_weights(recipe.model.own_part(model).get_weights())
    with atomic_file(folder / MODEL_FILE) as path:
        stock.save(path)
    save_recipe(folder, recipe)


def save_recipe(folder: Path, recipe: Recipe) -> None:
    """Writes recipe.json and the assets, each atomically."""
    write_json(folder / RECIPE_FILE, recipe.to_dict())
    for name, text in recipe.task.assets().items():
        write_text(folder / name, text)


def check_same(folder: Path, out: Path) -> None:
    """Raises `ZooError` if `out` holds a recipe, and another than `folder`."""
    if os.path.exists(out / RECIPE_FILE) and load_recipe(out) != load_recipe(folder):
        raise ZooError(f"{out} holds another preset. Name another folder.")


def shrink(path: Path) -> None:
    """Rewrites a model.keras with its trained weights as float16, which Keras casts back on loading.

    Fixed weights stay as they are: a DFT's kernel in half precision would be a noisy one.
    """
    import h5py
    import keras

    model = keras.saving.load_model(path, compile=False)
    fixed = [np.asarray(weight) for weight in model.non_trainable_weights]

    def copy(old, new):
        new.attrs.update(old.attrs)
        for name, item in old.items():
            if isinstance(item, h5py.Group):
                copy(item, new.create_group(name))
                continue
            value = item[()]
            if not any(np.array_equal(value, weight) for weight in fixed):
                value = value.astype(np.float16)
            new.create_dataset(name, data=value).attrs.update(item.attrs)

    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    weights = io.BytesIO()
    with h5py.File(io.BytesIO(members[WEIGHTS_MEMBER])) as old, h5py.File(weights, "w") as new:
        copy(old, new)
    members[WEIGHTS_MEMBER] = weights.getvalue()
    with (
        atomic_file(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name, content in members.items():
            new.writestr(name, content)
