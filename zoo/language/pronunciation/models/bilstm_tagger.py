"""A bidirectional LSTM with a softmax at each step: one answer per letter.

Graves & Schmidhuber, "Framewise phoneme classification with bidirectional LSTM and other neural network
architectures" (2005).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.core.settings import training_only
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.language.pronunciation.corpora.an4_words import AN4_WORDS
from zoo.language.pronunciation.data import LETTERS, Spelling
from zoo.language.pronunciation.task import Pronouncing

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BiLSTMTagger(KerasModel):
    """Arguments of the model.

    Args:
        num_classes: number of classes of a step.
        embedding_size: size of the vector of a letter.
        hidden_size: number of units of each direction.
        dropout: dropout rate of the inputs of the LSTM and of the softmax.
    """

    num_classes: int
    embedding_size: int = 16
    hidden_size: int = 32
    dropout: float = training_only(0.3)

    def __post_init__(self):
        for name in ("embedding_size", "hidden_size"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.num_classes", self.num_classes, at_least=2)
        check_range("model.dropout", self.dropout, at_least=0, below=1)

    def build(self) -> keras.Model:
        return build_bilstm_tagger(self)


# Functional model ---------------------------------------------------------------------------------


def build_bilstm_tagger(config: BiLSTMTagger) -> keras.Model:
    """Return the functional model.

    The answer to a letter depends on all letters before it and after it.

    Args:
        config: arguments of the model.

    Returns:
        A model with the inputs `letters` int32 [batch, time] and `lengths` int32 [batch], at least 1.
        Letters after a row's length have no effect. Its outputs are `logits` float32 [batch, time,
        num_classes], unnormalized, and `logit_lengths` int32 [batch].
    """
    import keras
    from keras import layers

    from zoo.common.layers import recurrent
    from zoo.common.layers.masks import frame_mask

    letters = keras.Input((None,), name="letters", dtype="int32")
    lengths = keras.Input((), name="lengths", dtype="int32")
    x = layers.Embedding(len(LETTERS) + 1, config.embedding_size, name="embedding")(letters)
    inside = frame_mask(x, lengths)
    x = layers.Dropout(config.dropout, name="dropout")(x)
    lstm = recurrent.LSTM(config.hidden_size, return_sequences=True)
    x = recurrent.Bidirectional(lstm, name="lstm")(x, mask=inside)
    x = layers.Dropout(config.dropout, name="dropout_top")(x)
    logits = layers.Dense(config.num_classes, dtype="float32", name="logits")(x)
    counted = layers.Identity(dtype="int32", name="logit_lengths")(lengths)
    inputs = {"letters": letters, "lengths": lengths}
    outputs = {"logits": logits, "logit_lengths": counted}
    return keras.Model(inputs, outputs, name="bilstm_tagger")


# Recipes ------------------------------------------------------------------------------------------


@register(
    "language/bilstm-tagger-an4",
    paper="Graves & Schmidhuber 2005; Black, Lenzo & Pagel 1998 (alignment)",
    corpus=AN4_WORDS,
    metric="accuracy",
)
def bilstm_tagger_an4(name: str) -> Recipe:
    """A bidirectional LSTM finds the phonemes of each letter of an English word.

    It is an example of a many-to-many model with one answer per input: the answer to each letter depends
    on all letters. The words are those of AN4's dictionary: months, numbers and commands. The dictionary
    does not align letters and phonemes; expectation maximization over the train words aligned them.

    `accuracy` is measured on the letters of words that were not trained on, and `per` on their phonemes,
    with the nearest of a word's pronunciations as reference. The model is an example and does not
    replace a pronouncing dictionary: it was trained on some fifty words, and test words such as EIGHTY
    are similar to them. Most phonemes of other kinds of words are wrong.
    """
    return Recipe(
        name=name,
        data=Spelling(),
        model=BiLSTMTagger(num_classes=40),
        task=Pronouncing(),
        optimizer=AdamW(learning_rate=5e-3, warmup_epochs=2, weight_decay=1e-2),
        training=GradientDescent(epochs=60, batch_size=8, patience=60, dev_fraction=0.15),
    )
