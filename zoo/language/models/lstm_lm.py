"""An embedding, LSTM layers and a softmax over the vocabulary: the next token from all before it.

Mikolov et al., "Recurrent neural network based language model" (2010); Zaremba, Sutskever & Vinyals,
"Recurrent neural network regularization" (2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.errors import ZooError
from zoo.common.recipe import ModelConfig, OptimizerConfig, Recipe, TrainingConfig
from zoo.common.registry import register
from zoo.language.corpora import PTB, SHAKESPEARE
from zoo.language.task import LanguageModelling

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LSTMLanguageModel(ModelConfig):
    """Arguments of the model.

    vocabulary_size: int. Tokens it reads and predicts.
    embedding_size: int. Numbers that stand for a token.
    hidden_size: int. Units of each LSTM layer.
    layers: int. LSTM layers, one upon another.
    tied: bool. Whether the softmax has the embedding's matrix for its own (Press & Wolf 2017; Inan
        et al. 2017), with a projection in between where the sizes differ.
    dropout: float. Share of the features that each layer does not see of a sequence, the same ones at
        every step (Gal & Ghahramani 2016).
    recurrent_dropout: float. The same for what an LSTM layer sees of its own last output.
    """

    vocabulary_size: int
    embedding_size: int = 200
    hidden_size: int = 200
    layers: int = 2
    tied: bool = True
    dropout: float = 0.0
    recurrent_dropout: float = 0.0

    def __post_init__(self):
        for name in ("vocabulary_size", "embedding_size", "hidden_size", "layers"):
            if getattr(self, name) < 1:
                raise ZooError(f"model.{name} is at least 1. Received: {getattr(self, name)}.")
        for name in ("dropout", "recurrent_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ZooError(f"model.{name} lies in [0, 1). Received: {getattr(self, name)}.")

    def build(self) -> keras.Model:
        """See `build_lstm_lm`."""
        return build_lstm_lm(self)

    def states(self) -> dict[str, int]:
        """The size of each state, by the name of its input."""
        return {f"{name}{i}": self.hidden_size for i in range(self.layers) for name in "hc"}


# Functional model ---------------------------------------------------------------------------------


def build_lstm_lm(config: LSTMLanguageModel) -> keras.Model:
    """The functional model, tokens and states in, logits and states out.

    Inputs: `tokens` int32 [batch, time]; for each LSTM layer i its states `h<i>` and `c<i>` float32
    [batch, hidden_size], zeros where a text begins.
    Outputs: `logits` float32 [batch, time, vocabulary_size], unnormalised, of the token after each;
    `next_h<i>` and `next_c<i>`, the states to go on from. There is no mask: what stands behind a row's
    end has no effect on what stands before, but on its states.
    """
    import keras
    from keras import layers

    from zoo.common import recurrent

    tokens = keras.Input((None,), name="tokens", dtype="int32")
    embedding = layers.ReversibleEmbedding(
        config.vocabulary_size,
        config.embedding_size,
        tie_weights=config.tied,
        reverse_dtype="float32",
        name="embedding",
    )
    inputs, outputs = {"tokens": tokens}, {}
    x = layers.SpatialDropout1D(config.dropout, name="dropout_embedding")(embedding(tokens))
    for i in range(config.layers):
        states = {
            name: keras.Input((config.hidden_size,), name=name) for name in (f"h{i}", f"c{i}")
        }
        x, *next_states = recurrent.LSTM(
            config.hidden_size,
            return_sequences=True,
            return_state=True,
            recurrent_dropout=config.recurrent_dropout,
            name=f"lstm{i}",
        )(x, initial_state=list(states.values()))
        x = layers.SpatialDropout1D(config.dropout, name=f"dropout{i}")(x)
        inputs |= states
        for name, state in zip(states, next_states, strict=True):
            outputs[f"next_{name}"] = layers.Identity(dtype="float32", name=f"next_{name}")(state)
    if config.hidden_size != config.embedding_size:
        x = layers.Dense(config.embedding_size, name="projection")(x)
    logits = embedding(x, reverse=True)
    outputs["logits"] = layers.Identity(dtype="float32", name="logits")(logits)
    return keras.Model(inputs, outputs, name="lstm_lm")


# Recipes ------------------------------------------------------------------------------------------

PAPER = "Zaremba, Sutskever & Vinyals 2014; Gal & Ghahramani 2016; Press & Wolf 2017"


@register("language/lstm-small-ptb", paper=PAPER, corpus=PTB, metric="perplexity")
def lstm_small_ptb(name: str) -> Recipe:
    """Two LSTM layers of 200 units predict the next word of newspaper English.

    To score sentences of the Wall Street Journal's kind: lower case, no punctuation, numbers as N, the
    10,000 words of the Penn Treebank; every other word is `<unk>`. A baseline of Zaremba et al.'s small
    size, with a softmax tied to the embedding and dropout that stays the same over time.

    It is small and knows one newspaper of 1989: what it writes is grammatical for a few words, and means
    nothing. Names and opinions in it are those of its corpus. Perplexity counts every word and every
    line's end, with the state carried over the whole text.
    """
    return Recipe(
        name=name,
        model=LSTMLanguageModel(vocabulary_size=10_000, dropout=0.2, recurrent_dropout=0.1),
        task=LanguageModelling(level="word", time_steps=35, length=50),
        optimizer=OptimizerConfig(learning_rate=3e-3, warmup_epochs=0.5, weight_decay=1e-3),
        training=TrainingConfig(epochs=20, batch_size=20, patience=20),
    )


@register("language/charlstm-shakespeare", paper=PAPER, corpus=SHAKESPEARE, metric="nats_per_char")
def charlstm_shakespeare(name: str) -> Recipe:
    """Two LSTM layers write in the manner of Shakespeare's plays, a character at a time.

    To play with, to teach with, and to start from (`--init`) for a text of one's own. It spells, knows
    the layout of a play and who speaks in it, and keeps to a manner of speaking for a line or two.

    It has read a million characters of the plays and nothing else: what it says has no meaning, and
    characters outside the 65 of its alphabet are refused. Figures are measured with the state carried
    over the whole text.
    """
    # The shipped weights went through two schedules: 16 epochs at a dropout of 0.15, a learning rate of
    # 3e-3 and a weight decay of 1e-3, and then, by `--init`, this one.
    return Recipe(
        name=name,
        model=LSTMLanguageModel(
            vocabulary_size=65,
            embedding_size=64,
            hidden_size=384,
            tied=False,
            dropout=0.25,
        ),
        task=LanguageModelling(level="character", time_steps=64, length=400),
        optimizer=OptimizerConfig(learning_rate=2.5e-3, warmup_epochs=0.5, weight_decay=1e-2),
        training=TrainingConfig(epochs=18, batch_size=32, patience=18, dev_fraction=0.05),
    )
