"""An LSTM that is shown an image as its first input and then tells of it, word by word.

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
    hidden_size: int. Units of the LSTM.
    embedding_size: int. Size of a word, and of the image, as the LSTM's input.
    dropout: float. Share of the LSTM's inputs and outputs that is dropped in training.
    """

    hidden_size: int = 512
    embedding_size: int = 256
    dropout: float = 0.4

    def __post_init__(self):
        super().__post_init__()
        for name in ("hidden_size", "embedding_size"):
            if getattr(self, name) < 1:
                raise ZooError(f"model.{name} is at least 1. Received: {getattr(self, name)}.")
        if not 0 <= self.dropout < 1:
            raise ZooError(f"model.dropout lies in [0, 1). Received: {self.dropout}.")

    def build_decoder(self) -> keras.Model:
        """See `build_decoder`."""
        return build_decoder(self)

    @property
    def states(self) -> dict[str, tuple[int, ...]]:
        """The LSTM's output and cell."""
        return {"h0": (self.hidden_size,), "c0": (self.hidden_size,)}

    def look(self, decoder, features):
        """The LSTM's state after the image."""
        _, h, c = decoder.get_layer("lstm")(_image_first(decoder.get_layer, features))
        return {"h0": h, "c0": c}

    def walk(self, decoder, tokens, states):
        """The LSTM over words."""
        x = decoder.get_layer("embedding")(tokens)
        x, h, c = decoder.get_layer("lstm")(x, initial_state=[states["h0"], states["c0"]])
        return decoder.get_layer("logits")(x), {"h0": h, "c0": c}


# Functional model ---------------------------------------------------------------------------------


def build_decoder(config: ShowAndTell) -> keras.Model:
    """The functional model after VGG16: `features` float32 [batch, 6, 6, 512] and `tokens` int32
    [batch, time] in, `logits` float32 [batch, time, vocabulary_size] out.

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
        "image_embedding": layers.Dense(config.embedding_size, name="image_embedding"),
        "image_first": layers.Reshape((1, config.embedding_size), name="image_first"),
    }
    words = layers.Embedding(config.vocabulary_size, config.embedding_size, name="embedding")
    first = _image_first(image.__getitem__, features)
    x = layers.Concatenate(axis=1, name="sequence")([first, words(tokens)])
    x = layers.Dropout(config.dropout, name="dropout_in")(x)
    x, _, _ = recurrent.LSTM(
        config.hidden_size, return_sequences=True, return_state=True, name="lstm"
    )(x)
    x = layers.Cropping1D((1, 0), name="after_image")(x)
    x = layers.Dropout(config.dropout, name="dropout_out")(x)
    logits = layers.Dense(config.vocabulary_size, dtype="float32", name="logits")(x)
    return keras.Model({"features": features, "tokens": tokens}, {"logits": logits}, name=DECODER)


def _image_first(layer: Callable[[str], keras.Layer], features: keras.KerasTensor):
    """The image as the LSTM's input, [batch, 1, embedding_size], by layers called by their names."""
    x = layer("pooled")([layer("mean")(features), layer("maximum")(features)])
    return layer("image_first")(layer("image_embedding")(layer("norm")(x)))


# Recipes ------------------------------------------------------------------------------------------


@register(
    "vision_language/show-and-tell-rsicd",
    paper="Vinyals, Toshev, Bengio & Erhan 2015; Simonyan & Zisserman 2015 (encoder)",
    corpus=RSICD,
    metric="bleu4",
)
def show_and_tell_rsicd(name: str) -> Recipe:
    """An LSTM tells in a sentence what is on an aerial photograph.

    For aerial and satellite photographs like RSICD's: airports, beaches, bridges, farmland, harbours,
    playgrounds, rivers, stadiums and some twenty more kinds of places. A starting point (`--init`) for
    captions of one's own.

    It answers any image with the words of RSICD, a photograph taken on the ground or indoors too; the
    probability of its words is all that tells how sure it is. Many of its sentences stand word for word
    under training images: `verbatim` is their share.
    """
    return Recipe(
        name=name,
        model=ShowAndTell(embedding_size=512, dropout=0.5),
        task=Captioning(),
        optimizer=OptimizerConfig(learning_rate=1.5e-3, warmup_epochs=1, weight_decay=1e-2),
        training=TrainingConfig(epochs=14, batch_size=64, patience=14, dev_fraction=0.05),
    )
