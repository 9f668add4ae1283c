"""Word embeddings, a bidirectional LSTM and a softmax: one class for a text, many to one.

Schuster & Paliwal, "Bidirectional recurrent neural networks" (1997); Tai, Socher & Manning, "Improved
semantic representations from tree-structured long short-term memory networks" (2015), for which it is
the baseline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.data.labels import Labels
from zoo.common.decoding.decoders import Classes
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.tasks.classification import Classification
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.language.classification.corpora.sst2 import CLASSES, SST2
from zoo.language.classification.data import LabelledText

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BiLSTMClassifier(KerasModel):
    """Arguments of the model.

    vocabulary_size: int. Words it reads.
    num_classes: int. Classes it answers with.
    embedding_size: int. Numbers that stand for a word.
    hidden_size: int. Units of each direction.
    layers: int. Bidirectional layers, one upon another.
    dropout: float. Share of the inputs of each layer that is dropped in training.
    """

    vocabulary_size: int
    num_classes: int = 2
    embedding_size: int = 100
    hidden_size: int = 128
    layers: int = 1
    dropout: float = 0.5

    def __post_init__(self):
        for name in ("vocabulary_size", "embedding_size", "hidden_size", "layers"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.num_classes", self.num_classes, at_least=2)
        check_range("model.dropout", self.dropout, at_least=0, below=1)

    def build(self) -> keras.Model:
        """See `build_bilstm_classifier`."""
        return build_bilstm_classifier(self)


# Functional model ---------------------------------------------------------------------------------


def build_bilstm_classifier(config: BiLSTMClassifier) -> keras.Model:
    """Build the functional model, words in and logits out.

    The text is read in both directions; the last output of each, which has seen all of it, tells the
    class.

    Args:
        config: its arguments.

    Returns:
        A model with the inputs `tokens` int32 [batch, time] and `lengths` int32 [batch], at least 1.
        What stands behind a row's length has no effect. Its output is `logits` float32 [batch,
        num_classes], unnormalised.
    """
    import keras
    from keras import layers

    from zoo.common.layers import recurrent
    from zoo.common.layers.masks import frame_mask

    tokens = keras.Input((None,), name="tokens", dtype="int32")
    lengths = keras.Input((), name="lengths", dtype="int32")
    x = layers.Embedding(config.vocabulary_size, config.embedding_size, name="embedding")(tokens)
    inside = frame_mask(x, lengths)
    for i in range(config.layers):
        x = layers.Dropout(config.dropout, name=f"dropout{i}")(x)
        lstm = recurrent.LSTM(config.hidden_size, return_sequences=i < config.layers - 1)
        x = recurrent.Bidirectional(lstm, name=f"lstm{i}")(x, mask=inside)
    x = layers.Dropout(config.dropout, name="dropout_top")(x)
    logits = layers.Dense(config.num_classes, dtype="float32", name="logits")(x)
    inputs = {"tokens": tokens, "lengths": lengths}
    return keras.Model(inputs, {"logits": logits}, name="bilstm_classifier")


# Recipes ------------------------------------------------------------------------------------------


@register(
    "language/bilstm-sst2",
    paper="Schuster & Paliwal 1997; Tai, Socher & Manning 2015",
    corpus=SST2,
    metric="accuracy",
)
def bilstm_sst2(name: str) -> Recipe:
    """A bidirectional LSTM tells whether a sentence of a film review is for the film or against it.

    For single English sentences about films, "negative" or "positive". A text may be given as it is
    written: it is put into lower case and cut into words and marks, as the corpus is.

    It was trained on 6,920 sentences and no other text: of a word that is not in them it knows nothing.
    There is no third class: a sentence without an opinion gets one of the two, and texts about anything
    but films were not measured.
    """
    return Recipe(
        name=name,
        data=LabelledText(
            labels=Labels(tuple(CLASSES.values()), "class"), min_count=2, word_dropout=0.2
        ),
        model=BiLSTMClassifier(vocabulary_size=7_751),
        task=Classification(),
        decoder=Classes(),
        optimizer=AdamW(learning_rate=1e-3, warmup_epochs=0.5, weight_decay=1e-2),
        training=GradientDescent(epochs=5, batch_size=32),
    )
