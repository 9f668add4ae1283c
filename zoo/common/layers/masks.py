"""Masks from lengths, with operations that all runtimes support."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras import KerasTensor


def frame_mask(sequence: KerasTensor, lengths: KerasTensor) -> KerasTensor:
    """Return the mask of the frames that are not padding.

    Args:
        sequence: any dtype [batch, time, channels].
        lengths: int32 [batch], the number of frames of each row without padding.

    Returns:
        bool [batch, time].
    """
    from keras import ops

    first = ops.cast(sequence[:, :, 0], "float32")
    position = ops.cumsum(ops.ones_like(first), axis=1)
    return position <= ops.cast(ops.expand_dims(lengths, -1), "float32")
