"""Learning a few examples by heart, to prove that a model can learn at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.core.metrics import best, overfit_target, reaches
from zoo.common.core.recipe import Recipe
from zoo.common.training.trainers import GradientDescent

STEPS = 20  # in an epoch


def overfit(
    recipe: Recipe, examples: list[Any], folder: Path, **arguments: Any
) -> list[dict[str, float]]:
    """Train on a few examples and measure on the same.

    Args:
        examples: at least one. arguments: those of `Trainer.train`.

    Raises:
        ZooError: the `overfit_target` of the task's metric was not reached, or the recipe has no
            gradients.
    """
    if not isinstance(recipe.training, GradientDescent):
        raise ZooError(f"{recipe.name} is not trained by gradients: it has nothing to overfit.")
    count = recipe.data.num_windows(examples, recipe)
    if not count:
        raise ZooError(f"{recipe.name} has nothing to learn by heart: there is no whole window.")
    repeats = -(-STEPS * recipe.training.batch_size // count)
    history = recipe.training.train(recipe, examples * repeats, examples, folder, **arguments)
    metric = recipe.task.metric
    target = overfit_target(metric)
    value = best(history, metric)[metric]
    if not reaches(metric, value, target):
        raise ZooError(
            f"The model did not learn the {count} examples in {len(history)} epochs: its best "
            f"{metric} on them is {value:.4f}, the target {target}."
        )
    return history
