"""An encoder-decoder without attention: a whole sentence goes through one vector.

Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine
translation" (2014), section 2.2; Sutskever, Vinyals & Le, "Sequence to sequence learning with neural
networks" (2014), whose network reads the source backwards. Here one direction of the encoder does so,
and the other reads it forwards:

    s = tanh(W [forward state after x_S; backward state after x_1])
    h_0 = s, c_0 = W_c s
    h_t, c_t = LSTM([E y_{t-1}; s], h_{t-1}, c_{t-1})
    y_t = softmax(E^T (L_h h_t + L_s s))

As in Cho et al., the decoder is given the vector again at every step.
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


class OneVector(EncoderDecoder):
    """The network. Its states are those of the decoder's layer and the constant `source_vector`, s."""

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
        """See `EncoderDecoder.initial_state`."""
        _, ends, _ = self.source(source, source_lengths)
        vector = self.source_vector(ends)
        return {"h0": vector, "c0": self.first_cell(vector), "source_vector": vector}

    def decode_step(
        self, tokens: keras.KerasTensor, states: dict[str, keras.KerasTensor]
    ) -> dict[str, keras.KerasTensor]:
        """See `EncoderDecoder.decode_step`."""
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
    """Arguments: see `Translator`."""

    def build_layers(self, make: MakeLayer) -> OneVector:
        """See `Translator.build_layers`."""
        return OneVector(self, make)

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """The layer's output and cell; the vector that is all it knows of the source."""
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

    To compare with `language/attention-multi30k-en-de`, which is the one to use: here all that is known
    of the source is one vector. It finds what a sentence is about and writes fluent German; of a long
    sentence it forgets parts or mixes up who does what.

    Its sources are single English sentences that say what a photograph shows. It was trained on 29,000
    of them and no other text.
    """
    return translation_recipe(name, Seq2SeqTranslator(hidden_size=384))
