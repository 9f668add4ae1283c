"""Compact recurrent sequence models in TensorFlow and Keras 3: train, trust, ship.

The public API loads nothing heavy until it is used: `import zoo` and `zoo.list_models()` do not
import TensorFlow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo.common.core.errors import ZooError
from zoo.common.core.registry import register

if TYPE_CHECKING:
    import keras

    from zoo.common.runtime.preset import Preset

__version__ = "0.1.0"
__all__ = ["ZooError", "accelerate", "create_model", "list_models", "load", "register", "to_stock"]


def list_models(pattern: str = "*") -> list[str]:
    """Return the names of the registered recipes that match a shell pattern.

    Example:
        >>> zoo.list_models("language/*ptb")
        ['language/kn5-ptb', 'language/lstm-small-ptb']
    """
    from zoo.common.core.registry import entries

    return [entry.name for entry in entries(pattern)]


def create_model(name: str, **overrides: Any) -> keras.Model:
    """Return a functional `keras.Model` with fresh weights, as a recipe defines it.

    Args:
        name: a registered recipe.
        overrides: arguments of the recipe's model config.

    Raises:
        ZooError: an unknown name or argument; the nearest valid ones are named.

    Example:
        >>> zoo.create_model("speech/bilstm-ctc-an4", hidden_size=128).count_params()
    """
    from zoo.common.core.registry import entry
    from zoo.common.runtime.keras_model import KerasModel
    from zoo.common.utils.quiet import start_backend

    recipe = entry(name).recipe().override({f"model.{k}": v for k, v in overrides.items()})
    if isinstance(recipe.model, KerasModel):
        start_backend()
    return recipe.model.build()


def load(preset_or_folder: str, runtime: str = "keras") -> Preset:
    """Return a trained preset: `.model`, `.recipe`, `.metrics`, `.predict(inputs)`.

    Args:
        preset_or_folder: a preset by name, or the folder of a run or preset.
        runtime: what it answers in: "keras", or what it was exported to before by `zoo export`:
            "savedmodel", "onnx" or "litert". The last two need no TensorFlow.

    Raises:
        ZooError: there is no such preset or export, or one of its files is missing or corrupt.

    Example:
        >>> preset = zoo.load("speech/bilstm-ctc-an4")
        >>> [answer["output"] for answer in preset.predict(["hello.wav"])]
    """
    from zoo.common.runtime.preset import load_preset

    return load_preset(preset_or_folder, runtime)


def accelerate(model: keras.Model) -> keras.Model:
    """Return a model with its stock Keras recurrent layers run by the zoo's fast CPU kernels.

    The weights are shared, not copied, and `save` writes stock layers: the file opens where the zoo is
    not installed. See docs/recurrent.md for the gain, and for `jit_compile`, whose default is False.

    Example:
        >>> fast = zoo.accelerate(my_keras_model)
        >>> fast.compile("adam", "mse")
    """
    from zoo.common.layers.recurrent import accelerate

    return accelerate(model)


def to_stock(model: keras.Model) -> keras.Model:
    """Return a model with its fast recurrent layers as stock Keras ones: the inverse of `accelerate`.

    The weights are shared, not copied.

    Example:
        >>> zoo.to_stock(fast).export("served")
    """
    from zoo.common.layers.recurrent import to_stock

    return to_stock(model)
