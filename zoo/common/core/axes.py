"""Names of the free axes in the inputs and outputs of a model."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from zoo.common.core.data import Data
from zoo.common.core.model import ModelConfig
from zoo.common.core.states import NEXT

# The input of an encoder has a time axis of its own.
BATCH, TIME, SOURCE_TIME = "batch", "time", "source_time"

# The axes of a tensor after the batch, by the tensor's name.
Axes = Mapping[str, tuple[int | str, ...]]
NO_AXES: Axes = MappingProxyType({})


def known_axes(data: Data, model: ModelConfig) -> dict[str, tuple[int | str, ...]]:
    """Return the axes of tensors that have free axes besides time: of the data and of the states."""
    known: dict[str, tuple[int | str, ...]] = dict(data.free_axes)
    for spec in model.states:
        axes = tuple(SOURCE_TIME if size is None else size for size in spec.shape)
        known |= {spec.name: axes, NEXT + spec.name: axes}
    return known


def name_axes(name: str, shape: tuple[int | None, ...], known: Axes = NO_AXES) -> list[int | str]:
    """Return the shape of a tensor with names in place of its free axes. The first is the batch.

    Args:
        name: name of the tensor.
        shape: its shape; None for a free axis.
        known: result of `known_axes`.
    """
    axes, others = known.get(name, ()), iter((TIME, SOURCE_TIME))
    named: list[int | str] = [BATCH if size is None else size for size in shape[:1]]
    for axis, size in enumerate(shape[1:]):
        free = axes[axis] if axis < len(axes) else None
        named.append(size if size is not None else free or next(others))
    return named
