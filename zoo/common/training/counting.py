"""Training by counting, in one pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.core.model import CountedModel
from zoo.common.core.recipe import Recipe
from zoo.common.training.one_pass import train_in_one_pass


def train(
    recipe: Recipe, train_examples: list[Any], dev_examples: list[Any], folder: Path, **run: Any
) -> list[dict[str, float]]:
    """Count a recipe's model into a run folder. See `zoo.common.training.trainers.train`."""
    model = recipe.model
    if not isinstance(model, CountedModel):
        raise ZooError(f"{recipe.name} cannot be trained by counting.")

    def fit() -> tuple[Any, dict[str, float]]:
        return model.count(train_examples, recipe.data), {}

    return train_in_one_pass(fit, recipe, train_examples, dev_examples, folder, **run)
