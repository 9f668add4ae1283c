"""Overfit a few examples, to check that a model can learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.common.core.capabilities import WindowedExamples
from zoo.common.core.errors import ZooError
from zoo.common.core.metrics import best, overfit_target, reaches
from zoo.common.core.recipe import Recipe
from zoo.common.training.trainers import GradientDescent, train

# Number of batches in an epoch.
STEPS = 20


def overfit(
    recipe: Recipe, examples: list[Any], folder: Path, **arguments: Any
) -> list[dict[str, float]]:
    """Train on a few examples and evaluate on the same ones.

    Args:
        recipe: a recipe that is trained by gradient descent.
        examples: at least one example.
        folder: run folder.
        arguments: as in `zoo.common.training.trainers.train`.

    Raises:
        ZooError: the `overfit_target` of the monitored metric is not reached, or the recipe is not
            trained by gradient descent.
    """
    if not isinstance(recipe.training, GradientDescent):
        raise ZooError(f"{recipe.name} is not trained by gradient descent: it cannot overfit.")
    count = len(examples)
    if isinstance(recipe.data, WindowedExamples):
        count = recipe.data.num_windows(examples, recipe.model)
    if not count:
        raise ZooError(f"{recipe.name} cannot overfit: the examples have no complete window.")
    repeats = -(-STEPS * recipe.training.batch_size // count)
    history = train(recipe, examples * repeats, examples, folder, **arguments)
    metric = recipe.task.monitor
    target = overfit_target(metric)
    value = best(history, metric)[metric]
    if not reaches(metric, value, target):
        raise ZooError(
            f"The model did not overfit the {count} examples in {len(history)} epochs: its best "
            f"{metric} on them is {value:.4f}, the target {target}."
        )
    return history
