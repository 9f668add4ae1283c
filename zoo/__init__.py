"""Compact recurrent sequence models in TensorFlow and Keras 3: train, trust, ship.

The public API loads nothing heavy until it is used: `import zoo` and `zoo.list_models()` do not
import TensorFlow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo.common.errors import ZooError
from zoo.common.registry import register

if TYPE_CHECKING:
    import keras

    from zoo.common.presets import Preset

__all__ = ["ZooError", "accelerate", "create_model", "list_models", "load", "register"]


def list_models(pattern: str = "*") -> list[str]:
    """Names of the registered recipes that match a shell pattern such as "speech/*"."""
    from zoo.common.registry import entries

    return [entry.name for entry in entries(pattern)]


def create_model(name: str, **overrides: Any) -> keras.Model:
    """A functional `keras.Model` with fresh weights, as the recipe `name` defines it.

    overrides: arguments of the recipe's model config, such as `hidden_size=128`.

    Raises `ZooError` for an unknown name or argument, naming the nearest valid ones.
    """
    from zoo.common.registry import entry

    recipe = entry(name).recipe().override({f"model.{k}": v for k, v in overrides.items()})
    return recipe.model.build()


def load(preset_or_folder: str) -> Preset:
    """A trained preset by name, or a run or preset by folder: `.model`, `.recipe`, `.metrics`,
    `.predict(inputs)`.

    Raises `ZooError` if there is no such preset or one of its files is missing or corrupt.
    """
    from zoo.common.presets import load_preset

    return load_preset(preset_or_folder)


def accelerate(model: keras.Model) -> keras.Model:
    """`model` with its stock Keras recurrent layers running on the zoo's fast CPU kernels.

    The weights are shared, not copied. See `zoo.common.recurrent`.
    """
    from zoo.common.recurrent import accelerate

    return accelerate(model)
