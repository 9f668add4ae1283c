"""Layers of a trained network from the output down: when they are trained, and how fast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import Recipe
from zoo.common.data.labels import LabelledData
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.training.output_layer import label_axes


def trained_layers(network: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers of a network that have trainable weights, the one next to the output first."""
    return [layer for layer in reversed(network.layers) if layer.trainable_weights]


def depths(network: keras.Model) -> dict[str, int]:
    """Return the number of trained layers between each weight and the output, by the weight's path."""
    found: dict[str, int] = {}
    for depth, layer in enumerate(trained_layers(network)):
        found |= {weight.path: depth for weight in layer.trainable_weights}
    return found


class DiscriminativeAdamW(keras.optimizers.AdamW):
    """AdamW whose step in a weight is multiplied by a factor. The weight decay is not multiplied.

    Args:
        scales: the factor of each weight by its path; that of others is 1.
        *args: arguments of `keras.optimizers.AdamW`.
        **kwargs: arguments of `keras.optimizers.AdamW`.
    """

    def __init__(self, scales: Mapping[str, float], *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.scales = dict(scales)
        self._factors: list[float] = []

    def build(self, variables: Any) -> None:
        self._factors = [self.scales.get(variable.path, 1.0) for variable in variables]
        super().build(variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        factor = self._factors[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate * factor)


class Freezing:
    """Keep all layers but the output layer as they are in the first epochs of a training.

    Then all layers are trained; with `training.gradual_unfreezing`, one more in each epoch.

    Args:
        recipe: recipe of the training.
        model: the model that `recipe.model.build` returned.
        network: the part of it that is trained.
        is_started: whether the weights are those of a preset.

    Raises:
        ZooError: the recipe asks for it, but there is no preset, no output layer of labels, or the
            backend of Keras is JAX.
    """

    def __init__(self, recipe: Recipe, model: keras.Model, network: keras.Model, is_started: bool):
        training: Any = recipe.training
        self.epochs, self._layers = training.frozen_epochs, []
        self._is_gradual = training.gradual_unfreezing
        self._frozen = 0
        if not self.epochs:
            return
        if not is_started:
            raise ZooError(
                "training.frozen_epochs needs the weights of a preset (--init or --init-encoder)."
            )
        _check_backend()
        config, data = recipe.model, recipe.data
        if not isinstance(data, LabelledData) or not isinstance(config, KerasModel):
            raise ZooError(f"training.frozen_epochs: {recipe.name} has no output layer of labels.")
        axes = label_axes(data, config)
        outputs = {id(w) for w, axis in zip(model.weights, axes, strict=True) if axis is not None}
        self._layers = [
            layer
            for layer in trained_layers(network)
            if not any(id(w) in outputs for w in layer.weights)
        ]

    def update(self, epoch: int) -> bool:
        """Freeze or release the layers before an epoch, counted from 0.

        Returns:
            Whether the layers changed, so that the model must be compiled again.
        """
        released = max(0, epoch - self.epochs + 1)
        if released and not self._is_gradual:
            released = len(self._layers)
        frozen = max(0, len(self._layers) - released)
        if frozen == self._frozen:
            return False
        self._frozen = frozen
        for i, layer in enumerate(self._layers):
            layer.trainable = i < released
        return True


def _check_backend() -> None:
    if keras.config.backend() == "jax":  # its optimizers update all weights or none
        raise ZooError("training.frozen_epochs needs Keras on TensorFlow or PyTorch.")
