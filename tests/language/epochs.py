"""Training batches of an epoch, for the tests of all subpackages."""

from zoo.common.core.data import Batches, Epoch
from zoo.common.core.recipe import Recipe


def epoch_batches(recipe: Recipe, examples: list, number: int = 0) -> Batches:
    """Return the batches of an epoch of the recipe's training, without a built model."""
    epoch = Epoch(number, recipe.training.batch_size, recipe.training.seed)
    return recipe.data.batches(examples, recipe.model, None, epoch)
