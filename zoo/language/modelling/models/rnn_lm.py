"""A simple recurrent language model of sigmoid units: predict each token from all before it.

Mikolov, Karafiat, Burget, Cernocky & Khudanpur, "Recurrent neural network based language model" (2010).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import Published, register
from zoo.common.core.settings import training_only
from zoo.common.core.states import STEP, StateSpec, as_outputs
from zoo.common.decoding.decoders import Generation
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.tasks.language_modelling import LanguageModelling
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.language.modelling.corpora.ptb import PTB
from zoo.language.modelling.data import RunningText

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RNNLanguageModel(KerasModel):
    """Arguments of the model.

    Args:
        vocabulary_size: number of tokens.
        embedding_size: size of the embedding of a token, in the input and in the softmax.
        hidden_size: number of units of the recurrent layer.
        dropout: share of the features of the embedding and of the hidden layer that are dropped for a
            sequence, the same ones at every step (Gal & Ghahramani 2016).
    """

    vocabulary_size: int
    embedding_size: int = 128
    hidden_size: int = 300
    dropout: float = training_only(0.0)

    def __post_init__(self):
        for name in ("vocabulary_size", "embedding_size", "hidden_size"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.dropout", self.dropout, at_least=0, below=1)

    def build(self) -> keras.Model:
        return build_rnn_lm(self)

    def graphs(self, model: keras.Model) -> dict[str, keras.Model]:
        """Return the graph `step`, which maps any number of tokens and the state to the next state."""
        return {STEP: model}

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """The output of the recurrent layer."""
        return (StateSpec("s", (self.hidden_size,)),)


# Functional model ---------------------------------------------------------------------------------


def build_rnn_lm(config: RNNLanguageModel) -> keras.Model:
    """Return the functional model, from tokens and state to logits and the next state.

    s(t) = sigmoid(U w(t) + W s(t-1) + b)
    logits(t) = V s(t) + d, whose softmax is y(t)

    w(t) is the one-hot vector of the token at position t. In the paper, U and V are free matrices of
    vocabulary size times hidden size, and there are no b and d. Here they share the matrix of embeddings
    C (Press & Wolf 2017), with V = C P and U = K C^T. This takes a third of the weights and overfits
    less.

    Args:
        config: the arguments of the model.

    Returns:
        A model with the inputs `tokens` int32 [batch, time] and `s` float32 [batch, hidden_size], zeros
        at the start of a text; and the outputs `logits` float32 [batch, time, vocabulary_size] of the
        token after each position, and `next_s`.
    """
    import keras
    from keras import layers

    from zoo.common.layers import recurrent

    tokens = keras.Input((None,), name="tokens", dtype="int32")
    state = keras.Input((config.hidden_size,), name="s")
    embedding = layers.ReversibleEmbedding(
        config.vocabulary_size,
        config.embedding_size,
        reverse_dtype=keras.config.dtype_policy().compute_dtype,
        name="embedding",
    )
    x = layers.SpatialDropout1D(config.dropout, name="dropout_embedding")(embedding(tokens))
    x, following = recurrent.SimpleRNN(
        config.hidden_size,
        activation="sigmoid",
        return_sequences=True,
        return_state=True,
        name="rnn",
    )(x, initial_state=state)
    x = layers.SpatialDropout1D(config.dropout, name="dropout_hidden")(x)
    x = layers.Dense(config.embedding_size, name="projection")(x)
    logits = layers.Identity(dtype="float32", name="logits")(embedding(x, reverse=True))
    following = layers.Identity(dtype="float32", name="next_s")(following)
    return keras.Model(
        {"tokens": tokens, "s": state},
        {"logits": logits, **as_outputs({"s": following})},
        name="rnn_lm",
    )


# Recipes ------------------------------------------------------------------------------------------


@register(
    "language/rnn-ptb",
    paper="Mikolov, Karafiat, Burget, Cernocky & Khudanpur 2010",
    corpus=PTB,
    metric="perplexity",
    published=Published("perplexity", 124.7, "Mikolov & Zweig 2012"),
)
def rnn_ptb(name: str) -> Recipe:
    """One recurrent layer of sigmoid units predicts the next word of newspaper English.

    Use it for comparison with the 5-gram and the feed-forward model, which read a fixed number of
    words, and with the LSTM, whose gates keep a word for longer. Interpolated with the 5-gram model
    (`zoo mix`) it is better than either.

    The vocabulary is the 10,000 words of the Penn Treebank; every other word is `<unk>`. Perplexity
    counts every word and the end of every line, with the state carried over the whole text.
    """
    return Recipe(
        name=name,
        data=RunningText(tokenization="word", time_steps=20),
        model=RNNLanguageModel(vocabulary_size=10_000, dropout=0.2),
        task=LanguageModelling(monitor="perplexity"),
        decoder=Generation(length=50),
        optimizer=AdamW(learning_rate=2e-3, warmup_epochs=0.5, weight_decay=2e-2),
        training=GradientDescent(epochs=16, batch_size=32, patience=16),
    )
