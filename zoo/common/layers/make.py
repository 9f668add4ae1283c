"""Layers that are made once and called in several graphs of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

# Of the class of a layer and its arguments, to the layer: `new_layer`, or `layers_of` a model.
MakeLayer = Callable[..., "keras.Layer"]


def new_layer(layer_class: type, *arguments: Any, **options: Any) -> keras.Layer:
    """Return a new layer."""
    return layer_class(*arguments, **options)


def layers_of(model: keras.Model) -> MakeLayer:
    """Return what gives, in place of a new layer, the one of the same name in a model that is there."""
    return lambda layer_class, *arguments, name, **options: model.get_layer(name)
