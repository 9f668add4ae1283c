"""VGG16's features of an image as one vector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.common.layers.make import MakeLayer

if TYPE_CHECKING:
    import keras


class Pooling:
    """Features [batch, 6, 6, 512] as one vector [batch, 1024].

    Pooled over the grid by mean, for what there is, and by maximum, for what there is little of. Each is
    then put on one scale by batch normalisation: maxima are many times larger than means.
    """

    def __init__(self, make: MakeLayer):
        from keras import layers

        self.mean = make(layers.GlobalAveragePooling2D, name="mean")
        self.maximum = make(layers.GlobalMaxPooling2D, name="maximum")
        self.concatenate = make(layers.Concatenate, name="pooled")
        self.norm = make(layers.BatchNormalization, momentum=0.9, name="norm")

    def __call__(self, features: keras.KerasTensor) -> keras.KerasTensor:
        """Return the vector of each image."""
        return self.norm(self.concatenate([self.mean(features), self.maximum(features)]))
