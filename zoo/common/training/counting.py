"""Training by counting, in one pass: for models whose config has `count(examples, recipe)`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.common.core.recipe import Recipe
from zoo.common.training.one_pass import train_in_one_pass


def train(
    recipe: Recipe, train_examples: list[Any], dev_examples: list[Any], folder: Path, **run: Any
) -> list[dict[str, float]]:
    """Count a recipe's model into a run folder. See `zoo.common.core.trainer.Trainer.train`."""

    def fit() -> tuple[Any, dict[str, float]]:
        return recipe.model.count(train_examples, recipe), {}

    return train_in_one_pass(fit, recipe, train_examples, dev_examples, folder, **run)
