"""LSTMs whose first input is an image, followed by the words of its caption.

Vinyals, Toshev, Bengio & Erhan, "Show and tell: a neural image caption generator" (2015). The encoder
is VGG16, whose features are pooled over the grid, see `zoo.vision_language.captioning.pooling`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.common.core.errors import check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.core.settings import training_only
from zoo.common.core.states import StateSpec, as_outputs
from zoo.common.decoding.decoders import SequenceSearch
from zoo.common.layers.make import MakeLayer
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.vision_language.captioning.captioner import CaptionDecoder, Captioner
from zoo.vision_language.captioning.corpora.rsicd import RSICD
from zoo.vision_language.captioning.data import CaptionedImages
from zoo.vision_language.captioning.pooling import Pooling
from zoo.vision_language.captioning.task import Captioning

if TYPE_CHECKING:
    import keras

# Layers -------------------------------------------------------------------------------------------


class LanguageLSTM:
    """One LSTM of the ensemble, with the layers before and after it.

    Args:
        config: sizes and dropout rate.
        number: number of the LSTM, in the names of its layers and states.
        make: returns each layer.
    """

    def __init__(self, config: ShowAndTell, number: int, make: MakeLayer):
        from keras import layers

        from zoo.common.layers import recurrent

        size, vocabulary_size = config.embedding_size, config.vocabulary_size
        self.h, self.c = f"h{number}", f"c{number}"
        self.image_embedding = make(layers.Dense, size, name=f"image_embedding{number}")
        self.image_first = make(layers.Reshape, (1, size), name=f"image_first{number}")
        self.embedding = make(layers.Embedding, vocabulary_size, size, name=f"embedding{number}")
        self.dropout_in = make(layers.Dropout, config.dropout, name=f"dropout_in{number}")
        self.sequence = make(layers.Concatenate, axis=1, name=f"sequence{number}")
        self.lstm = make(
            recurrent.LSTM,
            config.hidden_size,
            return_sequences=True,
            return_state=True,
            name=f"lstm{number}",
        )
        self.after_image = make(layers.Cropping1D, (1, 0), name=f"after_image{number}")
        self.dropout_out = make(layers.Dropout, config.dropout, name=f"dropout_out{number}")
        self.logits = make(layers.Dense, vocabulary_size, dtype="float32", name=f"logits{number}")

    def __call__(self, pooled: keras.KerasTensor, tokens: keras.KerasTensor) -> keras.KerasTensor:
        """Return the logits of each next token, float32 [batch, time, vocabulary_size]."""
        image = self.image_first(self.image_embedding(pooled))
        x = self.dropout_in(self.embedding(tokens))
        x, _, _ = self.lstm(self.sequence([image, x]))
        return self.logits(self.dropout_out(self.after_image(x)))

    def initial_state(self, pooled: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
        """Return the states after the image."""
        _, h, c = self.lstm(self.image_first(self.image_embedding(pooled)))
        return {self.h: h, self.c: c}

    def decode_step(
        self, tokens: keras.KerasTensor, states: dict[str, keras.KerasTensor]
    ) -> tuple[keras.KerasTensor, dict[str, keras.KerasTensor]]:
        """Return the logits of each next token, and the next states."""
        state = [states[self.h], states[self.c]]
        x, h, c = self.lstm(self.embedding(tokens), initial_state=state)
        return self.logits(x), {self.h: h, self.c: c}


class Ensemble(CaptionDecoder):
    """LSTMs whose logits are averaged.

    An output does not depend on later tokens, so padding has no effect on a caption.

    Args:
        config: sizes and dropout rate.
        make: returns each layer.
    """

    def __init__(self, config: ShowAndTell, make: MakeLayer):
        from keras import layers

        self.pool = Pooling(make)
        self.lstms = [LanguageLSTM(config, i, make) for i in range(config.ensemble_size)]
        self.average = make(layers.Average, dtype="float32", name="logits")

    def __call__(self, features: keras.KerasTensor, tokens: keras.KerasTensor) -> dict[str, Any]:
        pooled = self.pool(features)
        logits = [lstm(pooled, tokens) for lstm in self.lstms]
        return {"logits": self.average(logits), "ensemble_logits": logits}

    def initial_state(self, features: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
        pooled = self.pool(features)
        states: dict[str, keras.KerasTensor] = {}
        for lstm in self.lstms:
            states |= lstm.initial_state(pooled)
        return states

    def decode_step(
        self, tokens: keras.KerasTensor, states: dict[str, keras.KerasTensor]
    ) -> dict[str, keras.KerasTensor]:
        logits: list[keras.KerasTensor] = []
        following: dict[str, keras.KerasTensor] = {}
        for lstm in self.lstms:
            own_logits, own_states = lstm.decode_step(tokens, states)
            logits.append(own_logits)
            following |= own_states
        return {"logits": self.average(logits), **as_outputs(following)}


# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ShowAndTell(Captioner):
    """Config of the captioner.

    Args:
        vocabulary_size: see `Captioner`.
        encoder: see `Captioner`.
        ensemble_size: number of LSTMs. Each has its own weights and its own loss; their logits are
            averaged (section 4.3.1, "ensembling models").
        hidden_size: number of units of an LSTM.
        embedding_size: size of the vectors of a word and of the image.
        dropout: dropout rate of the word vectors and of the LSTMs' outputs. The vector of the image has
            no dropout.
    """

    ensemble_size: int = 1
    hidden_size: int = 512
    embedding_size: int = 256
    dropout: float = training_only(0.4)

    def __post_init__(self):
        super().__post_init__()
        for name in ("ensemble_size", "hidden_size", "embedding_size"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.dropout", self.dropout, at_least=0, below=1)

    def build_decoder(self, make: MakeLayer) -> Ensemble:
        return Ensemble(self, make)

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """The output and cell of each LSTM."""
        return tuple(
            StateSpec(f"{kind}{number}", (self.hidden_size,))
            for number in range(self.ensemble_size)
            for kind in "hc"
        )


# Recipes ------------------------------------------------------------------------------------------


@register(
    "vision_language/show-and-tell-rsicd",
    paper="Vinyals, Toshev, Bengio & Erhan 2015; Simonyan & Zisserman 2015 (encoder)",
    corpus=RSICD,
    metric="bleu4",
)
def show_and_tell_rsicd(name: str) -> Recipe:
    """Three LSTMs together describe an aerial photograph in a sentence.

    For aerial and satellite photographs like those of RSICD: airports, beaches, bridges, farmland,
    harbours, playgrounds, rivers, stadiums and some twenty more kinds of places. A starting point
    (`--init`) for your own images and captions.

    It describes any image with the words of RSICD, even a photograph taken on the ground or indoors.
    Only the probability of the words states how certain it is. Many of its sentences are exact copies of
    captions of training images: `copy_rate` is their share.
    """
    return Recipe(
        name=name,
        data=CaptionedImages(),
        model=ShowAndTell(ensemble_size=3, embedding_size=512, dropout=0.5),
        task=Captioning(),
        decoder=SequenceSearch(length_penalty=0.8),
        optimizer=AdamW(learning_rate=1.5e-3, warmup_epochs=1, weight_decay=1e-2),
        training=GradientDescent(epochs=12, batch_size=64, patience=12, dev_fraction=0.02),
    )
