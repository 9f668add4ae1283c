"""Base classes of captioners: from VGG16's features and the previous words to the next word."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zoo.common.core.errors import check_range
from zoo.common.core.settings import training_only
from zoo.common.core.states import STEP, as_outputs
from zoo.common.data.vocabulary import SENTENCE_SPECIALS
from zoo.common.layers.encoder_decoder import EncoderDecoder, step_graph
from zoo.common.layers.make import MakeLayer, layers_of, new_layer
from zoo.common.runtime.keras_model import KerasModel
from zoo.vision_language.captioning import vgg16
from zoo.vision_language.captioning.images import SIZE
from zoo.vision_language.captioning.vgg16 import BLOCKS, Blocks, Encoder, shape_after

if TYPE_CHECKING:
    import keras

DECODER, ENCODER_FROM_FEATURES = "decoder", "encoder_from_features"


class CaptionDecoder(EncoderDecoder):
    """The layers of a captioner after VGG16. `initial_state` takes features [batch, 6, 6, 512]."""

    @abstractmethod
    def __call__(self, features: keras.KerasTensor, tokens: keras.KerasTensor) -> dict[str, Any]:
        """Return the outputs for training.

        Args:
            features: float32 [batch, 6, 6, 512].
            tokens: int32 [batch, time].

        Returns:
            `logits` float32 [batch, time, vocabulary_size] of each next token. An ensemble also returns
            `ensemble_logits`, the list of logits of its members.
        """


class RecurrentDecoder(CaptionDecoder):
    """A decoder that runs the same steps in training and in use."""

    def __call__(self, features: keras.KerasTensor, tokens: keras.KerasTensor) -> dict[str, Any]:
        return {"logits": self.decode_step(tokens, self.initial_state(features))["logits"]}


@dataclass(frozen=True)
class Captioner(KerasModel):
    """A model of VGG16 and a decoder, from its features and the previous words to logits.

    Blocks of VGG16 that are trained are part of the decoder, which then begins at the output of the
    fixed blocks. Subclasses define `build_decoder` and `states`.

    Args:
        vocabulary_size: number of outputs, taken from the captions of a run.
        encoder: the part of VGG16 that is trained.
    """

    vocabulary_size: int = len(SENTENCE_SPECIALS)
    encoder: Encoder = field(default_factory=Encoder)

    def __post_init__(self):
        check_range("model.vocabulary_size", self.vocabulary_size, at_least=len(SENTENCE_SPECIALS))

    @abstractmethod
    def build_decoder(self, make: MakeLayer) -> CaptionDecoder:
        """Return the decoder after VGG16, whose layers `make` returns."""

    def _trained_parts(self, make: MakeLayer) -> tuple[Blocks, CaptionDecoder]:
        """Return the trained blocks of VGG16, and the decoder."""
        trained = range(self.encoder.fixed_blocks + 1, len(BLOCKS) + 1)
        return Blocks(make, trained), self.build_decoder(make)

    def build(self) -> keras.Model:
        """Return the functional model.

        Inputs: `image` float32 [batch, 192, 192, 3], RGB from 0 to 255, and `tokens` int32 [batch,
        time], beginning with the start token.
        Output: `logits` float32 [batch, time, vocabulary_size] of each next token.
        """
        import keras

        image = keras.Input((SIZE, SIZE, 3), name="image", dtype="float32")
        tokens = keras.Input((None,), name="tokens", dtype="int32")
        features = vgg16.build_vgg16(self.encoder.fixed_blocks)({"image": image})["features"]
        inputs = {"features": self._features_input(), "tokens": tokens}
        blocks, network = self._trained_parts(new_layer)
        outputs = network(blocks(inputs["features"]), tokens)
        blocks.set_trained_weights()
        decoder = keras.Model(inputs, outputs, name=DECODER)
        logits = decoder({"features": features, "tokens": tokens})["logits"]
        return keras.Model({"image": image, "tokens": tokens}, {"logits": logits}, name="captioner")

    def training_model(self, model: keras.Model) -> keras.Model:
        """Return the decoder, which takes the cached features of the fixed blocks."""
        return model.get_layer(DECODER)

    def checkpoint_submodel(self, model: keras.Model) -> keras.Model:
        """Return the decoder. The fixed blocks are shipped once for all captioners."""
        return model.get_layer(DECODER)

    def graphs(self, model: keras.Model) -> dict[str, keras.Model]:
        """Return the graphs that every runtime runs.

        `encoder`: from `image` to the states before the first token, each as `next_<name>`.
        `step`: from `tokens` int32 [batch, time] and the states to `logits` and the next states.
        """
        import keras

        blocks, decoder = self._trained_parts(layers_of(model.get_layer(DECODER)))
        image = keras.Input((SIZE, SIZE, 3), name="image", dtype="float32")
        x = image
        for layer in model.get_layer(vgg16.NAME).layers[1:]:  # without a nested model
            x = layer(x)
        states = as_outputs(decoder.initial_state(blocks(x)))
        encoder = keras.Model({"image": image}, states, name="encoder")
        return {"encoder": encoder, STEP: step_graph(decoder, self.states)}

    def keras_graphs(self, model: keras.Model) -> dict[str, keras.Model]:
        """Return `encoder_from_features`, the encoder after the fixed blocks."""
        import keras

        blocks, decoder = self._trained_parts(layers_of(model.get_layer(DECODER)))
        features = self._features_input()
        states = as_outputs(decoder.initial_state(blocks(features)))
        encoder = keras.Model({"features": features}, states, name=ENCODER_FROM_FEATURES)
        return {ENCODER_FROM_FEATURES: encoder}

    def _features_input(self) -> keras.KerasTensor:
        import keras

        shape = shape_after(self.encoder.fixed_blocks)
        return keras.Input(shape, name="features", dtype="float32")


@dataclass(frozen=True)
class RecurrentCaptioner(Captioner):
    """A captioner whose decoder is one recurrent network.

    Args:
        vocabulary_size: see `Captioner`.
        encoder: see `Captioner`.
        hidden_size: number of units of each recurrent layer.
        embedding_size: size of the vector of a word.
        dropout: dropout rate of the word vectors and of the last outputs.
    """

    hidden_size: int = 512
    embedding_size: int = 256
    dropout: float = training_only(0.5)

    def __post_init__(self):
        super().__post_init__()
        for name in ("hidden_size", "embedding_size"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.dropout", self.dropout, at_least=0, below=1)
