"""Pool the features of VGG16 into one vector per image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.common.layers.make import MakeLayer

if TYPE_CHECKING:
    import keras


class Pooling:
    """Pool features [batch, 6, 6, 512] into vectors [batch, 1024].

    The mean over the grid represents what is common in the image, the maximum what is rare. Batch
    normalization scales both, because maxima are many times larger than means.

    Args:
        make: returns each layer.
    """

    def __init__(self, make: MakeLayer):
        from keras import layers

        self.mean = make(layers.GlobalAveragePooling2D, name="mean")
        self.maximum = make(layers.GlobalMaxPooling2D, name="maximum")
        self.concatenate = make(layers.Concatenate, name="pooled")
        self.norm = make(layers.BatchNormalization, momentum=0.9, name="norm")

    def __call__(self, features: keras.KerasTensor) -> keras.KerasTensor:
        """Return the vector of each image, [batch, 1024]."""
        return self.norm(self.concatenate([self.mean(features), self.maximum(features)]))
