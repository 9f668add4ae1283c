"""LSTMs that are shown an image as their first input and then tell of it, word by word.

Vinyals, Toshev, Bengio & Erhan, "Show and tell: a neural image caption generator" (2015). The encoder
is VGG16, whose features are pooled over the grid: by mean, for what there is, and by maximum, for
what there is little of. Each is then put on one scale by batch normalisation: maxima are many times
larger than means, and some features many times larger than others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.errors import ZooError
from zoo.common.recipe import OptimizerConfig, Recipe, TrainingConfig
from zoo.common.registry import register
from zoo.vision_language import vgg16
from zoo.vision_language.captioner import DECODER, Captioner
from zoo.vision_language.corpora import RSICD
from zoo.vision_language.task import Captioning

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ShowAndTell(Captioner):
    """Arguments of the captioner.

    vocabulary_size: int. Size of the output, taken from the captions of a run.
    members: int. LSTMs that tell together: each has its own weights and is trained by its own answers;
        their logits are averaged (section 4.3.1, "ensembling models").
    hidden_size: int. Units of an LSTM.
    embedding_size: int. Size of a word, and of the image, as an LSTM's input.
    dropout: float. Share of the words and of the LSTMs' outputs that is dropped in training; of the
        image, which is shown but once, nothing is.
    """

    members: int = 1
    hidden_size: int = 512
    embedding_size: int = 256
    dropout: float = 0.4

    def __post_init__(self):
        super().__post_init__()
        for name in ("members", "hidden_size", "embedding_size"):
            if getattr(self, name) < 1:
                raise ZooError(f"model.{name} is at least 1. Received: {getattr(self, name)}.")
        if not 0 <= self.dropout < 1:
            raise ZooError(f"model.dropout lies in [0, 1). Received: {self.dropout}.")

    def build_decoder(self) -> keras.Model:
        """See `build_decoder`."""
        return build_decoder(self)

    @property
    def states(self) -> dict[str, tuple[int, ...]]:
        """Each LSTM's output and cell."""
        return {f"{kind}{i}": (self.hidden_size,) for i in range(self.members) for kind in "hc"}

    def look(self, decoder, features):
        """The LSTMs' states after the image."""
        layer, states = decoder.get_layer, {}
        pooled = _pooled(layer, features)
        for i in range(self.members):
            first = layer(f"image_first{i}")(layer(f"image_embedding{i}")(pooled))
            _, states[f"h{i}"], states[f"c{i}"] = layer(f"lstm{i}")(first)
        return states

    def walk(self, decoder, tokens, states):
        """The LSTMs over words."""
        layer, members, following = decoder.get_layer, [], {}
        for i in range(self.members):
            h, c = f"h{i}", f"c{i}"
            x = layer(f"embedding{i}")(tokens)
            x, following[h], following[c] = layer(f"lstm{i}")(
                x, initial_state=[states[h], states[c]]
            )
            members.append(layer(f"logits{i}")(x))
        return layer("logits")(members), following


# Functional model ---------------------------------------------------------------------------------


def build_decoder(config: ShowAndTell) -> keras.Model:
    """The functional model after VGG16: `features` float32 [batch, 6, 6, 512] and `tokens` int32
    [batch, time] in, `logits` float32 [batch, time, vocabulary_size] out, and `members`, the list of
    those they are the mean of.

    No position sees a later token, so what pads a caption has no effect on it.
    """
    import keras
    from keras import layers

    from zoo.common import recurrent

    features = keras.Input(vgg16.SHAPE, name="features", dtype="float32")
    tokens = keras.Input((None,), name="tokens", dtype="int32")
    image = {
        "mean": layers.GlobalAveragePooling2D(name="mean"),
        "maximum": layers.GlobalMaxPooling2D(name="maximum"),
        "pooled": layers.Concatenate(name="pooled"),
        "norm": layers.BatchNormalization(momentum=0.9, name="norm"),
    }
    pooled = _pooled(image.__getitem__, features)
    size, members = config.embedding_size, []
    for i in range(config.members):
        first = layers.Dense(size, name=f"image_embedding{i}")(pooled)
        first = layers.Reshape((1, size), name=f"image_first{i}")(first)
        words = layers.Embedding(config.vocabulary_size, size, name=f"embedding{i}")(tokens)
        words = layers.Dropout(config.dropout, name=f"dropout_in{i}")(words)
        x = layers.Concatenate(axis=1, name=f"sequence{i}")([first, words])
        x, _, _ = recurrent.LSTM(
            config.hidden_size, return_sequences=True, return_state=True, name=f"lstm{i}"
        )(x)
        x = layers.Cropping1D((1, 0), name=f"after_image{i}")(x)
        x = layers.Dropout(config.dropout, name=f"dropout_out{i}")(x)
        x = layers.Dense(config.vocabulary_size, dtype="float32", name=f"logits{i}")(x)
        members.append(x)
    logits = layers.Average(dtype="float32", name="logits")(members)
    return keras.Model(
        {"features": features, "tokens": tokens},
        {"logits": logits, "members": members},
        name=DECODER,
    )


def _pooled(layer: Callable[[str], keras.Layer], features: keras.KerasTensor):
    """What is told of, [batch, 1024], by layers called by their names."""
    return layer("norm")(layer("pooled")([layer("mean")(features), layer("maximum")(features)]))


# Recipes ------------------------------------------------------------------------------------------


@register(
    "vision_language/show-and-tell-rsicd",
    paper="Vinyals, Toshev, Bengio & Erhan 2015; Simonyan & Zisserman 2015 (encoder)",
    corpus=RSICD,
    metric="bleu4",
)
def show_and_tell_rsicd(name: str) -> Recipe:
    """Three LSTMs together tell in a sentence what is on an aerial photograph.

    For aerial and satellite photographs like RSICD's: airports, beaches, bridges, farmland, harbours,
    playgrounds, rivers, stadiums and some twenty more kinds of places. A starting point (`--init`) for
    captions of one's own.

    It answers any image with the words of RSICD, a photograph taken on the ground or indoors too; the
    probability of its words is all that tells how sure it is. Many of its sentences stand word for word
    under training images: `verbatim` is their share.
    """
    return Recipe(
        name=name,
        model=ShowAndTell(members=3, embedding_size=512, dropout=0.5),
        task=Captioning(length_power=0.8),
        optimizer=OptimizerConfig(learning_rate=1.5e-3, warmup_epochs=1, weight_decay=1e-2),
        training=TrainingConfig(epochs=12, batch_size=64, patience=12, dev_fraction=0.02),
    )
