"""Soft attention over the 6 x 6 regions of an image, computed for each word.

Xu et al., "Show, attend and tell: neural image caption generation with visual attention" (2015),
sections 3.1 and 4.2, with the attention between two LSTM layers, as in Anderson et al., "Bottom-up and
top-down attention for image captioning and visual question answering" (2018), section 3.2:

    h_t, c_t = LSTM1(E y_{t-1}, h_{t-1}, c_{t-1})
    e_ti = v^T tanh(W_a a_i + W_h h_t)        alpha_t = softmax(e_t)        z_t = sum_i alpha_ti a_i
    g_t, d_t = LSTM2([h_t; z_t], g_{t-1}, d_{t-1})
    y_t = softmax(L_o (E y_{t-1} + L_g g_t + L_z z_t))

In the single layer of Xu et al., the attention depends on h_{t-1}, which depends on z_{t-1}, so that
training must compute it step by step. Here LSTM1 only reads words. The attention of all steps is one
matrix product, and stock Keras layers suffice. The initial states are the tanh of linear maps of the
mean of the a_i, as in Xu et al.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.core.settings import training_only
from zoo.common.core.states import StateSpec, as_outputs
from zoo.common.layers.make import MakeLayer
from zoo.vision_language.captioning.captioner import RecurrentCaptioner, RecurrentDecoder
from zoo.vision_language.captioning.corpora.rsicd import RSICD
from zoo.vision_language.captioning.task import captioning_recipe
from zoo.vision_language.captioning.vgg16 import SHAPE

if TYPE_CHECKING:
    import keras

REGIONS = SHAPE[0] * SHAPE[1]

# Layers -------------------------------------------------------------------------------------------


class Attending(RecurrentDecoder):
    """The decoder after VGG16. Its constant states are `values`, the regions a_i, and `keys`, W_a a_i.

    Args:
        config: sizes and dropout rates.
        make: returns each layer.
    """

    def __init__(self, config: AttendAndTell, make: MakeLayer):
        from keras import layers

        from zoo.common.layers import recurrent

        size, vocabulary_size = config.hidden_size, config.vocabulary_size
        self.places = make(layers.Reshape, (REGIONS, SHAPE[-1]), name="places")
        self.norm = make(layers.BatchNormalization, momentum=0.9, name="norm")
        self.dropout_values = make(layers.Dropout, config.dropout_values, name="dropout_values")
        self.keys = make(layers.Dense, config.attention_size, name="keys")
        self.mean = make(layers.GlobalAveragePooling1D, name="mean")
        self.first_states = {
            name: make(layers.Dense, size, activation="tanh", name=f"first_{name}")
            for name in ("h0", "c0", "h1", "c1")
        }
        self.embedding = make(
            layers.Embedding, vocabulary_size, config.embedding_size, name="embedding"
        )
        self.dropout_in = make(layers.Dropout, config.dropout, name="dropout_in")
        self.lstms = [
            make(recurrent.LSTM, size, return_sequences=True, return_state=True, name=f"lstm{i}")
            for i in range(2)
        ]
        self.query = make(layers.Dense, config.attention_size, use_bias=False, name="query")
        self.score = make(layers.Dense, 1, use_bias=False, name="score")
        self.of_state = make(layers.Dense, config.embedding_size, name="of_state")
        self.of_context = make(
            layers.Dense, config.embedding_size, use_bias=False, name="of_context"
        )
        self.dropout_out = make(layers.Dropout, config.dropout, name="dropout_out")
        self.logits = make(layers.Dense, vocabulary_size, dtype="float32", name="logits")

    def initial_state(self, features: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
        values = self.dropout_values(self.norm(self.places(features)))
        mean = self.mean(values)
        states = {name: layer(mean) for name, layer in self.first_states.items()}
        return {**states, "keys": self.keys(values), "values": values}

    def decode_step(
        self, tokens: keras.KerasTensor, states: dict[str, keras.KerasTensor]
    ) -> dict[str, keras.KerasTensor]:
        """Return the outputs of a step, with `attention` float32 [batch, time, regions], the alpha."""
        from keras import ops

        words = self.dropout_in(self.embedding(tokens))
        x, h0, c0 = self.lstms[0](words, initial_state=[states["h0"], states["c0"]])
        queries = ops.expand_dims(self.query(x), 2) + ops.expand_dims(states["keys"], 1)
        attention = ops.softmax(ops.squeeze(self.score(ops.tanh(queries)), 3), axis=-1)
        context = ops.matmul(attention, states["values"])
        x = ops.concatenate([x, context], axis=-1)
        x, h1, c1 = self.lstms[1](x, initial_state=[states["h1"], states["c1"]])
        x = words + self.of_state(self.dropout_out(x)) + self.of_context(context)
        following = {"h0": h0, "c0": c0, "h1": h1, "c1": c1}
        return {"logits": self.logits(x), "attention": attention, **as_outputs(following)}


# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AttendAndTell(RecurrentCaptioner):
    """Config of the captioner with attention.

    Args:
        vocabulary_size: see `RecurrentCaptioner`.
        encoder: see `RecurrentCaptioner`.
        hidden_size: see `RecurrentCaptioner`.
        embedding_size: see `RecurrentCaptioner`.
        dropout: see `RecurrentCaptioner`.
        attention_size: number of units of the attention.
        dropout_values: dropout rate of the features of the regions.
    """

    attention_size: int = 256
    dropout_values: float = training_only(0.2)

    def __post_init__(self):
        super().__post_init__()
        check_range("model.attention_size", self.attention_size, at_least=1)
        check_range("model.dropout_values", self.dropout_values, at_least=0, below=1)

    def build_decoder(self, make: MakeLayer) -> Attending:
        return Attending(self, make)

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """The output and cell of each LSTM; the keys and values of the regions."""
        changing = tuple(StateSpec(name, (self.hidden_size,)) for name in ("h0", "c0", "h1", "c1"))
        keys = StateSpec("keys", (REGIONS, self.attention_size), constant=True)
        return (*changing, keys, StateSpec("values", (REGIONS, SHAPE[-1]), constant=True))

    @property
    def step_outputs(self) -> tuple[StateSpec, ...]:
        """The attention weights of the regions."""
        return (StateSpec("attention", (REGIONS,)),)


# Recipe -------------------------------------------------------------------------------------------


@register(
    "vision_language/attend-and-tell-rsicd",
    paper="Xu et al. 2015; Anderson et al. 2018; Simonyan & Zisserman 2015 (encoder)",
    corpus=RSICD,
    metric="bleu4",
)
def attend_and_tell_rsicd(name: str) -> Recipe:
    """Two LSTM layers with attention over the regions of an aerial photograph describe it.

    For aerial and satellite photographs like those of RSICD. Each captioner gives the image to the
    recurrent network in another way, for comparison; use the one with the best metrics.

    It describes any image with the words of RSICD, even a photograph taken on the ground or indoors.
    """
    return captioning_recipe(name, AttendAndTell())
