"""What every translator is to its task: a source and the translation so far in, logits out."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.states import as_outputs
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
    """An encoder-decoder between sentences. Subclasses write `build_layers` and `states`.

    vocabulary_size: int. Size of the vocabulary of both sides, taken from the sentences of a run.
    embedding_size: int. Numbers that stand for a piece of a word, in source, target and softmax alike.
    encoder_size: int. Units of each direction of the encoder.
    hidden_size: int. Units of each layer of the decoder.
    dropout: float. Share of the inputs of each layer that is dropped in training, the same ones at every
        step (Gal & Ghahramani 2016).
    """

    vocabulary_size: int = len(SENTENCE_SPECIALS)
    embedding_size: int = 192
    encoder_size: int = 128
    hidden_size: int = 256
    dropout: float = 0.2

    def __post_init__(self):
        check_range("model.vocabulary_size", self.vocabulary_size, at_least=len(SENTENCE_SPECIALS))
        for name in ("embedding_size", "encoder_size", "hidden_size"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.dropout", self.dropout, at_least=0, below=1)

    @abstractmethod
    def build_layers(self, make: MakeLayer) -> EncoderDecoder:
        """The layers, made by `make`. `initial_state` takes the source and its lengths."""

    def build(self) -> keras.Model:
        """The functional model: a source and the translation so far in, logits of each next piece out.

        Inputs: `source` int32 [batch, source_time] and `source_lengths` int32 [batch], at least 1; what
        stands behind a row's length has no effect. `tokens` int32 [batch, time], the first of them the
        one that starts a sentence.
        Output: `logits` float32 [batch, time, vocabulary_size], unnormalised.
        """
        import keras

        network, inputs = self.build_layers(new_layer), _source_inputs()
        tokens = keras.Input((None,), name="tokens", dtype="int32")
        logits = network.decode_step(tokens, network.initial_state(*inputs.values()))["logits"]
        return keras.Model(inputs | {"tokens": tokens}, {"logits": logits}, name="translator")

    def graphs(self, model: keras.Model) -> dict[str, keras.Model]:
        """See `KerasModel.graphs`.

        `encoder`: the source and its lengths to the states before the first token, each as
        `next_<name>`. `step`: see `step_graph`.
        """
        import keras

        network, inputs = self.build_layers(layers_of(model)), _source_inputs()
        states = {
            name: keras.layers.Identity(dtype=state.dtype)(state)
            for name, state in network.initial_state(*inputs.values()).items()
        }
        encoder = keras.Model(inputs, as_outputs(states), name="encoder")
        return {"encoder": encoder, "step": step_graph(network, self.states)}


class SourceEncoder:
    """The embedding and a bidirectional LSTM over a source: a part of an `EncoderDecoder`.

    The embedding is that of the target and of the softmax, too (Press & Wolf, "Using the output
    embedding to improve language models", 2017).
    """

    def __init__(self, config: Translator, make: MakeLayer):
        from keras import initializers, layers

        from zoo.common.layers import recurrent

        self._make, self._rate = make, config.dropout
        self.embedding = make(
            layers.ReversibleEmbedding,
            config.vocabulary_size,
            config.embedding_size,
            # The scalar product of a piece's numbers with themselves begins at about 1.
            embeddings_initializer=initializers.RandomNormal(stddev=config.embedding_size**-0.5),
            reverse_dtype="float32",
            name="embedding",
        )
        self._dropout = self.dropout("dropout_source")
        lstm = recurrent.LSTM(config.encoder_size, return_sequences=True, return_state=True)
        self._lstm = make(recurrent.Bidirectional, lstm, name="encoder")

    def dropout(self, name: str) -> keras.Layer:
        """A layer that drops features, the same ones at every step."""
        from keras import layers

        return self._make(layers.SpatialDropout1D, self._rate, name=name)

    def __call__(
        self, source: keras.KerasTensor, source_lengths: keras.KerasTensor
    ) -> tuple[keras.KerasTensor, keras.KerasTensor, keras.KerasTensor]:
        """Return the outputs of both directions float32 [batch, source_time, 2 encoder_size], what each
        ended with [batch, 2 encoder_size], and which outputs are inside their row's length, bool."""
        from keras import ops

        from zoo.common.layers.masks import frame_mask

        x = self._dropout(self.embedding(source))
        inside = frame_mask(x, source_lengths)
        values, forward, _, backward, _ = self._lstm(x, mask=inside)
        return values, ops.concatenate([forward, backward], axis=-1), inside


def translation_recipe(name: str, model: Translator) -> Recipe:
    """Return a recipe that differs from the others of its kind in its model alone."""
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
