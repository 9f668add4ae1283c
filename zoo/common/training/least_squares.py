"""Training in closed form: the weights of a linear layer by least squares, in one pass.

The kernel K and bias b minimize

    sum over all rows of |features K + b - targets|^2  +  ridge |K|^2

where the features are the inputs of `LinearModel.linear_layer`. Layers before it are not trained.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.common.core.data import Epoch
from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import Recipe
from zoo.common.runtime.keras_model import LinearModel, keras_function
from zoo.common.training.one_pass import train_in_one_pass
from zoo.common.training.trainers import LeastSquares


def train(
    recipe: Recipe, train_examples: list[Any], dev_examples: list[Any], folder: Path, **run: Any
) -> list[dict[str, float]]:
    """Solve a recipe's linear layer into a run folder. See `zoo.common.training.trainers.train`.

    `loss` is the mean squared error of the layer on the training examples.
    """
    config, training = recipe.model, recipe.training
    if not isinstance(config, LinearModel) or not isinstance(training, LeastSquares):
        raise ZooError(f"{recipe.name} cannot be trained by least squares.")

    def fit() -> tuple[keras.Model, dict[str, float]]:
        keras.utils.set_random_seed(training.seed)
        model = config.build()
        layer = config.linear_layer(model)
        features = keras_function(keras.Model(model.input, {"features": layer.input}))
        epoch = Epoch(0, training.batch_size, training.seed)
        batches = recipe.data.batches(train_examples, config, model, epoch)
        rows = ((features(**x)["features"], config.linear_targets(y)) for x, y, _ in batches)
        kernel, bias, loss = solve(rows, training.ridge, layer.use_bias)
        layer.set_weights([kernel, bias] if layer.use_bias else [kernel])
        return model, {"loss": loss}

    return train_in_one_pass(fit, recipe, train_examples, dev_examples, folder, **run)


def solve(
    batches: Iterable[tuple[np.ndarray, np.ndarray]], ridge: float = 0.0, use_bias: bool = True
) -> tuple[np.ndarray, np.ndarray, float]:
    """Solve a linear layer by least squares, in one pass and in float64.

    Only R of the QR decomposition of the rows so far is kept. It has the same solution as the rows, and
    is more accurate than the normal equations. If there are several solutions, the one with the smallest
    norm is returned.

    Args:
        batches: (features [rows, features], targets [rows, units]) of each batch.
        ridge: weight of the squared kernel. The bias is not regularized.
        use_bias: whether there is a bias.

    Returns:
        (kernel float64 [features, units], bias float64 [units], mean squared error on the rows).
    """
    r: np.ndarray | None = None
    count, size, units = 0, 0, 0
    for features, targets in batches:
        features, targets = (np.asarray(x, np.float64) for x in (features, targets))
        ones = np.ones((len(features), int(use_bias)))
        block = np.concatenate([features, ones, targets], axis=1)
        rows = block if r is None else np.concatenate([r, block])
        r = np.asarray(np.linalg.qr(rows, mode="r"))
        count, size, units = count + len(block), features.shape[1], targets.shape[1]
    if r is None:
        raise ZooError("Least squares needs at least one row. Received: none.")
    penalty = np.sqrt(ridge) * np.eye(size, r.shape[1])
    system = np.concatenate([r, penalty]) if ridge else r
    solution = np.linalg.lstsq(system[:, :-units], system[:, -units:], rcond=None)[0]
    residuals = r[:, :-units] @ solution - r[:, -units:]
    bias = solution[size] if use_bias else np.zeros(units)
    return solution[:size], bias, float(np.sum(residuals**2) / (count * units))
