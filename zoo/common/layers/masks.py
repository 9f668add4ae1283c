"""Masks out of lengths, by operations that every runtime has."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras import KerasTensor


def frame_mask(sequence: KerasTensor, lengths: KerasTensor) -> KerasTensor:
    """Return which frames are inside their row's length.

    Args:
        sequence: any type [batch, time, channels]. lengths: int32 [batch].

    Returns:
        bool [batch, time].
    """
    from keras import ops

    first = ops.cast(sequence[:, :, 0], "float32")
    position = ops.cumsum(ops.ones_like(first), axis=1)
    return position <= ops.cast(ops.expand_dims(lengths, -1), "float32")
