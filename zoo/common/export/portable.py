"""A preset's model as it has to be traced for other machines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

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


def save_module(module: tf.Module, folder: Path, functions: Mapping[str, Any]) -> None:
    """Write a module as a SavedModel with those signatures. Raises `OSError` if the disk is full."""
    try:
        tf.saved_model.save(module, str(folder), functions)
    except tf.errors.OpError as error:  # "<path>; <reason> [<operation>]"
        raise OSError(error.message.rpartition("; ")[2].partition(" [")[0]) from error
