"""A feed-forward language model: predict the next token from a fixed number of preceding tokens.

Bengio, Ducharme, Vincent & Jauvin, "A neural probabilistic language model" (2003).
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
from zoo.language.tokenization import START_INDEX

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FeedForwardLanguageModel(KerasModel):
    """Arguments of the model.

    Args:
        vocabulary_size: number of tokens.
        context: number of tokens from which the next token is predicted.
        embedding_size: size of the embedding of a token, in the context and in the softmax.
        hidden_size: number of units of the tanh layer.
        embedding_dropout: share of the embedding features that are set to 0 in a training step, the same
            ones for all tokens of a sequence.
        dropout: share of the hidden units that are set to 0 in a training step, drawn for each token.
    """

    vocabulary_size: int
    context: int = 5
    embedding_size: int = 128
    hidden_size: int = 512
    embedding_dropout: float = training_only(0.0)
    dropout: float = training_only(0.0)

    def __post_init__(self):
        for name in ("vocabulary_size", "embedding_size", "hidden_size"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.context", self.context, at_least=2, at_most=100)
        for name in ("embedding_dropout", "dropout"):
            check_range(f"model.{name}", getattr(self, name), at_least=0, below=1)

    def build(self) -> keras.Model:
        return build_feedforward_lm(self)

    def graphs(self, model: keras.Model) -> dict[str, keras.Model]:
        """Return the graph `step`, which maps any number of tokens and the history to the next one."""
        return {STEP: model}

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """The last `context - 1` tokens that the model read."""
        return (StateSpec("history", (self.context - 1,), "int32", initial=START_INDEX),)


# Functional model ---------------------------------------------------------------------------------


def build_feedforward_lm(config: FeedForwardLanguageModel) -> keras.Model:
    """Return the functional model, from tokens and history to logits and the next history.

    With the matrix of embeddings C, k = `context` and the token w(t) at position t:

    h(t) = tanh(b + H_1 C(w(t)) + H_2 C(w(t-1)) + ... + H_k C(w(t-k+1)))
    logits(t) = C (P h(t) + d)

    The layer H is a convolution over time, so that all positions of a text are computed together. There
    is no direct connection from the embeddings to the logits. In the paper, the softmax has a separate
    matrix; here it uses C, after a small layer P (Press & Wolf 2017).

    Args:
        config: the arguments of the model.

    Returns:
        A model with the inputs `tokens` int32 [batch, time] and `history` int32 [batch, context - 1],
        the preceding tokens; and the outputs `logits` float32 [batch, time, vocabulary_size] of the
        token after each position, and `next_history`.
    """
    import keras
    from keras import layers, ops

    before = config.context - 1
    tokens = keras.Input((None,), name="tokens", dtype="int32")
    history = keras.Input((before,), name="history", dtype="int32")
    read = ops.concatenate([history, tokens], axis=1)
    embedding = layers.ReversibleEmbedding(
        config.vocabulary_size,
        config.embedding_size,
        reverse_dtype=keras.config.dtype_policy().compute_dtype,
        name="embedding",
    )
    x = layers.SpatialDropout1D(config.embedding_dropout, name="dropout_embedding")(embedding(read))
    x = layers.Conv1D(config.hidden_size, config.context, activation="tanh", name="hidden")(x)
    x = layers.Dropout(config.dropout, name="dropout_hidden")(x)
    x = layers.Dense(config.embedding_size, name="projection")(x)
    logits = layers.Identity(dtype="float32", name="logits")(embedding(x, reverse=True))
    following = layers.Identity(dtype="int32", name="next_history")(read[:, -before:])
    return keras.Model(
        {"tokens": tokens, "history": history},
        {"logits": logits, **as_outputs({"history": following})},
        name="feedforward_lm",
    )


# Recipes ------------------------------------------------------------------------------------------


@register(
    "language/feedforward-ptb",
    paper="Bengio, Ducharme, Vincent & Jauvin 2003",
    corpus=PTB,
    metric="perplexity",
    published=Published("perplexity", 140.2, "Mikolov et al. 2011"),
)
def feedforward_ptb(name: str) -> Recipe:
    """A network with one hidden layer predicts the next word of newspaper English from five words.

    Use it for comparison with the 5-gram model, which reads four words: the network reads one more, but
    learns which words are similar. Interpolated with the 5-gram model (`zoo mix`) it is better than
    either.

    It reads five words, across line breaks. The vocabulary is the 10,000 words of the Penn Treebank;
    every other word is `<unk>`. Perplexity counts every word and the end of every line, with the last
    words carried over the whole text.
    """
    return Recipe(
        name=name,
        data=RunningText(tokenization="word", time_steps=35),
        model=FeedForwardLanguageModel(vocabulary_size=10_000, embedding_dropout=0.1, dropout=0.3),
        task=LanguageModelling(monitor="perplexity"),
        decoder=Generation(length=50),
        optimizer=AdamW(learning_rate=2e-3, warmup_epochs=0.5, weight_decay=2e-2),
        training=GradientDescent(epochs=12, batch_size=20, patience=12),
    )
