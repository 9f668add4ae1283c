"""An LSTM language model: predict each token from all before it.

Mikolov et al., "Recurrent neural network based language model" (2010); Zaremba, Sutskever & Vinyals,
"Recurrent neural network regularization" (2014); Merity, Keskar & Socher, "Regularizing and optimizing
LSTM language models" (2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import Published, register
from zoo.common.core.settings import training_only
from zoo.common.core.states import STEP, StateSpec, as_outputs
from zoo.common.decoding.decoders import Generation
from zoo.common.tasks.language_modelling import LanguageModelling
from zoo.common.training.optimizers import AdamW
from zoo.common.training.text_encoder import TextEncoder
from zoo.common.training.trainers import GradientDescent
from zoo.language.modelling.corpora.english import ENGLISH
from zoo.language.modelling.corpora.ptb import PTB
from zoo.language.modelling.corpora.tinyshakespeare import SHAKESPEARE
from zoo.language.modelling.data import RunningText

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LSTMLanguageModel(TextEncoder):
    """Arguments of the model.

    Args:
        vocabulary_size: number of tokens.
        embedding_size: size of the embedding of a token.
        hidden_size: number of units of each LSTM layer.
        layers: number of LSTM layers.
        tied: whether the softmax uses the matrix of the embedding (Press & Wolf 2017; Inan et al. 2017),
            after a projection if the sizes differ.
        dropout: share of the input features of each layer that are dropped for a sequence, the same ones
            at every step (Gal & Ghahramani 2016).
        recurrent_dropout: the same for the recurrent input of an LSTM layer.
        weight_drop: share of the recurrent weights that are set to 0 in a training step (Merity, Keskar
            & Socher 2018).
        word_dropout: share of the tokens of the vocabulary whose embedding is set to 0 in a training
            step, at all positions (Gal & Ghahramani 2016, there called embedding dropout).
        num_sampled: number of tokens that a training step compares with its targets in a sampled softmax
            (Jean et al. 2015); 0 for all tokens. It needs `tied`.
    """

    vocabulary_size: int
    embedding_size: int = 200
    hidden_size: int = 200
    layers: int = 2
    tied: bool = True
    dropout: float = training_only(0.0)
    recurrent_dropout: float = training_only(0.0)
    weight_drop: float = training_only(0.0)
    word_dropout: float = training_only(0.0)
    num_sampled: int = training_only(0)

    def __post_init__(self):
        check_range("model.num_sampled", self.num_sampled, at_least=0)
        if self.num_sampled and not self.tied:
            raise ZooError("model.num_sampled needs model.tied.")
        for name in ("vocabulary_size", "embedding_size", "hidden_size", "layers"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        for name in ("dropout", "recurrent_dropout", "weight_drop", "word_dropout"):
            check_range(f"model.{name}", getattr(self, name), at_least=0, below=1)

    def build(self) -> keras.Model:
        return build_lstm_lm(self)

    def graphs(self, model: keras.Model) -> dict[str, keras.Model]:
        """Return the graph `step`, which maps any number of tokens and the states to the next states."""
        return {STEP: model}

    def training_model(self, model: keras.Model) -> keras.Model:
        """Return the model with word dropout and a sampled softmax, which its file does not have."""
        if self.word_dropout:
            model = with_word_dropout(model, self.word_dropout)
        return with_sampled_softmax(model, self.num_sampled) if self.num_sampled else model

    def encoder(self, model: keras.Model) -> list[keras.layers.Layer]:
        names = ["embedding", *(f"lstm{i}" for i in range(self.layers))]
        return [model.get_layer(name) for name in names]

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """The output `h<i>` and the cell state `c<i>` of each LSTM layer."""
        names = [f"{name}{i}" for i in range(self.layers) for name in "hc"]
        return tuple(StateSpec(name, (self.hidden_size,)) for name in names)


# Functional model ---------------------------------------------------------------------------------


def build_lstm_lm(config: LSTMLanguageModel) -> keras.Model:
    """Return the functional model, from tokens and states to logits and the next states.

    There is no mask: padding has no effect on the logits before it, but it changes the states.

    Args:
        config: the arguments of the model.

    Returns:
        A model with the inputs `tokens` int32 [batch, time] and, for each LSTM layer i, its states
        `h<i>` and `c<i>` float32 [batch, hidden_size], zeros at the start of a text; and the outputs
        `logits` float32 [batch, time, vocabulary_size] of the token after each position, `next_h<i>` and
        `next_c<i>`.
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
    next_states: dict[str, Any] = {}
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
    """Return a model with the weights of `model` that drops whole tokens in training.

    Args:
        model: the model of `build_lstm_lm`.
        rate: probability that a token is dropped.
    """
    import keras

    from zoo.language.modelling.word_dropout import WordDropout

    embedding = model.get_layer("embedding")
    word_dropout = WordDropout(embedding.input_dim, rate)

    def call(layer, *inputs, **arguments):
        outputs = layer(*inputs, **arguments)
        reads = layer is embedding and not arguments.get("reverse")
        return word_dropout(outputs, *inputs) if reads else outputs

    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)


def with_sampled_softmax(model: keras.Model, num_sampled: int) -> keras.Model:
    """Return a model with the weights of `model` that computes its loss from a sample of tokens.

    Args:
        model: the model of `build_lstm_lm`, with a tied softmax.
        num_sampled: number of tokens in the sample of a training step.

    Returns:
        A model with the outputs of `model` but `nats` float32 [batch, time - 1], the loss of the tokens
        after the first one, instead of `logits`.
    """
    import keras

    from zoo.language.modelling.sampled_loss import SampledLoss

    embedding = model.get_layer("embedding")
    sampled_loss = SampledLoss(embedding, num_sampled)
    tokens: list[Any] = []

    def call(layer, *inputs, **arguments):
        if layer is embedding and arguments.get("reverse"):
            return sampled_loss(*inputs, *tokens)
        if layer is embedding:
            tokens.extend(inputs)
        return layer(*inputs, **arguments)

    clone = keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
    outputs = dict(clone.output)
    return keras.Model(clone.input, {"nats": outputs.pop("logits"), **outputs}, name=model.name)


# Recipes ------------------------------------------------------------------------------------------

PAPER = "Zaremba, Sutskever & Vinyals 2014; Gal & Ghahramani 2016; Press & Wolf 2017"


@register(
    "language/lstm-small-ptb",
    paper=PAPER,
    corpus=PTB,
    metric="perplexity",
    published=Published(
        "perplexity", 114.5, "Zaremba, Sutskever & Vinyals 2014, TensorFlow's code"
    ),
)
def lstm_small_ptb(name: str) -> Recipe:
    """Two LSTM layers of 200 units predict the next word of newspaper English.

    Use it to score sentences in the style of the Wall Street Journal: lower case, no punctuation,
    numbers as N, the 10,000 words of the Penn Treebank; every other word is `<unk>`. A baseline of the
    small size of Zaremba et al., with a softmax tied to the embedding and dropout that is constant over
    time.

    It is small and was trained on one newspaper of 1989: its texts are grammatical for a few words and
    have no meaning. Names and opinions in them are those of its corpus. Perplexity counts every word and
    the end of every line, with the state carried over the whole text.
    """
    return Recipe(
        name=name,
        data=RunningText(tokenization="word", time_steps=35),
        model=LSTMLanguageModel(vocabulary_size=10_000, dropout=0.2, recurrent_dropout=0.1),
        task=LanguageModelling(monitor="perplexity"),
        decoder=Generation(length=50),
        optimizer=AdamW(learning_rate=3e-3, warmup_epochs=0.5, weight_decay=1e-3),
        training=GradientDescent(epochs=20, batch_size=20, patience=20),
    )


@register(
    "language/lstm-medium-ptb",
    paper="Merity, Keskar & Socher 2018; Zaremba, Sutskever & Vinyals 2014; Press & Wolf 2017",
    corpus=PTB,
    metric="perplexity",
    published=Published("perplexity", 82.7, "Zaremba, Sutskever & Vinyals 2014"),
)
def lstm_medium_ptb(name: str) -> Recipe:
    """Two LSTM layers of 650 units predict the next word of newspaper English.

    Use it to score sentences in the style of the Wall Street Journal: lower case, no punctuation,
    numbers as N, the 10,000 words of the Penn Treebank; every other word is `<unk>`. It has the medium
    size of Zaremba et al., a softmax tied to the embedding, and dropout of weights, features and words.

    It was trained on one newspaper of 1989: its texts are grammatical for a sentence and have no
    meaning. Names and opinions in them are those of its corpus. Perplexity counts every word and the end
    of every line, with the state carried over the whole text.
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
        task=LanguageModelling(monitor="perplexity"),
        decoder=Generation(length=50),
        optimizer=AdamW(learning_rate=2e-3, warmup_epochs=0.5, weight_decay=1e-2),
        # An epoch of 1327 steps takes 6.8 minutes on two cores, and 16 epochs with their evaluations on
        # dev about 115 minutes. The shipped weights were trained in mixed_bfloat16 for 7 epochs, and for
        # 7 more with `--resume --set training.epochs=14`.
        training=GradientDescent(epochs=16, batch_size=20, patience=16),
    )


@register(
    "language/lstm-english",
    paper="Howard & Ruder 2018; Jean et al. 2015; Press & Wolf 2017",
    corpus=ENGLISH,
    metric="perplexity",
)
def lstm_english(name: str) -> Recipe:
    """An LSTM layer predicts the next word of English sentences, with punctuation.

    Use it as the encoder of a classifier of texts: `zoo train language/bilstm-sst2 --init-encoder`.

    Its text has 2.1 million words of film reviews, a newspaper and an encyclopedia.
    """
    return Recipe(
        name=name,
        data=RunningText(tokenization="word", time_steps=35, min_count=3),
        model=LSTMLanguageModel(
            vocabulary_size=24_000,
            embedding_size=200,
            hidden_size=300,
            layers=1,
            dropout=0.2,
            num_sampled=1024,
        ),
        task=LanguageModelling(monitor="perplexity"),
        decoder=Generation(length=30),
        optimizer=AdamW(learning_rate=3e-3, warmup_epochs=0.2, weight_decay=1e-3),
        training=GradientDescent(epochs=4, batch_size=64),
    )


@register(
    "language/charlstm-shakespeare",
    paper=PAPER,
    corpus=SHAKESPEARE,
    metric="nats_per_char",
    published=Published("nats_per_char", 1.47, "nanoGPT, a small transformer"),
)
def charlstm_shakespeare(name: str) -> Recipe:
    """Two LSTM layers generate text in the style of Shakespeare's plays, character by character.

    Use it for demonstrations, for teaching, and as initial weights (`--init`) for another text. It
    spells words, follows the layout of a play, uses the names of its speakers, and keeps a style for a
    line or two.

    It was trained on a million characters of the plays only: its texts have no meaning, and characters
    outside its vocabulary of 65 are rejected. Metrics are measured with the state carried over the whole
    text.
    """
    # The shipped weights were trained in two runs: 16 epochs with a dropout of 0.15, a learning rate of
    # 3e-3 and a weight decay of 1e-3; and then, with `--init`, by this recipe.
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
        task=LanguageModelling(monitor="nats_per_char"),
        decoder=Generation(length=400),
        optimizer=AdamW(learning_rate=2.5e-3, warmup_epochs=0.5, weight_decay=1e-2),
        training=GradientDescent(epochs=18, batch_size=32, patience=18, dev_fraction=0.05),
    )
