"""A preset's model as it has to be traced for other machines."""

from __future__ import annotations

import keras

from zoo.common.presets import Preset
from zoo.common.recurrent import to_stock


def portable(preset: Preset) -> keras.Model:
    """The preset's model in stock layers, none of which asks for cuDNN: a graph traced with it cannot
    run on a CPU."""
    model = to_stock(preset.recipe.model.build())
    model.set_weights(preset.model.get_weights())
    for layer in model._flatten_layers():
        if hasattr(layer, "use_cudnn"):
            layer.use_cudnn = False
    return model
