"""Pooling of the outputs of recurrent layers over time, with operations that all runtimes support."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras import KerasTensor


def mean_and_maximum(x: KerasTensor, inside: KerasTensor) -> KerasTensor:
    """Pool the outputs of an LSTM over time.

    Args:
        x: float [batch, frames, channels], at least -1, as outputs of an LSTM are.
        inside: bool [batch, frames], True for frames that are not padding.

    Returns:
        float32 [batch, 2 * channels]: the mean over frames, then the maximum.
    """
    from keras import ops

    x, weight = ops.cast(x, "float32"), ops.cast(ops.expand_dims(inside, -1), "float32")
    mean = ops.sum(x * weight, axis=1) / ops.maximum(ops.sum(weight, axis=1), 1.0)
    return ops.concatenate([mean, ops.max(x * weight + (weight - 1), axis=1)], axis=-1)


def output_at_end(x: KerasTensor, inside: KerasTensor) -> KerasTensor:
    """Return the last output of a layer that reads from left to right, float32 [batch, channels].

    Args:
        x: float [batch, frames, channels].
        inside: bool [batch, frames], True for frames that are not padding, which follows them.
    """
    from keras import ops

    x, weight = ops.cast(x, "float32"), ops.cast(ops.expand_dims(inside, -1), "float32")
    # The last frame inside is the one that no frame inside follows.
    following = ops.concatenate([weight[:, 1:], ops.zeros_like(weight[:, :1])], axis=1)
    return ops.sum(x * (weight - following), axis=1)
