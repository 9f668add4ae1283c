"""Stochastic weight averaging: the mean of the weights at the ends of epochs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np

from zoo.common.core.optimizer import Optimizer

# What batch normalisation measures on the way: it belongs to the weights that it was measured with.
MEASURED = ("moving_mean", "moving_variance")


class WeightAverage:
    """The mean of a model's weights at the ends of the epochs from `average_from` on.

    Izmailov et al., "Averaging weights leads to wider optima and better generalization" (2018). Of the
    statistics of batch normalisation the mean is taken too, instead of one more pass over the data.

    model: keras.Model. optimizer: the part of a recipe; only one with `average_from` above 0 averages.
    """

    def __init__(self, model: keras.Model, optimizer: Optimizer):
        measured = [w for w in model.non_trainable_variables if w.name in MEASURED]
        self._weights = model.trainable_variables + measured
        self._first = optimizer.average_from
        # What a run keeps beside weights and optimizer, to be resumed with.
        self.variables = (
            [keras.Variable(np.zeros(w.shape, w.dtype), trainable=False) for w in self._weights]
            if self._first
            else []
        )
        self._averages = False

    def update(self, epoch: int) -> None:
        """Take the weights after an epoch (counted from 0) into the mean."""
        count = epoch + 2 - self._first
        self._averages = bool(self._first) and count > 0
        if self._averages:
            for mean, weight in zip(self.variables, self._weights, strict=True):
                mean.assign(mean + (weight - mean) / count)

    @contextmanager
    def in_model(self) -> Iterator[None]:
        """Let the model have the mean of its weights meanwhile, where there is one."""
        if not self._averages:
            yield
            return
        # Copies both ways: PyTorch gives a view, and JAX frees an array that it thinks a model's own.
        last = [np.array(weight) for weight in self._weights]
        for weight, mean in zip(self._weights, self.variables, strict=True):
            weight.assign(np.array(mean))
        try:
            yield
        finally:
            for weight, value in zip(self._weights, last, strict=True):
                weight.assign(value)
