"""The names of the axes that are free in the inputs and outputs of a model."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from zoo.common.core.recipe import Recipe
from zoo.common.core.states import NEXT

# What stands beside an encoder's input has a time of its own.
BATCH, TIME, SOURCE_TIME = "batch", "time", "source_time"

# The axes of a tensor after the batch, by the tensor's name.
Axes = Mapping[str, tuple[int | str, ...]]
NO_AXES: Axes = MappingProxyType({})


def known_axes(recipe: Recipe) -> dict[str, tuple[int | str, ...]]:
    """Return the axes of tensors whose free ones are not only the time: those of the data and of the
    model's states."""
    known: dict[str, tuple[int | str, ...]] = dict(recipe.data.free_axes)
    for spec in recipe.model.states:
        axes = tuple(SOURCE_TIME if size is None else size for size in spec.shape)
        known |= {spec.name: axes, NEXT + spec.name: axes}
    return known


def name_axes(name: str, shape: tuple[int | None, ...], known: Axes = NO_AXES) -> list[int | str]:
    """Return a tensor's shape with the names of its free axes: the first one is the batch."""
    axes, others = known.get(name, ()), iter((TIME, SOURCE_TIME))
    named: list[int | str] = [BATCH if size is None else size for size in shape[:1]]
    for axis, size in enumerate(shape[1:]):
        free = axes[axis] if axis < len(axes) else None
        named.append(size if size is not None else free or next(others))
    return named
