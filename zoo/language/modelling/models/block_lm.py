"""A language model of residual blocks around recurrent layers that succeeded the LSTM.

Feng et al., "Were RNNs all we needed?" (2024); De et al., "Griffin: mixing gated linear recurrences with
local attention for efficient language models" (2024); Beck et al., "xLSTM: extended long short-term
memory" (2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.common.core.errors import ZooError, check_choice, check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import Published, register
from zoo.common.core.settings import training_only
from zoo.common.core.states import STEP, StateSpec, as_outputs
from zoo.common.decoding.decoders import Generation
from zoo.common.layers.cell_states import BLOCK_LAYERS, block_states, state_specs
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.tasks.language_modelling import LanguageModelling
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.language.modelling.corpora.ptb import PTB
from zoo.language.modelling.corpora.tinyshakespeare import SHAKESPEARE
from zoo.language.modelling.data import RunningText

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BlockLanguageModel(KerasModel):
    """Arguments of the model.

    Args:
        vocabulary_size: number of tokens.
        hidden_size: number of features of the embedding and of each block, and of units of its recurrent
            layer.
        cells: recurrent layer of each block, names of `BLOCK_LAYERS`.
        kernel_size: number of tokens that the convolution of a block reads.
        tied: whether the softmax uses the matrix of the embedding.
        dropout: share of features that are dropped for a sequence, the same ones at every step, in the
            embedding and in each block.
    """

    vocabulary_size: int
    hidden_size: int = 256
    cells: tuple[str, ...] = ("MinGRU", "MinGRU", "MinGRU")
    kernel_size: int = 4
    tied: bool = False
    dropout: float = training_only(0.0)

    def __post_init__(self):
        for name in ("vocabulary_size", "hidden_size", "kernel_size"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.dropout", self.dropout, at_least=0, below=1)
        if not self.cells:
            raise ZooError("model.cells must have a recurrent layer. Received: ().")
        for cell in self.cells:
            check_choice("model.cells", cell, BLOCK_LAYERS)

    def build(self) -> keras.Model:
        return build_block_lm(self)

    def graphs(self, model: keras.Model) -> dict[str, keras.Model]:
        """Return the graph `step`, which maps any number of tokens and the states to the next states."""
        return {STEP: model}

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """The states of each block i, such as `past<i>` and `h<i>`."""
        return tuple(spec for i in range(len(self.cells)) for spec in self.block_specs(i))

    def block_specs(self, i: int) -> tuple[StateSpec, ...]:
        """Return the states of a block."""
        size = self.hidden_size
        return state_specs(block_states(self.cells[i], size, size, self.kernel_size), f"{i}")


# Functional model ---------------------------------------------------------------------------------


def build_block_lm(config: BlockLanguageModel) -> keras.Model:
    """Return the functional model, from tokens and states to logits and the next states.

    Args:
        config: the arguments of the model.

    Returns:
        A model with the inputs `tokens` int32 [batch, time] and the states of `config.states`, zeros at
        the start of a text; and the outputs `logits` float32 [batch, time, vocabulary_size] of the token
        after each position, and `next_<state>` of each state.
    """
    import keras
    from keras import layers

    from zoo.common.layers import recurrent

    tokens = keras.Input((None,), name="tokens", dtype="int32")
    states = {spec.name: keras.Input(spec.shape, name=spec.name) for spec in config.states}
    embedding = layers.ReversibleEmbedding(
        config.vocabulary_size,
        config.hidden_size,
        tie_weights=config.tied,
        reverse_dtype=keras.config.dtype_policy().compute_dtype,
        name="embedding",
    )
    x = layers.SpatialDropout1D(config.dropout, name="dropout_embedding")(embedding(tokens))
    next_states: dict[str, Any] = {}
    for i, cell in enumerate(config.cells):
        block = recurrent.RecurrentBlock(
            getattr(recurrent, cell)(config.hidden_size),
            kernel_size=config.kernel_size,
            dropout=config.dropout,
            return_state=True,
            name=f"block{i}",
        )
        names = [spec.name for spec in config.block_specs(i)]
        x, *following = block(x, initial_state=[states[name] for name in names])
        next_states |= dict(zip(names, following, strict=True))
    x = layers.LayerNormalization(name="norm")(x)
    outputs = {"logits": embedding(x, reverse=True), **as_outputs(next_states)}
    outputs = {
        name: layers.Identity(dtype="float32", name=name)(output)
        for name, output in outputs.items()
    }
    return keras.Model({"tokens": tokens, **states}, outputs, name="block_lm")


# Recipes ------------------------------------------------------------------------------------------


def _shakespeare(name: str, cells: tuple[str, ...], hidden_size: int) -> Recipe:
    """Return a recipe with about as many weights as `language/charlstm-shakespeare`."""
    return Recipe(
        name=name,
        data=RunningText(tokenization="character", time_steps=64),
        model=BlockLanguageModel(
            vocabulary_size=65, hidden_size=hidden_size, cells=cells, dropout=0.25
        ),
        task=LanguageModelling(monitor="nats_per_char"),
        decoder=Generation(length=400),
        optimizer=AdamW(learning_rate=2.5e-3, warmup_epochs=0.5, weight_decay=1e-2),
        training=GradientDescent(epochs=18, batch_size=32, patience=18, dev_fraction=0.05),
    )


@register(
    "language/mingru-shakespeare",
    paper="Feng et al. 2024",
    corpus=SHAKESPEARE,
    metric="nats_per_char",
)
def mingru_shakespeare(name: str) -> Recipe:
    """Three blocks of minimal GRUs generate text in the style of Shakespeare's plays.

    It has as many weights as `language/charlstm-shakespeare`, with which it is compared. Its gates do
    not depend on the state, so that all characters of a training sequence are computed in parallel.

    It was trained on a million characters of the plays only: its texts have no meaning, and characters
    outside its vocabulary of 65 are rejected. Metrics are measured with the state carried over the whole
    text.
    """
    return _shakespeare(name, ("MinGRU",) * 3, 264)


@register(
    "language/lstm-block-shakespeare",
    paper="Hochreiter & Schmidhuber 1997; De et al. 2024",
    corpus=SHAKESPEARE,
    metric="nats_per_char",
)
def lstm_block_shakespeare(name: str) -> Recipe:
    """Three blocks of LSTM layers generate text in the style of Shakespeare's plays.

    It has as many weights as `language/charlstm-shakespeare`, and the block of the successors of the
    LSTM, with which it is compared.

    It was trained on a million characters of the plays only: its texts have no meaning, and characters
    outside its vocabulary of 65 are rejected. Metrics are measured with the state carried over the whole
    text.
    """
    return _shakespeare(name, ("LSTM",) * 3, 204).override({"training.epochs": 12})


@register(
    "language/rglru-shakespeare",
    paper="De et al. 2024",
    corpus=SHAKESPEARE,
    metric="nats_per_char",
)
def rglru_shakespeare(name: str) -> Recipe:
    """Three blocks of gated linear recurrences generate text in the style of Shakespeare's plays.

    The recurrence is that of Griffin, without its attention. It has as many weights as
    `language/charlstm-shakespeare`, with which it is compared.

    It was trained on a million characters of the plays only: its texts have no meaning, and characters
    outside its vocabulary of 65 are rejected. Metrics are measured with the state carried over the whole
    text.
    """
    return _shakespeare(name, ("RGLRU",) * 3, 250)


@register(
    "language/xlstm-shakespeare",
    paper="Beck et al. 2024",
    corpus=SHAKESPEARE,
    metric="nats_per_char",
)
def xlstm_shakespeare(name: str) -> Recipe:
    """Two blocks with matrix memories and one with scalar memories generate text like Shakespeare's.

    The layers are those of xLSTM, in the block that all successors of the LSTM share here. It has as
    many weights as `language/charlstm-shakespeare`, with which it is compared.

    It was trained on a million characters of the plays only: its texts have no meaning, and characters
    outside its vocabulary of 65 are rejected. Metrics are measured with the state carried over the whole
    text.
    """
    return _shakespeare(name, ("MLSTM", "SLSTM", "MLSTM"), 236)


@register(
    "language/mingru-small-ptb",
    paper="Feng et al. 2024",
    corpus=PTB,
    metric="perplexity",
    published=Published(
        "perplexity", 114.5, "Zaremba, Sutskever & Vinyals 2014, TensorFlow's code, small LSTM"
    ),
)
def mingru_small_ptb(name: str) -> Recipe:
    """Two blocks of minimal GRUs predict the next word of newspaper English.

    It has as many weights as `language/lstm-small-ptb`, with which it is compared, and reads the same
    words: lower case, no punctuation, numbers as N, the 10,000 words of the Penn Treebank; every other
    word is `<unk>`.

    It is small and was trained on one newspaper of 1989: its texts are grammatical for a few words and
    have no meaning. Names and opinions in them are those of its corpus. Perplexity counts every word and
    the end of every line, with the state carried over the whole text.
    """
    return Recipe(
        name=name,
        data=RunningText(tokenization="word", time_steps=35),
        model=BlockLanguageModel(
            vocabulary_size=10_000,
            hidden_size=200,
            cells=("MinGRU",) * 2,
            tied=True,
            dropout=0.25,
        ),
        task=LanguageModelling(monitor="perplexity"),
        decoder=Generation(length=50),
        optimizer=AdamW(learning_rate=2.5e-3, warmup_epochs=0.5, weight_decay=1e-2),
        training=GradientDescent(epochs=11, batch_size=20, patience=11),
    )
