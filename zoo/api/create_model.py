"""Build models with new weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo.common.core.registry import entry
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.utils.quiet import start_backend

if TYPE_CHECKING:
    import keras


def create_model(name: str, **overrides: Any) -> keras.Model:
    """Return a functional `keras.Model` with new weights, as a recipe defines it.

    Args:
        name: a registered recipe.
        overrides: arguments of the recipe's model config.

    Raises:
        ZooError: an unknown name or argument. The message lists the nearest valid ones.

    Examples:
        >>> import zoo
        >>> zoo.create_model("speech/bilstm-ctc-an4", hidden_size=16).name
        'birnn_ctc'
    """
    recipe = entry(name).recipe().override({f"model.{k}": v for k, v in overrides.items()})
    if isinstance(recipe.model, KerasModel):
        start_backend()
    return recipe.model.build()
