"""Take the shape, the weights and the data of a preset for a new training."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from zoo.api.options import PresetLike, preset_folder, preset_name, preset_recipe
from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import Recipe, settings
from zoo.common.core.settings import fine_tunable_settings, training_only_settings
from zoo.common.data.labels import LabelledData, Labels
from zoo.common.language_model.lexicon import list_words
from zoo.common.presets import store
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.utils.progress import say
from zoo.common.utils.quiet import start_backend

MODEL = "model."


def start_from(
    recipe: Recipe, init: PresetLike, overrides: Mapping[str, Any]
) -> tuple[Recipe, dict[str, Any]]:
    """Return a recipe whose model fits the weights of a preset.

    Data and model are those of the preset, with two exceptions: overrides of the data and of settings
    that are marked as `fine_tunable`, and settings of the model that have no effect on the answers, such
    as dropout, which are those of the recipe.

    Args:
        recipe: a recipe with `overrides` set.
        init: a preset or run.
        overrides: settings by dotted key.

    Returns:
        The recipe, and the settings of its model that differ from those of `recipe`.

    Raises:
        ZooError: there is no such preset, it has another kind of model, or its weights do not fit an
            override.
    """
    preset = preset_recipe(init)
    if type(recipe.model) is not type(preset.model) or not isinstance(preset.model, KerasModel):
        raise ZooError(
            f"{recipe.name!r} cannot start from {preset_name(init)}: it has another kind of model, of "
            f"the recipe {preset.name!r}."
        )
    data = preset.override({k: v for k, v in overrides.items() if k.startswith("data.")}).data
    joined = replace(recipe, data=data, model=preset.model)
    wanted, kept = settings(replace(recipe, data=data).adapt([])), {}
    for key, value in settings(joined).items():
        if not key.startswith(MODEL) or wanted[key] == value:
            continue
        names = key.removeprefix(MODEL).split(".")
        wanted_again = key in overrides and _is_marked(recipe.model, names, fine_tunable_settings)
        if wanted_again or is_training_only(recipe.model, names):
            changed = joined.override({key: wanted[key]})
            if _has_weights_of(changed.model, preset.model):
                joined = changed
                continue
        if key in overrides:
            raise ZooError(
                f"The model's shape comes from the preset. Received: --set {key} with --init."
            )
        kept[key] = value
    return joined, kept


def with_new_labels(recipe: Recipe, examples: Iterable[Any]) -> Recipe:
    """Return a recipe without labels if an example has one that the recipe does not have.

    `Recipe.adapt` then takes the labels of the examples.
    """
    data = recipe.data
    if not isinstance(data, LabelledData) or data.knows(examples):
        return recipe
    return replace(recipe, data=data.with_labels(Labels()))


def initial_model(recipe: Recipe, init: PresetLike) -> Any:
    """Return the trained model of a preset, with a new output layer if the recipe has other labels.

    Raises:
        ZooError: a file of the preset is missing or corrupt.
    """
    folder = preset_folder(init)
    preset = store.load_recipe(folder)
    model = store.load_model(folder, preset)
    data, before = recipe.data, preset.data
    if (
        not isinstance(data, LabelledData)
        or not isinstance(before, LabelledData)
        or not isinstance(recipe.model, KerasModel)
        or data.labels == before.labels
    ):
        return model
    kept = [symbol for symbol in data.labels.symbols if symbol in before.labels.symbols]
    say(
        f"The {len(data.labels)} labels are those of the data. Their output layer is new, except for "
        f"{len(kept)} label(s) of {preset_name(init)}{': ' if kept else ''}{list_words(kept)}."
    )
    from zoo.common.training import output_layer

    seed = recipe.training.seed
    return output_layer.with_new_labels(data, recipe.model, model, before.labels, seed)


def is_training_only(part: Any, names: list[str]) -> bool:
    """Return whether a setting has no effect on the answers of a trained model.

    Args:
        part: a config.
        names: names of the fields that lead to the setting.
    """
    return _is_marked(part, names, training_only_settings)


def _is_marked(part: Any, names: list[str], marked: Callable[[Any], set[str]]) -> bool:
    if names[0] in marked(part):
        return True
    inner = getattr(part, names[0])
    return dataclasses.is_dataclass(inner) and _is_marked(inner, names[1:], marked)


def _has_weights_of(model: Any, preset: Any) -> bool:
    """Return whether the file of a model stores all weights of a preset, such as a trained encoder."""
    start_backend()
    return not Counter(preset.declared_weights()) - Counter(model.declared_weights())
