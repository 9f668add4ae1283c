"""A simple recurrent network that receives the image at its first step only.

Karpathy & Fei-Fei, "Deep visual-semantic alignments for generating image descriptions" (2015), section
3.2:

    v = W_hi CNN(image)
    h_t = f(W_hx x_t + W_hh h_{t-1} + b_h + 1(t = 1) v)        f(x) = max(0, x)
    y_t = softmax(W_oh h_t + b_o)
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


class ImageAtFirst(RecurrentDecoder):
    """The decoder after VGG16. Its states are `h`, and `image`, which is zero after the first step.

    Args:
        config: sizes and dropout rate.
        make: returns each layer.
    """

    def __init__(self, config: NeuralTalk, make: MakeLayer):
        from keras import layers

        from zoo.common.layers import recurrent

        size, vocabulary_size = config.embedding_size, config.vocabulary_size
        self.pool = Pooling(make)
        self.image = make(layers.Dense, config.hidden_size, use_bias=False, name="image_embedding")
        self.embedding = make(layers.Embedding, vocabulary_size, size, name="embedding")
        self.dropout_in = make(layers.Dropout, config.dropout, name="dropout_in")
        self.rnn = make(
            recurrent.SimpleRNN,
            config.hidden_size,
            activation="relu",
            return_sequences=True,
            return_state=True,
            name="rnn",
        )
        self.dropout_out = make(layers.Dropout, config.dropout, name="dropout_out")
        self.logits = make(layers.Dense, vocabulary_size, dtype="float32", name="logits")

    def initial_state(self, features: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
        from keras import ops

        image = self.image(self.pool(features))
        return {"h": ops.zeros_like(image), "image": image}

    def decode_step(
        self, tokens: keras.KerasTensor, states: dict[str, keras.KerasTensor]
    ) -> dict[str, keras.KerasTensor]:
        from keras import ops

        image = states["image"]
        first = ops.equal(ops.cumsum(ops.ones_like(tokens), axis=1), 1)
        images = ops.expand_dims(ops.cast(first, image.dtype), 2) * ops.expand_dims(image, 1)
        x = self.dropout_in(self.embedding(tokens))
        x, h = self.rnn(ops.concatenate([x, images], axis=-1), initial_state=states["h"])
        logits = self.logits(self.dropout_out(x))
        return {"logits": logits, **as_outputs({"h": h, "image": ops.zeros_like(image)})}


# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NeuralTalk(RecurrentCaptioner):
    """Config of NeuralTalk. The arguments are those of `RecurrentCaptioner`."""

    def build_decoder(self, make: MakeLayer) -> ImageAtFirst:
        return ImageAtFirst(self, make)

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """The output of the recurrent layer; the image, before the first step."""
        return tuple(StateSpec(name, (self.hidden_size,)) for name in ("h", "image"))


# Recipe -------------------------------------------------------------------------------------------


@register(
    "vision_language/neuraltalk-rsicd",
    paper="Karpathy & Fei-Fei 2015; Simonyan & Zisserman 2015 (encoder)",
    corpus=RSICD,
    metric="bleu4",
)
def neuraltalk_rsicd(name: str) -> Recipe:
    """A simple recurrent network that sees the image once describes an aerial photograph.

    For aerial and satellite photographs like those of RSICD. Each captioner gives the image to the
    recurrent network in another way, for comparison; use the one with the best metrics.

    It describes any image with the words of RSICD, even a photograph taken on the ground or indoors.
    """
    return captioning_recipe(name, NeuralTalk(), learning_rate=1e-3)
