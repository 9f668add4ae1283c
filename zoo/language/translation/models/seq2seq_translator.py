"""An encoder-decoder without attention: one vector represents the whole source.

Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine
translation" (2014), section 2.2; Sutskever, Vinyals & Le, "Sequence to sequence learning with neural
networks" (2014), whose network reads the source backwards. Here the encoder reads it in both directions:

    s = tanh(W [forward state after x_S; backward state after x_1])
    h_0 = s, c_0 = W_c s
    h_t, c_t = LSTM([E y_{t-1}; s], h_{t-1}, c_{t-1})
    y_t = softmax(E^T (L_h h_t + L_s s))

As in Cho et al., the decoder reads the vector at every step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.core.states import StateSpec, as_outputs
from zoo.common.layers.encoder_decoder import EncoderDecoder
from zoo.common.layers.make import MakeLayer
from zoo.language.translation.corpora.multi30k import MULTI30K
from zoo.language.translation.translator import SourceEncoder, Translator, translation_recipe

if TYPE_CHECKING:
    import keras

# Layers -------------------------------------------------------------------------------------------


class Seq2SeqNetwork(EncoderDecoder):
    """The layers. The states are those of the LSTM layer and the constant `source_vector`, s.

    Args:
        config: the arguments of the model.
        make: creates the layers.
    """

    def __init__(self, config: Seq2SeqTranslator, make: MakeLayer):
        from keras import layers

        from zoo.common.layers import recurrent

        size = config.hidden_size
        self.source = SourceEncoder(config, make)
        self.embedding, self.dropout_in = self.source.embedding, self.source.dropout("dropout_in")
        self.source_vector = make(layers.Dense, size, activation="tanh", name="source_vector")
        self.first_cell = make(layers.Dense, size, name="first_cell")
        self.lstm = make(
            recurrent.LSTM, size, return_sequences=True, return_state=True, name="lstm"
        )
        self.dropout_out = self.source.dropout("dropout_out")
        self.of_state = make(layers.Dense, config.embedding_size, name="of_state")
        self.of_source = make(layers.Dense, config.embedding_size, use_bias=False, name="of_source")

    def initial_state(
        self, source: keras.KerasTensor, source_lengths: keras.KerasTensor
    ) -> dict[str, keras.KerasTensor]:
        _, ends, _ = self.source(source, source_lengths)
        vector = self.source_vector(ends)
        return {"h0": vector, "c0": self.first_cell(vector), "source_vector": vector}

    def decode_step(
        self, tokens: keras.KerasTensor, states: dict[str, keras.KerasTensor]
    ) -> dict[str, keras.KerasTensor]:
        from keras import ops

        pieces = self.dropout_in(self.embedding(tokens))
        vector = ops.expand_dims(states["source_vector"], 1)
        repeated = vector * ops.ones_like(pieces[:, :, :1])
        x = ops.concatenate([pieces, repeated], axis=-1)
        x, h, c = self.lstm(x, initial_state=[states["h0"], states["c0"]])
        x = self.of_state(self.dropout_out(x)) + self.of_source(vector)
        return {"logits": self.embedding(x, reverse=True), **as_outputs({"h0": h, "c0": c})}


# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seq2SeqTranslator(Translator):
    """Arguments of the model. See `Translator`."""

    def build_layers(self, make: MakeLayer) -> Seq2SeqNetwork:
        return Seq2SeqNetwork(self, make)

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """The output and cell state of the layer; the vector that represents the source."""
        changing = tuple(StateSpec(name, (self.hidden_size,)) for name in ("h0", "c0"))
        return (*changing, StateSpec("source_vector", (self.hidden_size,), constant=True))


# Recipe -------------------------------------------------------------------------------------------


@register(
    "language/seq2seq-multi30k-en-de",
    paper="Cho et al. 2014; Sutskever, Vinyals & Le 2014; Sennrich, Haddow & Birch 2016",
    corpus=MULTI30K,
    metric="bleu",
)
def seq2seq_multi30k_en_de(name: str) -> Recipe:
    """An encoder-decoder without attention translates English captions of photographs into German.

    A baseline for `language/attention-multi30k-en-de`, which translates better: here one vector
    represents the source. It finds the subject of a sentence and writes fluent German; it loses parts of
    a long sentence or confuses who does what.

    Its sources are single English sentences that describe a photograph. It was trained on 29,000 such
    sentences only.
    """
    return translation_recipe(name, Seq2SeqTranslator(hidden_size=384))
