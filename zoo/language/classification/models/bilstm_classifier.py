"""A bidirectional LSTM that classifies texts: word embeddings, LSTM layers and a softmax.

Schuster & Paliwal, "Bidirectional recurrent neural networks" (1997); Tai, Socher & Manning, "Improved
semantic representations from tree-structured long short-term memory networks" (2015), which uses it as
a baseline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import Published, register
from zoo.common.core.settings import training_only
from zoo.common.data.labels import Labels
from zoo.common.decoding.decoders import Classes
from zoo.common.tasks.classification import Classification
from zoo.common.training.optimizers import AdamW
from zoo.common.training.text_encoder import TextEncoder
from zoo.common.training.trainers import GradientDescent
from zoo.language.classification.corpora.sst2 import CLASSES, SST2
from zoo.language.classification.data import LabelledText

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BiLSTMClassifier(TextEncoder):
    """Arguments of the model.

    Args:
        vocabulary_size: number of words.
        num_classes: number of classes.
        embedding_size: size of the embedding of a word.
        hidden_size: number of units of each direction.
        layers: number of layers.
        bidirectional: whether the text is read from right to left too.
        pooling: whether the class is predicted from the mean and the maximum of the outputs too (Howard
            & Ruder 2018), not only from the last ones.
        dropout: share of the inputs of each layer that is dropped in training.
    """

    vocabulary_size: int
    num_classes: int = 2
    embedding_size: int = 100
    hidden_size: int = 128
    layers: int = 1
    bidirectional: bool = True
    pooling: bool = False
    dropout: float = training_only(0.5)

    def __post_init__(self):
        for name in ("vocabulary_size", "embedding_size", "hidden_size", "layers"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.num_classes", self.num_classes, at_least=2)
        check_range("model.dropout", self.dropout, at_least=0, below=1)

    def build(self) -> keras.Model:
        return build_bilstm_classifier(self)

    def encoder(self, model: keras.Model) -> list[keras.layers.Layer]:
        read = [model.get_layer(f"lstm{i}") for i in range(self.layers)]
        if self.bidirectional:
            read = [layer.forward_layer for layer in read]
        return [model.get_layer("embedding"), *read]


# Functional model ---------------------------------------------------------------------------------


def build_bilstm_classifier(config: BiLSTMClassifier) -> keras.Model:
    """Return the functional model, from words to logits.

    The class is predicted from the last output of each direction, which depends on the whole text, and
    with `pooling` from the mean and the maximum over time of all outputs.

    Args:
        config: the arguments of the model.

    Returns:
        A model with the inputs `tokens` int32 [batch, time] and `lengths` int32 [batch], at least 1; and
        the output `logits` float32 [batch, num_classes]. Padding has no effect.
    """
    import keras
    from keras import layers

    from zoo.common.layers import recurrent
    from zoo.common.layers.masks import frame_mask
    from zoo.common.layers.pooling import mean_and_maximum, output_at_end

    tokens = keras.Input((None,), name="tokens", dtype="int32")
    lengths = keras.Input((), name="lengths", dtype="int32")
    x = layers.Embedding(config.vocabulary_size, config.embedding_size, name="embedding")(tokens)
    inside = frame_mask(x, lengths)
    for i in range(config.layers):
        x = layers.Dropout(config.dropout, name=f"dropout{i}")(x)
        every = config.pooling or i < config.layers - 1
        lstm = recurrent.LSTM(config.hidden_size, return_sequences=every, name=f"lstm{i}")
        if config.bidirectional:
            lstm = recurrent.Bidirectional(lstm, name=f"lstm{i}")
        x = lstm(x, mask=inside)
    if config.pooling:
        ends = [output_at_end(x[:, :, : config.hidden_size], inside)]
        ends += [x[:, 0, config.hidden_size :]] if config.bidirectional else []
        x = layers.Concatenate(name="pooled")([*ends, mean_and_maximum(x, inside)])
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
    published=Published("accuracy", 0.875, "Tai, Socher & Manning 2015, with GloVe vectors"),
)
def bilstm_sst2(name: str) -> Recipe:
    """A bidirectional LSTM classifies sentences of film reviews as "negative" or "positive".

    Use it for single English sentences about films. A text needs no preparation: it is converted to
    lower case and split into words and punctuation marks, like the corpus.

    `zoo baseline language/bilstm-sst2` fits a linear model that is better. The likely cause is that the
    network learns its word vectors from 6,920 sentences only, and has seen no other text: a word that is
    not in them is unknown. There is no third class: a sentence without an opinion gets one of the two.
    It was not evaluated on texts about other subjects.
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
