"""A preset's model as it has to be traced for other machines."""

from __future__ import annotations

import keras

from zoo.common.layers.recurrent import to_stock
from zoo.common.runtime.preset import Preset
from zoo.common.utils.private import flat_layers


def portable(preset: Preset) -> keras.Model:
    """Return the preset's model in stock layers, none of which asks for cuDNN.

    A graph traced with cuDNN cannot run on a CPU.
    """
    model = to_stock(preset.recipe.model.build())
    model.set_weights(preset.model.get_weights())
    for layer in flat_layers(model):
        if hasattr(layer, "use_cudnn"):
            layer.use_cudnn = False
    return model
