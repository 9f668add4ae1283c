"""Two LSTM layers: the first reads words, the second words and the image at every step.

Donahue et al., "Long-term recurrent convolutional networks for visual recognition and description"
(2015), section 5 and figure 3, the variant LRCN-2f ("factored"):

    h_t, c_t = LSTM1(x_t, h_{t-1}, c_{t-1})
    g_t, d_t = LSTM2(h_t + W CNN(image), g_{t-1}, d_{t-1})
    y_t = softmax(V g_t + b)

The paper concatenates h_t and the features. Both forms are equivalent to a sum in the kernel of LSTM2.
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


class Factored(RecurrentDecoder):
    """The decoder after VGG16. Its states are those of both LSTMs, and `image`, which is constant.

    Args:
        config: sizes and dropout rate.
        make: returns each layer.
    """

    def __init__(self, config: LRCN, make: MakeLayer):
        from keras import layers

        from zoo.common.layers import recurrent

        size, vocabulary_size = config.hidden_size, config.vocabulary_size
        self.pool = Pooling(make)
        self.image = make(layers.Dense, size, name="image_embedding")
        self.embedding = make(
            layers.Embedding, vocabulary_size, config.embedding_size, name="embedding"
        )
        self.dropout_in = make(layers.Dropout, config.dropout, name="dropout_in")
        self.lstms = [
            make(recurrent.LSTM, size, return_sequences=True, return_state=True, name=f"lstm{i}")
            for i in range(2)
        ]
        self.dropout_out = make(layers.Dropout, config.dropout, name="dropout_out")
        self.logits = make(layers.Dense, vocabulary_size, dtype="float32", name="logits")

    def initial_state(self, features: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
        """Return zeros for both LSTMs, and the image."""
        from keras import ops

        image = self.image(self.pool(features))
        zeros = ops.zeros_like(image)
        return dict.fromkeys(("h0", "c0", "h1", "c1"), zeros) | {"image": image}

    def decode_step(
        self, tokens: keras.KerasTensor, states: dict[str, keras.KerasTensor]
    ) -> dict[str, keras.KerasTensor]:
        from keras import ops

        x = self.dropout_in(self.embedding(tokens))
        x, h0, c0 = self.lstms[0](x, initial_state=[states["h0"], states["c0"]])
        x = x + ops.expand_dims(states["image"], 1)
        x, h1, c1 = self.lstms[1](x, initial_state=[states["h1"], states["c1"]])
        following = {"h0": h0, "c0": c0, "h1": h1, "c1": c1}
        return {"logits": self.logits(self.dropout_out(x)), **as_outputs(following)}


# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LRCN(RecurrentCaptioner):
    """Config of the factored captioner. The arguments are those of `RecurrentCaptioner`."""

    def build_decoder(self, make: MakeLayer) -> Factored:
        return Factored(self, make)

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """The output and cell of each LSTM; the image, which is constant."""
        changing = tuple(StateSpec(name, (self.hidden_size,)) for name in ("h0", "c0", "h1", "c1"))
        return (*changing, StateSpec("image", (self.hidden_size,), constant=True))


# Recipe -------------------------------------------------------------------------------------------


@register(
    "vision_language/lrcn-rsicd",
    paper="Donahue et al. 2015; Simonyan & Zisserman 2015 (encoder)",
    corpus=RSICD,
    metric="bleu4",
)
def lrcn_rsicd(name: str) -> Recipe:
    """Two factored LSTM layers that see the image at every step describe an aerial photograph.

    For aerial and satellite photographs like those of RSICD. Each captioner gives the image to the
    recurrent network in another way, for comparison; use the one with the best metrics.

    It describes any image with the words of RSICD, even a photograph taken on the ground or indoors.
    """
    return captioning_recipe(name, LRCN())
