"""The base class of translators, their encoder, and their recipe."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.settings import training_only
from zoo.common.core.states import STEP, as_outputs
from zoo.common.data.vocabulary import SENTENCE_SPECIALS
from zoo.common.decoding.decoders import SequenceSearch
from zoo.common.layers.encoder_decoder import EncoderDecoder, step_graph
from zoo.common.layers.make import MakeLayer, layers_of, new_layer
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.language.translation.data import ParallelText
from zoo.language.translation.task import Translation

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Translator(KerasModel):
    """Base class of encoder-decoder models of sentences. Subclasses define `build_layers` and `states`.

    Args:
        vocabulary_size: number of pieces of both languages, taken from the sentences of a run.
        embedding_size: size of the embedding of a piece, in source, target and softmax.
        encoder_size: number of units of each direction of the encoder.
        hidden_size: number of units of each layer of the decoder.
        dropout: share of the inputs of each layer that is dropped in training, the same ones at every
            step (Gal & Ghahramani 2016).
    """

    vocabulary_size: int = len(SENTENCE_SPECIALS)
    embedding_size: int = 192
    encoder_size: int = 128
    hidden_size: int = 256
    dropout: float = training_only(0.2)

    def __post_init__(self):
        check_range("model.vocabulary_size", self.vocabulary_size, at_least=len(SENTENCE_SPECIALS))
        for name in ("embedding_size", "encoder_size", "hidden_size"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.dropout", self.dropout, at_least=0, below=1)

    @abstractmethod
    def build_layers(self, make: MakeLayer) -> EncoderDecoder:
        """Return the layers, created by `make`. `initial_state` takes the source and its lengths."""

    def build(self) -> keras.Model:
        """Return the functional model, from a source and its translation to logits.

        Returns:
            A model with the inputs `source` int32 [batch, source_time], `source_lengths` int32 [batch],
            at least 1, and `tokens` int32 [batch, time], beginning with the start token; and the output
            `logits` float32 [batch, time, vocabulary_size] of each next piece. Padding has no effect.
        """
        import keras

        network, inputs = self.build_layers(new_layer), _source_inputs()
        tokens = keras.Input((None,), name="tokens", dtype="int32")
        logits = network.decode_step(tokens, network.initial_state(*inputs.values()))["logits"]
        return keras.Model(inputs | {"tokens": tokens}, {"logits": logits}, name="translator")

    def graphs(self, model: keras.Model) -> dict[str, keras.Model]:
        """Return the graphs `encoder` and `step`.

        `encoder` maps the source and its lengths to the states before the first token, each as
        `next_<name>`. See `step_graph` for `step`.
        """
        import keras

        network, inputs = self.build_layers(layers_of(model)), _source_inputs()
        states = {
            name: keras.layers.Identity(dtype=state.dtype)(state)
            for name, state in network.initial_state(*inputs.values()).items()
        }
        encoder = keras.Model(inputs, as_outputs(states), name="encoder")
        return {"encoder": encoder, STEP: step_graph(network, self.states)}


class SourceEncoder:
    """The encoder of an `EncoderDecoder`: an embedding and a bidirectional LSTM.

    The target and the softmax use the same embedding (Press & Wolf, "Using the output embedding to
    improve language models", 2017).

    Args:
        config: the arguments of the model.
        make: creates the layers.
    """

    def __init__(self, config: Translator, make: MakeLayer):
        from keras import initializers, layers

        from zoo.common.layers import recurrent

        self._make, self._rate = make, config.dropout
        self.embedding = make(
            layers.ReversibleEmbedding,
            config.vocabulary_size,
            config.embedding_size,
            # The expected squared norm of an embedding is 1.
            embeddings_initializer=initializers.RandomNormal(stddev=config.embedding_size**-0.5),
            reverse_dtype="float32",
            name="embedding",
        )
        self._dropout = self.dropout("dropout_source")
        lstm = recurrent.LSTM(config.encoder_size, return_sequences=True, return_state=True)
        self._lstm = make(recurrent.Bidirectional, lstm, name="encoder")

    def dropout(self, name: str) -> keras.Layer:
        """Return a layer that drops features, the same ones at every step."""
        from keras import layers

        return self._make(layers.SpatialDropout1D, self._rate, name=name)

    def __call__(
        self, source: keras.KerasTensor, source_lengths: keras.KerasTensor
    ) -> tuple[keras.KerasTensor, keras.KerasTensor, keras.KerasTensor]:
        """Return (outputs, final outputs, mask) of both directions.

        Args:
            source: int32 [batch, source_time].
            source_lengths: int32 [batch].

        Returns:
            The outputs float32 [batch, source_time, 2 encoder_size]; the final output of each direction
            [batch, 2 encoder_size]; and bool [batch, source_time], True inside the length of a row.
        """
        from keras import ops

        from zoo.common.layers.masks import frame_mask

        x = self._dropout(self.embedding(source))
        inside = frame_mask(x, source_lengths)
        values, forward, _, backward, _ = self._lstm(x, mask=inside)
        return values, ops.concatenate([forward, backward], axis=-1), inside


def translation_recipe(name: str, model: Translator) -> Recipe:
    """Return the recipe of a translator. The recipes differ only in their models.

    Args:
        name: the registered name.
        model: config of the model.
    """
    return Recipe(
        name=name,
        data=ParallelText(),
        model=model,
        task=Translation(),
        decoder=SequenceSearch(beam_width=3, max_length=60),
        optimizer=AdamW(learning_rate=2e-3, warmup_epochs=0.5, weight_decay=1e-2),
        training=GradientDescent(epochs=8, batch_size=64, patience=8),
    )


def _source_inputs() -> dict[str, keras.KerasTensor]:
    import keras

    return {
        "source": keras.Input((None,), name="source", dtype="int32"),
        "source_lengths": keras.Input((), name="source_lengths", dtype="int32"),
    }
