"""Stochastic weight averaging: the mean of the weights after epochs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np

from zoo.common.core.optimizer import Optimizer

# Statistics of batch normalization, which belong to the weights.
MEASURED = ("moving_mean", "moving_variance")


class WeightAverage:
    """The mean of a model's weights after the epochs from `average_from` on.

    Izmailov et al., "Averaging weights leads to wider optima and better generalization" (2018). The
    statistics of batch normalization are averaged too, instead of being computed in another pass.

    Args:
        model: the model.
        optimizer: optimizer of the recipe. With `average_from` 0, nothing is averaged.
    """

    def __init__(self, model: keras.Model, optimizer: Optimizer):
        measured = [w for w in model.non_trainable_variables if w.name in MEASURED]
        self._weights = model.trainable_variables + measured
        self._first = optimizer.average_from
        # Part of the state of a run, so that it can be resumed.
        self.variables = (
            [keras.Variable(np.zeros(w.shape, w.dtype), trainable=False) for w in self._weights]
            if self._first
            else []
        )
        self._averages = False

    def update(self, epoch: int) -> None:
        """Add the weights after an epoch, counted from 0, to the mean."""
        count = epoch + 2 - self._first
        self._averages = bool(self._first) and count > 0
        if self._averages:
            for mean, weight in zip(self.variables, self._weights, strict=True):
                mean.assign(mean + (weight - mean) / count)

    @contextmanager
    def in_model(self) -> Iterator[None]:
        """Set the weights of the model to their mean, if there is one, inside the context."""
        if not self._averages:
            yield
            return
        # Both ways are copies: PyTorch returns views, and JAX may free an array of the model.
        last = [np.array(weight) for weight in self._weights]
        for weight, mean in zip(self._weights, self.variables, strict=True):
            weight.assign(np.array(mean))
        try:
            yield
        finally:
            for weight, value in zip(self._weights, last, strict=True):
                weight.assign(value)
