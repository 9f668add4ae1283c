"""A stack of bidirectional LSTM layers over pen strokes, with CTC on top.

Graves, Liwicki, Fernandez, Bertolami, Bunke and Schmidhuber, "A novel connectionist system for
unconstrained handwriting recognition" (2009). A convolution below the stack shortens the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.data.labels import Labels
from zoo.common.decoding.decoders import CTCSearch
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.tasks.ctc import CTC
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.vision_language.handwriting.corpora.gw_online import GW_ONLINE
from zoo.vision_language.handwriting.data import PenStrokes
from zoo.vision_language.handwriting.stroke_features import FEATURES

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StrokesBLSTM(KerasModel):
    """Arguments of the stack.

    vocabulary_size: int. Size of the output, the blank included.
    layers: int. Bidirectional layers, one upon another.
    hidden_size: int. Units of each direction.
    conv_filters: int. Channels of the convolution below the stack.
    subsampling_factor: int. Points for each frame of the stack and of the logits.
    dropout: float. Share of the inputs of each layer that is dropped in training.
    """

    vocabulary_size: int
    layers: int = 2
    hidden_size: int = 128
    conv_filters: int = 64
    subsampling_factor: int = 2
    dropout: float = 0.3

    def __post_init__(self):
        for name in ("layers", "hidden_size", "conv_filters", "subsampling_factor"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.vocabulary_size", self.vocabulary_size, at_least=2)
        check_range("model.dropout", self.dropout, at_least=0, below=1)

    def build(self) -> keras.Model:
        """See `build_strokes_blstm`."""
        return build_strokes_blstm(self)

    def frames(self, points: int) -> int:
        """Return the frames of logits for so many points."""
        return (points - 1) // self.subsampling_factor + 1


# Functional model ---------------------------------------------------------------------------------


def build_strokes_blstm(config: StrokesBLSTM) -> keras.Model:
    """Build the functional model, points in and logits out.

    Its inputs are `strokes` float32 [batch, points, features], by `zoo.vision_language.handwriting.stroke_features`,
    and `lengths` int32 [batch], the points of each word before padding. Its outputs are `logits` float32
    [batch, frames, vocabulary_size], unnormalised, and `logit_lengths` int32 [batch]. Padding has no
    effect on the frames of a word.

    Args:
        config: its arguments.
    """
    import keras
    from keras import layers, ops

    from zoo.common.layers import recurrent
    from zoo.common.layers.masks import frame_mask

    strokes = keras.Input((None, len(FEATURES)), name="strokes", dtype="float32")
    lengths = keras.Input((), name="lengths", dtype="int32")

    # Padded by hand: where "same" padding starts would depend on the length of the whole batch.
    factor = config.subsampling_factor
    inside = frame_mask(strokes, lengths)
    x = strokes * ops.cast(ops.expand_dims(inside, -1), strokes.dtype)
    x = layers.ZeroPadding1D(factor, name="conv_pad")(x)
    x = layers.Conv1D(
        config.conv_filters, 2 * factor + 1, strides=factor, activation="relu", name="conv"
    )(x)
    frames = (lengths - 1) // factor + 1
    inside = frame_mask(x, frames)

    for i in range(config.layers):
        x = layers.LayerNormalization(name=f"norm{i}")(x)
        x = layers.Dropout(config.dropout, name=f"dropout{i}")(x)
        x = recurrent.Bidirectional(
            recurrent.LSTM(config.hidden_size, return_sequences=True), name=f"lstm{i}"
        )(x, mask=inside)
    x = layers.Dropout(config.dropout, name="dropout_top")(x)
    logits = layers.Dense(config.vocabulary_size, dtype="float32", name="logits")(x)
    outputs = {"logits": logits, "logit_lengths": layers.Identity(name="logit_lengths")(frames)}
    return keras.Model({"strokes": strokes, "lengths": lengths}, outputs, name="strokes_blstm")


# Recipes ------------------------------------------------------------------------------------------

PAPER = "Graves et al. 2009, A novel connectionist system for unconstrained handwriting recognition"


@register("vision_language/blstm-ctc-gw-online", paper=PAPER, corpus=GW_ONLINE, metric="cer")
def blstm_ctc_gw_online(name: str) -> Recipe:
    """Two bidirectional LSTM layers read one handwritten word from the strokes of a pen.

    For single English words in lower case and numbers, written with a pen whose path is recorded. The
    input is an InkML file, or a JSON file with `points` [[x, y, pen_up], ...] or `strokes`
    [[[x, y], ...], ...], y growing downwards. The size of the writing and the speed of the pen have no
    effect.

    The corpus is by one writer, and so is the test split: expect more errors with another hand, and
    train on words of that hand (`--init`, `--manifest`). Lines of several words, capitals and
    punctuation were not in the training data. There is no language model;
    `--lexicon FILE` finds words of a list alone.
    """
    return Recipe(
        name=name,
        data=PenStrokes(labels=Labels(tuple("0123456789abcdefghijklmnopqrstuvwxyz"))),
        model=StrokesBLSTM(vocabulary_size=37),
        task=CTC(error_rate="cer"),
        decoder=CTCSearch(),
        optimizer=AdamW(learning_rate=2e-3, warmup_epochs=2, weight_decay=1e-2),
        # Of the 15 pages of the train split one is dev.
        training=GradientDescent(epochs=30, batch_size=32, patience=30, dev_fraction=0.06),
    )
