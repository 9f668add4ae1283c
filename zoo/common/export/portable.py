"""Models that can be traced for other machines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from zoo.common.core.errors import ZooError
from zoo.common.layers.recurrent import to_stock
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.runtime.preset import Preset
from zoo.common.utils.private import flat_layers


def config_of(preset: Preset) -> KerasModel:
    """Return the config of a preset's Keras model.

    Raises:
        ZooError: the preset is not a Keras model.
    """
    config = preset.recipe.model
    if not isinstance(config, KerasModel):
        raise ZooError(
            f"{preset.name} is not a Keras model and cannot be exported: the model is the file "
            f"{preset.folder / config.file}."
        )
    return config


def portable(preset: Preset) -> keras.Model:
    """Return the model of a preset in stock layers without cuDNN, and without kernels of the zoo.

    A graph that is traced with cuDNN does not run on a CPU, and one with XLA not in every runtime.
    """
    model = to_stock(preset.recipe.model.build())
    model.set_weights(preset.model.get_weights())
    for layer in flat_layers(model):
        if hasattr(layer, "use_cudnn"):
            layer.use_cudnn = False
        if hasattr(layer, "by_steps"):
            layer.by_steps = True
    return model


def save_module(module: tf.Module, folder: Path, functions: Mapping[str, Any]) -> None:
    """Write a module as a SavedModel with signatures. Raises `OSError` if the disk is full."""
    try:
        tf.saved_model.save(module, str(folder), functions)
    except tf.errors.OpError as error:  # "<path>; <reason> [<operation>]"
        raise OSError(error.message.rpartition("; ")[2].partition(" [")[0]) from error
