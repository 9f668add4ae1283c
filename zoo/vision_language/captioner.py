"""What every captioner is to its task: VGG16's features and the words so far in, logits out."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.common.errors import ZooError
from zoo.common.recipe import ModelConfig
from zoo.common.vocabulary import END, PAD, START, UNKNOWN
from zoo.vision_language import vgg16
from zoo.vision_language.images import SIZE

if TYPE_CHECKING:
    import keras

# The first tokens of every captioner's vocabulary.
SPECIALS = (PAD, UNKNOWN, START, END)
DECODER = "decoder"


@dataclass(frozen=True)
class Captioner(ModelConfig):
    """A model of two parts: VGG16, and a decoder from its features and the words so far to logits.

    vocabulary_size: int. Size of the output, taken from the captions of a run.
    """

    vocabulary_size: int = len(SPECIALS)

    def __post_init__(self):
        if self.vocabulary_size < len(SPECIALS):
            raise ZooError(
                f"model.vocabulary_size is at least {len(SPECIALS)}. "
                f"Received: {self.vocabulary_size}."
            )

    # What a model says of itself

    @abstractmethod
    def build_decoder(self) -> keras.Model:
        """The functional model from `features` float32 [batch, 6, 6, 512] and `tokens` int32 [batch,
        time] to `logits` float32 [batch, time, vocabulary_size], of each next token; where several
        are to be learnt from, `members` is their list."""

    @property
    @abstractmethod
    def states(self) -> dict[str, tuple[int, ...]]:
        """What a step hands to the next, each with its shape after [batch], by name."""

    @abstractmethod
    def look(self, decoder: keras.Model, features: keras.KerasTensor) -> dict[str, Any]:
        """The states before the first token, by name, from symbolic features."""

    @abstractmethod
    def walk(
        self, decoder: keras.Model, tokens: keras.KerasTensor, states: dict[str, Any]
    ) -> tuple[keras.KerasTensor, dict[str, Any]]:
        """(logits, next states), from symbolic tokens [batch, time] and states by name."""

    # What follows from it

    def build(self) -> keras.Model:
        """The functional model: an image and the words so far in, logits of each next word out.

        Inputs: `image` float32 [batch, 192, 192, 3], RGB from 0 to 255, and `tokens` int32 [batch,
        time], the first of them the one that starts a caption.
        Output: `logits` float32 [batch, time, vocabulary_size], unnormalised.
        """
        import keras

        image = keras.Input((SIZE, SIZE, 3), name="image", dtype="float32")
        tokens = keras.Input((None,), name="tokens", dtype="int32")
        features = vgg16.build_vgg16()({"image": image})["features"]
        logits = self.build_decoder()({"features": features, "tokens": tokens})["logits"]
        return keras.Model({"image": image, "tokens": tokens}, {"logits": logits}, name="captioner")

    def own_part(self, model: keras.Model) -> keras.Model:
        """The decoder: VGG16 is shipped once for all captioners."""
        return model.get_layer(DECODER)

    def graphs(self, model: keras.Model) -> dict[str, keras.Model]:
        """`encoder`: `image` to the states before the first token, each as `next_` and its name.
        `step`: `tokens` int32 [batch, time] and the states, to `logits` and the next states."""
        import keras

        decoder = self.own_part(model)
        image = keras.Input((SIZE, SIZE, 3), name="image", dtype="float32")
        x = image
        for layer in model.get_layer("vgg16").layers[1:]:  # one after another, no model in a model
            x = layer(x)
        encoder = keras.Model({"image": image}, _next(self.look(decoder, x)), name="encoder")
        tokens = keras.Input((None,), name="tokens", dtype="int32")
        states = {name: keras.Input(shape, name=name) for name, shape in self.states.items()}
        logits, following = self.walk(decoder, tokens, states)
        step = keras.Model(
            {"tokens": tokens, **states}, {"logits": logits, **_next(following)}, name="step"
        )
        return {"encoder": encoder, "step": step}

    def encoder_of_features(self, model: keras.Model) -> keras.Model:
        """The graph `encoder` from `features` on."""
        import keras

        features = keras.Input(vgg16.SHAPE, name="features", dtype="float32")
        states = self.look(self.own_part(model), features)
        return keras.Model({"features": features}, _next(states), name="encoder_of_features")


def _next(states: dict[str, Any]) -> dict[str, Any]:
    return {f"next_{name}": state for name, state in states.items()}
