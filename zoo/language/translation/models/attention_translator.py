"""An encoder-decoder with attention to the source for each piece of the translation.

Bahdanau, Cho & Bengio, "Neural machine translation by jointly learning to align and translate" (2015),
with the scores of Luong, Pham & Manning, "Effective approaches to attention-based neural machine
translation" (2015), section 3.1 ("general"), computed between two LSTM layers of the decoder:

    a_1 ... a_S = BiLSTM(E x_1 ... E x_S)
    h_t, c_t = LSTM1(E y_{t-1}, h_{t-1}, c_{t-1})
    e_ts = (W_a h_t)^T a_s        alpha_t = softmax(e_t)        z_t = sum_s alpha_ts a_s
    g_t, d_t = LSTM2([h_t; z_t], g_{t-1}, d_{t-1})
    y_t = softmax(E^T (E y_{t-1} + L_g g_t + L_z z_t))

In Bahdanau's single layer, the attention depends on z_{t-1}, so that training must compute the steps one
after another. Here LSTM1 reads only the translation, so that the attention of all steps is one matrix
product. E is the same matrix everywhere.
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

NEGATIVE_INFINITY = -1e9  # the score of a position without attention

# Layers -------------------------------------------------------------------------------------------


class AttentionNetwork(EncoderDecoder):
    """The layers. Constant states are `values`, the a_s, padded with zeros, and their lengths.

    Args:
        config: the arguments of the model.
        make: creates the layers.
    """

    def __init__(self, config: AttentionTranslator, make: MakeLayer):
        from keras import layers

        from zoo.common.layers import recurrent

        size, embedding_size = config.hidden_size, config.embedding_size
        self.source = SourceEncoder(config, make)
        self.embedding, dropout = self.source.embedding, self.source.dropout
        self.dropout_values = dropout("dropout_values")
        self.first_states = {
            name: make(layers.Dense, size, activation="tanh", name=f"first_{name}")
            for name in ("h0", "c0", "h1", "c1")
        }
        self.dropout_in = dropout("dropout_in")
        self.lstms = [
            make(recurrent.LSTM, size, return_sequences=True, return_state=True, name=f"lstm{i}")
            for i in range(2)
        ]
        self.dropout_between = dropout("dropout_between")
        self.query = make(layers.Dense, 2 * config.encoder_size, use_bias=False, name="query")
        self.of_state = make(layers.Dense, embedding_size, name="of_state")
        self.of_context = make(layers.Dense, embedding_size, use_bias=False, name="of_context")
        self.dropout_out = dropout("dropout_out")

    def initial_state(
        self, source: keras.KerasTensor, source_lengths: keras.KerasTensor
    ) -> dict[str, keras.KerasTensor]:
        """Return states computed from the final outputs of both directions of the encoder."""
        from keras import ops

        values, ends, inside = self.source(source, source_lengths)
        states = {name: layer(ends) for name, layer in self.first_states.items()}
        values = ops.where(ops.expand_dims(inside, -1), self.dropout_values(values), 0.0)
        return {**states, "values": values, "source_lengths": source_lengths}

    def decode_step(
        self, tokens: keras.KerasTensor, states: dict[str, keras.KerasTensor]
    ) -> dict[str, keras.KerasTensor]:
        """Return also `attention`, which is alpha, float32 [batch, time, source_time]."""
        from keras import ops

        from zoo.common.layers.masks import frame_mask

        values = states["values"]
        inside = ops.expand_dims(frame_mask(values, states["source_lengths"]), 1)
        pieces = self.dropout_in(self.embedding(tokens))
        x, h0, c0 = self.lstms[0](pieces, initial_state=[states["h0"], states["c0"]])
        x = self.dropout_between(x)
        scores = ops.matmul(self.query(x), ops.transpose(values, (0, 2, 1)))
        attention = ops.softmax(
            ops.where(inside, ops.cast(scores, "float32"), NEGATIVE_INFINITY), axis=-1
        )
        context = ops.matmul(attention, values)
        x = ops.concatenate([x, context], axis=-1)
        x, h1, c1 = self.lstms[1](x, initial_state=[states["h1"], states["c1"]])
        x = pieces + self.of_state(self.dropout_out(x)) + self.of_context(context)
        following = {"h0": h0, "c0": c0, "h1": h1, "c1": c1}
        logits = self.embedding(x, reverse=True)
        return {"logits": logits, "attention": attention, **as_outputs(following)}


# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AttentionTranslator(Translator):
    """Arguments of the model. See `Translator`."""

    def build_layers(self, make: MakeLayer) -> AttentionNetwork:
        return AttentionNetwork(self, make)

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """The output and cell state of each layer; the outputs of the encoder, and their number."""
        changing = tuple(StateSpec(name, (self.hidden_size,)) for name in ("h0", "c0", "h1", "c1"))
        values = StateSpec("values", (None, 2 * self.encoder_size), constant=True)
        return (*changing, values, StateSpec("source_lengths", (), "int32", constant=True))

    @property
    def step_outputs(self) -> tuple[StateSpec, ...]:
        """The attention to each piece of the source."""
        return (StateSpec("attention", (None,)),)


# Recipe -------------------------------------------------------------------------------------------


@register(
    "language/attention-multi30k-en-de",
    paper="Bahdanau, Cho & Bengio 2015; Luong, Pham & Manning 2015; Sennrich, Haddow & Birch 2016",
    corpus=MULTI30K,
    metric="bleu",
)
def attention_multi30k_en_de(name: str) -> Recipe:
    """An encoder-decoder with attention translates English captions of photographs into German.

    Use it for single English sentences that describe a photograph: people, animals, their clothes and
    actions. The source may have any case; the translation has the capitals and punctuation of German.

    It was trained on 29,000 such sentences only. It knows few words of other subjects, and then writes
    fluent German that may have little to do with the source. A text of several sentences is translated
    like one sentence.
    """
    return translation_recipe(name, AttentionTranslator())
