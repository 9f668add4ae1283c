"""Blocks of layers that several models of speech share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras import KerasTensor

RECURRENCES = ("lstm", "gru")
# Successors of the LSTM, and the class of the layer of each. They are in residual blocks.
BLOCKS = {"mingru": "MinGRU", "rglru": "RGLRU", "lru": "LRU"}


def birnn_stack(
    x: KerasTensor,
    inside: KerasTensor,
    cell: str,
    layers: int,
    hidden_size: int,
    dropout: float,
) -> KerasTensor:
    """Apply a stack of bidirectional recurrent layers, with layer normalization and dropout before each.

    Args:
        x: float [batch, frames, channels].
        inside: bool [batch, frames], True for frames that are not padding.
        cell: one of `RECURRENCES`.
        layers: number of layers.
        hidden_size: number of units of each direction.
        dropout: dropout rate of the inputs of each layer, and of the output.

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


def block_stack(
    x: KerasTensor,
    inside: KerasTensor,
    cell: str,
    layers: int,
    hidden_size: int,
    dropout: float,
) -> KerasTensor:
    """Apply a linear layer and a stack of bidirectional residual blocks; see `RecurrentBlock`.

    Args:
        x: float [batch, frames, channels].
        inside: bool [batch, frames], True for frames that are not padding.
        cell: a key of `BLOCKS`.
        layers: number of blocks.
        hidden_size: number of features of the blocks, and of units of each direction.
        dropout: dropout rate of the terms of each block, and of the output.

    Returns:
        float [batch, frames, hidden_size].
    """
    import keras

    from zoo.common.layers import recurrent

    layer = getattr(recurrent, BLOCKS[cell])
    x = keras.layers.Dense(hidden_size, name="embedding")(x)
    for i in range(layers):
        both = recurrent.Bidirectional(layer(hidden_size, return_sequences=True))
        x = recurrent.RecurrentBlock(both, dropout=dropout, name=f"block{i}")(x, mask=inside)
    x = keras.layers.LayerNormalization(name="norm")(x)
    return keras.layers.Dropout(dropout, name="dropout_top")(x)


def ctc_outputs(
    x: KerasTensor, frames: KerasTensor, vocabulary_size: int
) -> dict[str, KerasTensor]:
    """Return the outputs of an `AcousticModel` for CTC.

    Args:
        x: float [batch, frames, channels].
        frames: int32 [batch], number of frames without padding.
        vocabulary_size: size of the output, including the blank.
    """
    from keras import layers

    logits = layers.Dense(vocabulary_size, dtype="float32", name="logits")(x)
    return {"logits": logits, "logit_lengths": layers.Identity(name="logit_lengths")(frames)}


def pad_odd(x: KerasTensor, kernel: Sequence[int], name: str) -> KerasTensor:
    """Pad images by half of an odd kernel on each side.

    With a stride, the first position of "same" padding would depend on the length of the whole batch.

    Args:
        x: float [batch, frames, bands, channels].
        kernel: odd number of frames and of bands.
        name: name of the layer.
    """
    from keras import layers

    margins = tuple(((size - 1) // 2, (size - 1) // 2) for size in kernel)
    return layers.ZeroPadding2D(margins, name=name)(x)
