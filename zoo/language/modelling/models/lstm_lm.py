"""An embedding, LSTM layers and a softmax over the vocabulary: the next token from all before it.

Mikolov et al., "Recurrent neural network based language model" (2010); Zaremba, Sutskever & Vinyals,
"Recurrent neural network regularization" (2014); Merity, Keskar & Socher, "Regularizing and optimizing
LSTM language models" (2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.core.states import StateSpec, as_outputs
from zoo.common.decoding.decoders import Generation
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.tasks.language_modelling import STEP, LanguageModelling
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.language.modelling.corpora.ptb import PTB
from zoo.language.modelling.corpora.tinyshakespeare import SHAKESPEARE
from zoo.language.modelling.data import RunningText

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LSTMLanguageModel(KerasModel):
    """Arguments of the model.

    vocabulary_size: int. Tokens it reads and predicts.
    embedding_size: int. Numbers that stand for a token.
    hidden_size: int. Units of each LSTM layer.
    layers: int. LSTM layers, one upon another.
    tied: bool. Whether the softmax uses the embedding's matrix (Press & Wolf 2017; Inan et al. 2017),
        with a projection in between where the sizes differ.
    dropout: float. Share of the features that each layer does not see of a sequence, the same ones at
        every step (Gal & Ghahramani 2016).
    recurrent_dropout: float. The same for what an LSTM layer sees of its own last output.
    weight_drop: float. Share of the weights between a layer's last output and its gates that are 0 in a
        training step (Merity, Keskar & Socher 2018).
    word_dropout: float. Share of the tokens of the vocabulary whose embedding is 0 in a training step,
        wherever they stand (Gal & Ghahramani 2016, there the embedding dropout).
    """

    vocabulary_size: int
    embedding_size: int = 200
    hidden_size: int = 200
    layers: int = 2
    tied: bool = True
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    weight_drop: float = 0.0
    word_dropout: float = 0.0

    def __post_init__(self):
        for name in ("vocabulary_size", "embedding_size", "hidden_size", "layers"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        for name in ("dropout", "recurrent_dropout", "weight_drop", "word_dropout"):
            check_range(f"model.{name}", getattr(self, name), at_least=0, below=1)

    def build(self) -> keras.Model:
        """See `build_lstm_lm`."""
        return build_lstm_lm(self)

    def graphs(self, model: keras.Model) -> dict[str, keras.Model]:
        """`step`: any number of tokens, from the states before them to those after."""
        return {STEP: model}

    def training_model(self, model: keras.Model) -> keras.Model:
        """See `KerasModel.training_model`: with whole tokens dropped, which the model's file has not."""
        return with_word_dropout(model, self.word_dropout) if self.word_dropout else model

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """The output `h<i>` and the cell `c<i>` of each LSTM layer."""
        names = [f"{name}{i}" for i in range(self.layers) for name in "hc"]
        return tuple(StateSpec(name, (self.hidden_size,)) for name in names)


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

    from zoo.common.layers import recurrent

    tokens = keras.Input((None,), name="tokens", dtype="int32")
    states = {
        spec.name: keras.Input(spec.shape, name=spec.name, dtype=spec.dtype)
        for spec in config.states
    }
    embedding = layers.ReversibleEmbedding(
        config.vocabulary_size,
        config.embedding_size,
        tie_weights=config.tied,
        reverse_dtype=keras.config.dtype_policy().compute_dtype,
        name="embedding",
    )
    x = layers.SpatialDropout1D(config.dropout, name="dropout_embedding")(embedding(tokens))
    next_states = {}
    for i in range(config.layers):
        lstm = recurrent.LSTM(
            config.hidden_size,
            return_sequences=True,
            return_state=True,
            recurrent_dropout=config.recurrent_dropout,
            weight_drop=config.weight_drop,
            name=f"lstm{i}",
        )
        x, h, c = lstm(x, initial_state=[states[f"h{i}"], states[f"c{i}"]])
        x = layers.SpatialDropout1D(config.dropout, name=f"dropout{i}")(x)
        next_states |= {f"h{i}": h, f"c{i}": c}
    if config.hidden_size != config.embedding_size:
        x = layers.Dense(config.embedding_size, name="projection")(x)
    outputs = {"logits": embedding(x, reverse=True), **as_outputs(next_states)}
    outputs = {
        name: layers.Identity(dtype="float32", name=name)(output)
        for name, output in outputs.items()
    }
    return keras.Model({"tokens": tokens, **states}, outputs, name="lstm_lm")


def with_word_dropout(model: keras.Model, rate: float) -> keras.Model:
    """Return the model of `build_lstm_lm`, on the same weights, that drops whole tokens in training."""
    import keras

    from zoo.language.modelling.word_dropout import WordDropout

    embedding = model.get_layer("embedding")
    word_dropout = WordDropout(embedding.input_dim, rate)

    def call(layer, *inputs, **arguments):
        outputs = layer(*inputs, **arguments)
        reads = layer is embedding and not arguments.get("reverse")
        return word_dropout(outputs, *inputs) if reads else outputs

    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)


# Recipes ------------------------------------------------------------------------------------------

PAPER = "Zaremba, Sutskever & Vinyals 2014; Gal & Ghahramani 2016; Press & Wolf 2017"


@register("language/lstm-small-ptb", paper=PAPER, corpus=PTB, metric="perplexity")
def lstm_small_ptb(name: str) -> Recipe:
    """Two LSTM layers of 200 units predict the next word of newspaper English.

    To score sentences of the Wall Street Journal's kind: lower case, no punctuation, numbers as N, the
    10,000 words of the Penn Treebank; every other word is `<unk>`. A baseline of Zaremba et al.'s small
    size, with a softmax tied to the embedding and dropout that stays the same over time.

    It is small and was trained on one newspaper of 1989: what it writes is grammatical for a few words
    and has no meaning. Names and opinions in it are those of its corpus. Perplexity counts every word
    and every line's end, with the state carried over the whole text.
    """
    return Recipe(
        name=name,
        data=RunningText(tokenization="word", time_steps=35),
        model=LSTMLanguageModel(vocabulary_size=10_000, dropout=0.2, recurrent_dropout=0.1),
        task=LanguageModelling(metric="perplexity"),
        decoder=Generation(length=50),
        optimizer=AdamW(learning_rate=3e-3, warmup_epochs=0.5, weight_decay=1e-3),
        training=GradientDescent(epochs=20, batch_size=20, patience=20),
    )


@register(
    "language/lstm-medium-ptb",
    paper="Merity, Keskar & Socher 2018; Zaremba, Sutskever & Vinyals 2014; Press & Wolf 2017",
    corpus=PTB,
    metric="perplexity",
)
def lstm_medium_ptb(name: str) -> Recipe:
    """Two LSTM layers of 650 units predict the next word of newspaper English.

    To score sentences of the Wall Street Journal's kind: lower case, no punctuation, numbers as N, the
    10,000 words of the Penn Treebank; every other word is `<unk>`. It has Zaremba et al.'s medium size,
    a softmax tied to the embedding, and dropout of weights, of features and of whole words.

    It was trained on one newspaper of 1989: what it writes is grammatical for a sentence and has no
    meaning. Names and opinions in it are those of its corpus. Perplexity counts every word and every
    line's end, with the state carried over the whole text.
    """
    return Recipe(
        name=name,
        data=RunningText(tokenization="word", time_steps=35),
        model=LSTMLanguageModel(
            vocabulary_size=10_000,
            embedding_size=400,
            hidden_size=650,
            dropout=0.4,
            weight_drop=0.3,
            word_dropout=0.1,
        ),
        task=LanguageModelling(metric="perplexity"),
        decoder=Generation(length=50),
        optimizer=AdamW(learning_rate=2e-3, warmup_epochs=0.5, weight_decay=1e-2),
        # A step takes 0.82 times the processor time of one of 2 x 650 with an embedding of 650 and no
        # weight drop, which is 374 ms on two quiet cores: 1327 steps are 6.8 minutes, and 16 epochs with
        # their measurements on dev about 115. The shipped weights are of 7 epochs and, by `--resume
        # --set training.epochs=14`, 7 more, both in mixed_bfloat16.
        training=GradientDescent(epochs=16, batch_size=20, patience=16),
    )


@register("language/charlstm-shakespeare", paper=PAPER, corpus=SHAKESPEARE, metric="nats_per_char")
def charlstm_shakespeare(name: str) -> Recipe:
    """Two LSTM layers write in the manner of Shakespeare's plays, a character at a time.

    For demonstrations, for teaching, and to start from (`--init`) for another text. It spells, follows
    the layout of a play, uses the names of its speakers, and keeps one style for a line or two.

    It was trained on a million characters of the plays and nothing else: what it writes has no meaning,
    and characters outside the 65 of its alphabet are refused. Figures are measured with the state
    carried over the whole text.
    """
    # The shipped weights went through two schedules: 16 epochs at a dropout of 0.15, a learning rate of
    # 3e-3 and a weight decay of 1e-3, and then, by `--init`, this one.
    return Recipe(
        name=name,
        data=RunningText(tokenization="character", time_steps=64),
        model=LSTMLanguageModel(
            vocabulary_size=65,
            embedding_size=64,
            hidden_size=384,
            tied=False,
            dropout=0.25,
        ),
        task=LanguageModelling(metric="nats_per_char"),
        decoder=Generation(length=400),
        optimizer=AdamW(learning_rate=2.5e-3, warmup_epochs=0.5, weight_decay=1e-2),
        training=GradientDescent(epochs=18, batch_size=32, patience=18, dev_fraction=0.05),
    )
