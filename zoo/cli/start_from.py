"""What `zoo train --init` starts from: the shape, the weights and the data of a preset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import Recipe, settings
from zoo.common.presets import store
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.utils.quiet import start_backend

MODEL = "model."


def start_from(
    recipe: Recipe, init: str, overrides: Mapping[str, Any]
) -> tuple[Recipe, dict[str, Any]]:
    """Return a recipe whose model takes the weights of a preset, and what of the model it kept.

    Data and model are those of the preset, but for overrides and for what the answers of a model
    with those weights do not depend on, such as dropout: that is the recipe's own.

    Args:
        recipe: with `overrides` set.
        init: a preset or run.
        overrides: settings by dotted key.

    Returns:
        The recipe, and the settings of the model that differ from the recipe's own.

    Raises:
        ZooError: there is no such preset, it is of another kind of model, or an override makes a model
            that its weights do not fit.
    """
    preset = store.load_recipe(store.find(init))
    if type(recipe.model) is not type(preset.model) or not isinstance(preset.model, KerasModel):
        raise ZooError(
            f"{recipe.name!r} cannot start from a preset of {preset.name!r}: another kind of model."
        )
    data = preset.override({k: v for k, v in overrides.items() if k.startswith("data.")}).data
    joined = replace(recipe, data=data, model=preset.model)
    wanted, kept = settings(replace(recipe, data=data).adapt([])), {}
    for key, value in settings(joined).items():
        if not key.startswith(MODEL) or wanted[key] == value:
            continue
        changed = _changed(joined, key, wanted[key])
        if changed is not None:
            joined = changed
        elif key in overrides:
            raise ZooError(
                f"The model's shape comes from the preset. Received: --set {key} with --init."
            )
        else:
            kept[key] = value
    return joined, kept


def _changed(recipe: Recipe, key: str, value: Any) -> Recipe | None:
    """The recipe with a setting of its model, or None where models of both would answer otherwise."""
    try:
        changed = recipe.override({key: value})
        return changed if _answer_alike(recipe, changed) else None
    except ZooError:  # there is no such model, or not without the other settings
        return None


def _answer_alike(recipe: Recipe, other: Recipe) -> bool:
    """Whether the models of two recipes give the same answers when they have the same weights."""
    import numpy as np

    start_backend()
    model, same = recipe.model.build(), other.model.build()
    if [w.shape for w in model.weights] != [w.shape for w in same.weights]:
        return False
    for weight, value in zip(same.weights, model.weights, strict=True):
        if weight.trainable:
            weight.assign(value)
        elif value.trainable:
            return False  # the other would not keep what has been learnt
    inputs = recipe.data.example_inputs(recipe)
    functions = other.model.functions(same)
    for name, function in recipe.model.functions(model).items():
        for batch in inputs.get(name, ())[:1]:
            again = functions[name](**batch)
            for output, array in function(**batch).items():
                if array.shape != again[output].shape or not np.allclose(array, again[output]):
                    return False
    return True
