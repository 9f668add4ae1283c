"""Parts that several models of speech share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras import KerasTensor

RECURRENCES = ("lstm", "gru")


def birnn_stack(
    x: KerasTensor,
    inside: KerasTensor,
    cell: str,
    layers: int,
    hidden_size: int,
    dropout: float,
) -> KerasTensor:
    """Run bidirectional recurrent layers one upon another, each on normalised and dropped inputs.

    Args:
        x: float [batch, frames, channels]. inside: bool [batch, frames], the true frames.
        cell: "lstm" or "gru". layers: how many. hidden_size: units of each direction.
        dropout: share of the inputs of each layer, and of the output, that is dropped in training.

    Returns:
        float [batch, frames, 2 * hidden_size].
    """
    import keras

    from zoo.common.layers import recurrent

    Layer = {"lstm": recurrent.LSTM, "gru": recurrent.GRU}[cell]
    for i in range(layers):
        x = keras.layers.LayerNormalization(name=f"norm{i}")(x)
        x = keras.layers.Dropout(dropout, name=f"dropout{i}")(x)
        x = recurrent.Bidirectional(Layer(hidden_size, return_sequences=True), name=f"{cell}{i}")(
            x, mask=inside
        )
    return keras.layers.Dropout(dropout, name="dropout_top")(x)


def mean_and_maximum(x: KerasTensor, inside: KerasTensor) -> KerasTensor:
    """Return what an LSTM's outputs over a whole recording come to, for one answer to it.

    Args:
        x: float [batch, frames, channels], no less than -1, as an LSTM gives.
        inside: bool [batch, frames], the true frames.

    Returns:
        float32 [batch, 2 * channels]: the mean over the true frames, then the maximum.
    """
    from keras import ops

    x, weight = ops.cast(x, "float32"), ops.cast(ops.expand_dims(inside, -1), "float32")
    mean = ops.sum(x * weight, axis=1) / ops.maximum(ops.sum(weight, axis=1), 1.0)
    return ops.concatenate([mean, ops.max(x * weight + (weight - 1), axis=1)], axis=-1)


def ctc_outputs(
    x: KerasTensor, frames: KerasTensor, vocabulary_size: int
) -> dict[str, KerasTensor]:
    """Return the outputs of `AcousticModel` for CTC.

    Args:
        x: float [batch, frames, channels]. frames: int32 [batch], the true ones.
        vocabulary_size: the blank included.
    """
    from keras import layers

    logits = layers.Dense(vocabulary_size, dtype="float32", name="logits")(x)
    return {"logits": logits, "logit_lengths": layers.Identity(name="logit_lengths")(frames)}


def pad_odd(x: KerasTensor, kernel: Sequence[int], name: str) -> KerasTensor:
    """Pad images by half of an odd kernel on each side.

    Where "same" padding starts would depend, with a stride, on the length of the whole batch.

    Args:
        x: float [batch, frames, bands, channels]. kernel: odd numbers of frames and of bands.
    """
    from keras import layers

    margins = tuple(((size - 1) // 2, (size - 1) // 2) for size in kernel)
    return layers.ZeroPadding2D(margins, name=name)(x)
