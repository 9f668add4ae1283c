"""LSTMs whose first input is an image and whose next inputs are the words of its caption.

Vinyals, Toshev, Bengio & Erhan, "Show and tell: a neural image caption generator" (2015). The encoder
is VGG16, whose features are pooled over the grid: by mean, for what there is, and by maximum, for
what there is little of. Each is then put on one scale by batch normalisation: maxima are many times
larger than means, and some features many times larger than others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.common.core.errors import check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
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

    number: int. Which one it is, in the names of its layers and states.
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
        """Return the logits of each next token [batch, time, vocabulary_size], with dropout."""
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
    """LSTMs that answer together: their logits are averaged.

    No position sees a later token, so what pads a caption has no effect on it.
    """

    def __init__(self, config: ShowAndTell, make: MakeLayer):
        from keras import layers

        self.pool = Pooling(make)
        self.lstms = [LanguageLSTM(config, i, make) for i in range(config.ensemble_size)]
        self.average = make(layers.Average, dtype="float32", name="logits")

    def __call__(self, features: keras.KerasTensor, tokens: keras.KerasTensor) -> dict[str, Any]:
        """See `CaptionDecoder.__call__`."""
        pooled = self.pool(features)
        logits = [lstm(pooled, tokens) for lstm in self.lstms]
        return {"logits": self.average(logits), "ensemble_logits": logits}

    def initial_state(self, features: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
        """See `CaptionDecoder.initial_state`."""
        pooled, states = self.pool(features), {}
        for lstm in self.lstms:
            states |= lstm.initial_state(pooled)
        return states

    def decode_step(
        self, tokens: keras.KerasTensor, states: dict[str, keras.KerasTensor]
    ) -> dict[str, keras.KerasTensor]:
        """See `CaptionDecoder.decode_step`."""
        logits, following = [], {}
        for lstm in self.lstms:
            own_logits, own_states = lstm.decode_step(tokens, states)
            logits.append(own_logits)
            following |= own_states
        return {"logits": self.average(logits), **as_outputs(following)}


# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ShowAndTell(Captioner):
    """Arguments of the captioner.

    vocabulary_size, encoder: see `Captioner`.
    ensemble_size: int. LSTMs that answer together: each has its own weights and learns from its own
        answers; their logits are averaged (section 4.3.1, "ensembling models").
    hidden_size: int. Units of an LSTM.
    embedding_size: int. Size of a word, and of the image, as an LSTM's input.
    dropout: float. Share of the words and of the LSTMs' outputs that is dropped in training; of the
        image, which is an input only once, nothing is.
    """

    ensemble_size: int = 1
    hidden_size: int = 512
    embedding_size: int = 256
    dropout: float = 0.4

    def __post_init__(self):
        super().__post_init__()
        for name in ("ensemble_size", "hidden_size", "embedding_size"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.dropout", self.dropout, at_least=0, below=1)

    def build_decoder(self, make: MakeLayer) -> Ensemble:
        """See `Captioner.build_decoder`."""
        return Ensemble(self, make)

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """Each LSTM's output and cell."""
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

    For aerial and satellite photographs like RSICD's: airports, beaches, bridges, farmland, harbours,
    playgrounds, rivers, stadiums and some twenty more kinds of places. A starting point (`--init`) for
    your own images and captions.

    It answers any image with the words of RSICD, also a photograph taken on the ground or indoors; only
    the probability of its words says how sure it is. Many of its sentences are captions of training
    images word for word: `copy_rate` is their share.
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
