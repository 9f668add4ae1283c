"""A multimodal layer that joins the word, the recurrent state and the image at every step.

Mao et al., "Deep captioning with multimodal recurrent neural networks (m-RNN)" (2015), section 3:

    w_t: the word t after two layers of embedding
    r_t = f(U_r r_{t-1} + w_t)                            f(x) = max(0, x)
    m_t = g(V_w w_t + V_r r_t + V_I CNN(image))           g(x) = 1.7159 tanh(2 x / 3)
    y_t = softmax(U_m m_t + b)

The recurrent layer of Keras also multiplies w_t by a matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.core.states import StateSpec, as_outputs
from zoo.common.layers.make import MakeLayer
from zoo.vision_language.captioning.captioner import RecurrentCaptioner, RecurrentDecoder
from zoo.vision_language.captioning.corpora.rsicd import RSICD
from zoo.vision_language.captioning.pooling import Pooling
from zoo.vision_language.captioning.task import captioning_recipe

if TYPE_CHECKING:
    import keras

# Layers -------------------------------------------------------------------------------------------


class Multimodal(RecurrentDecoder):
    """The decoder after VGG16. Its states are `r`, and `image`, V_I CNN(image), which is constant.

    Args:
        config: sizes and dropout rate.
        make: returns each layer.
    """

    def __init__(self, config: MRNN, make: MakeLayer):
        from keras import layers

        from zoo.common.layers import recurrent

        size, vocabulary_size = config.hidden_size, config.vocabulary_size
        self.pool = Pooling(make)
        self.image = make(layers.Dense, size, name="image_embedding")
        self.embedding0 = make(
            layers.Embedding, vocabulary_size, config.embedding_size, name="embedding0"
        )
        self.embedding1 = make(layers.Dense, size, activation="relu", name="embedding1")
        self.dropout_in = make(layers.Dropout, config.dropout, name="dropout_in")
        self.rnn = make(
            recurrent.SimpleRNN,
            size,
            activation="relu",
            return_sequences=True,
            return_state=True,
            name="rnn",
        )
        self.of_word = make(layers.Dense, size, use_bias=False, name="of_word")
        self.of_state = make(layers.Dense, size, use_bias=False, name="of_state")
        self.dropout_out = make(layers.Dropout, config.dropout, name="dropout_out")
        self.logits = make(layers.Dense, vocabulary_size, dtype="float32", name="logits")

    def initial_state(self, features: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
        from keras import ops

        image = self.image(self.pool(features))
        return {"r": ops.zeros_like(image), "image": image}

    def decode_step(
        self, tokens: keras.KerasTensor, states: dict[str, keras.KerasTensor]
    ) -> dict[str, keras.KerasTensor]:
        from keras import ops

        words = self.embedding1(self.dropout_in(self.embedding0(tokens)))
        x, r = self.rnn(words, initial_state=states["r"])
        image = ops.expand_dims(states["image"], 1)
        joined = self.of_word(words) + self.of_state(x) + image
        joined = 1.7159 * ops.tanh(joined * (2 / 3))
        return {"logits": self.logits(self.dropout_out(joined)), **as_outputs({"r": r})}


# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MRNN(RecurrentCaptioner):
    """Config of the m-RNN. The arguments are those of `RecurrentCaptioner`.

    The multimodal layer has `hidden_size` units.
    """

    def build_decoder(self, make: MakeLayer) -> Multimodal:
        return Multimodal(self, make)

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """The output of the recurrent layer; the image, which is constant."""
        image = StateSpec("image", (self.hidden_size,), constant=True)
        return (StateSpec("r", (self.hidden_size,)), image)


# Recipe -------------------------------------------------------------------------------------------


@register(
    "vision_language/mrnn-rsicd",
    paper="Mao et al. 2015; Simonyan & Zisserman 2015 (encoder)",
    corpus=RSICD,
    metric="bleu4",
)
def mrnn_rsicd(name: str) -> Recipe:
    """A multimodal layer joins word, recurrent state and image to describe an aerial photograph.

    For aerial and satellite photographs like those of RSICD. Each captioner gives the image to the
    recurrent network in another way, for comparison; use the one with the best metrics.

    It describes any image with the words of RSICD, even a photograph taken on the ground or indoors.
    """
    return captioning_recipe(name, MRNN(), learning_rate=1e-3)
