"""Functions that create layers, or return the existing layers of a model to call them again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

# Maps the class of a layer and its arguments to the layer: `new_layer`, or the result of `layers_of`.
MakeLayer = Callable[..., "keras.Layer"]


def new_layer(layer_class: type, *arguments: Any, **options: Any) -> keras.Layer:
    """Create a layer.

    Args:
        layer_class: class of the layer.
        *arguments: arguments of the class.
        **options: keyword arguments of the class.
    """
    return layer_class(*arguments, **options)


def layers_of(model: keras.Model) -> MakeLayer:
    """Return a function that returns the layer of the same name in a model instead of a new layer."""
    return lambda layer_class, *arguments, name, **options: model.get_layer(name)
