"""Settings that are chosen by a user's own examples."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from zoo.common.core.capabilities import SuitedSettings, WindowedExamples
from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import Recipe, settings
from zoo.common.data.text import normalize
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.tasks.classification import Classification
from zoo.common.utils.progress import say

# A metric of classifiers that is defined for all examples.
DEFINED = "f1_macro"


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


def suit_monitor(recipe: Recipe, dev: list[Any], given: Collection[str]) -> Recipe:
    """Return the recipe of a classifier with a metric that is defined for dev, and say which.

    Args:
        recipe: the adapted recipe.
        dev: the examples of dev.
        given: settings that the user has chosen, by dotted key.

    Raises:
        ZooError: the user has chosen a metric that is not defined for dev.
    """
    task = recipe.task
    data: Any = recipe.data
    if not isinstance(task, Classification) or not dev:
        return recipe
    references = {normalize(example.label) for example in dev}
    if task.is_defined(data.labels.symbols, references):
        return recipe
    reason = f"{task.monitor} requires two classes, with examples of both in dev"
    if "task.monitor" in given:
        raise ZooError(
            f"task.monitor: {reason}. Received: {len(data.labels.symbols)} classes, "
            f"{len(references)} of them in dev."
        )
    say(f"Chosen: task.monitor={DEFINED}, because {reason}. Other values: --set KEY=VALUE.")
    return recipe.override({"task.monitor": DEFINED})
