"""Bidirectional LSTM layers over pen strokes, with CTC.

Graves, Liwicki, Fernandez, Bertolami, Bunke and Schmidhuber, "A novel connectionist system for
unconstrained handwriting recognition" (2009). A convolution below the layers reduces the number of
time steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.core.settings import training_only
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
    """Config of `build_strokes_blstm`.

    Args:
        vocabulary_size: size of the output, including the blank.
        layers: number of bidirectional layers.
        hidden_size: number of units of each direction.
        conv_filters: number of filters of the convolution below the layers.
        subsampling_factor: number of points per frame of the layers and of the logits.
        dropout: fraction of the inputs of each layer dropped in training.
    """

    vocabulary_size: int
    layers: int = 2
    hidden_size: int = 128
    conv_filters: int = 64
    subsampling_factor: int = 2
    dropout: float = training_only(0.3)

    def __post_init__(self):
        for name in ("layers", "hidden_size", "conv_filters", "subsampling_factor"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.vocabulary_size", self.vocabulary_size, at_least=2)
        check_range("model.dropout", self.dropout, at_least=0, below=1)

    def build(self) -> keras.Model:
        return build_strokes_blstm(self)

    def frames(self, points: int) -> int:
        """Return the number of frames of the logits for a number of points."""
        return (points - 1) // self.subsampling_factor + 1


# Functional model ---------------------------------------------------------------------------------


def build_strokes_blstm(config: StrokesBLSTM) -> keras.Model:
    """Build the functional model, from points to logits.

    Args:
        config: the config.

    Returns:
        A model with the inputs `strokes` float32 [batch, points, features], see
        `zoo.vision_language.handwriting.stroke_features`, and `lengths` int32 [batch], the number
        of points before padding; and with the outputs `logits` float32 [batch, frames, vocabulary_size],
        unnormalized, and `logit_lengths` int32 [batch]. Padding has no effect on the frames of a word.
    """
    import keras
    from keras import layers, ops

    from zoo.common.layers import recurrent
    from zoo.common.layers.masks import frame_mask

    strokes = keras.Input((None, len(FEATURES)), name="strokes", dtype="float32")
    lengths = keras.Input((), name="lengths", dtype="int32")

    # Explicit padding: the offset of "same" padding would depend on the length of the batch.
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
    """Two bidirectional LSTM layers recognize one handwritten word from the strokes of a pen.

    For single English words in lower case and numbers, written with a pen whose path is recorded. The
    input is an InkML file, or a JSON file with `points` [[x, y, pen_up], ...] or `strokes`
    [[[x, y], ...], ...], where y grows downwards. The size of the writing and the speed of the pen have
    no effect.

    The corpus and its test split are by one writer. Expect more errors with another writer, and train on
    words of that writer (`--init`, `--manifest`). Lines of several words, capitals and punctuation were
    not in the training data. There is no language model; `--lexicon FILE` limits the answers to the
    words of a list.
    """
    return Recipe(
        name=name,
        data=PenStrokes(labels=Labels(tuple("0123456789abcdefghijklmnopqrstuvwxyz"))),
        model=StrokesBLSTM(vocabulary_size=37),
        task=CTC(monitor="cer"),
        decoder=CTCSearch(),
        optimizer=AdamW(learning_rate=2e-3, warmup_epochs=2, weight_decay=1e-2),
        # One of the 15 pages of the train split is dev.
        training=GradientDescent(epochs=30, batch_size=32, patience=30, dev_fraction=0.06),
    )
