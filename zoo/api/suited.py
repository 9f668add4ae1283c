"""Settings that are chosen by the amount of a user's own examples."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from zoo.common.core.capabilities import SuitedSettings, WindowedExamples
from zoo.common.core.recipe import Recipe, settings
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.utils.progress import say


def suit(recipe: Recipe, examples: list[Any], given: Collection[str]) -> Recipe:
    """Return the recipe of a network with settings that suit training on examples, and say which.

    Args:
        recipe: a recipe with empty assets.
        examples: the examples of train.
        given: settings that the user has chosen, by dotted key. They are kept.
    """
    data = recipe.data
    if not isinstance(data, SuitedSettings) or not isinstance(recipe.model, KerasModel):
        return recipe
    before = settings(recipe)
    chosen = {
        key: value
        for key, value in data.suited_settings(examples, recipe.model).items()
        if key not in given and before[key] != value
    }
    if chosen:
        amount = (
            data.num_examples(examples) if isinstance(data, WindowedExamples) else len(examples)
        )
        words = ", ".join(f"{key}={value}" for key, value in chosen.items())
        say(f"Chosen for {amount:,} {data.counted[0]}: {words}. Other values: --set KEY=VALUE.")
    return recipe.override(chosen)
