"""A stack of recurrent layers that processes a recording while it is made, with CTC on top.

Its features, convolutions and layers do not depend on later samples: its outputs for parts of a
recording are those for the whole recording. Unidirectional LSTMs with CTC over phonemes: Graves,
"Supervised Sequence Labelling with Recurrent Neural Networks" (2012), chapter 7; Sak, Senior, Rao &
Beaufays, "Fast and accurate recurrent neural network acoustic models for speech recognition" (2015).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from zoo.common.core.errors import check_choice, check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.core.settings import training_only
from zoo.common.core.states import STEP, StateSpec, as_outputs
from zoo.common.data.labels import Labels
from zoo.common.decoding.decoders import CTCSearch
from zoo.common.layers.cell_states import block_states, cell_states, state_specs
from zoo.common.layers.make import MakeLayer, layers_of, new_layer
from zoo.common.layers.masks import frame_mask
from zoo.common.runtime.keras_model import MODEL
from zoo.common.tasks.ctc import CTC
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.speech.audio.augmentation import USERS_CONDITIONS
from zoo.speech.features.frontend import LogMel
from zoo.speech.features.spec_augment import SpecAugment
from zoo.speech.layers import BLOCKS
from zoo.speech.recognition.corpora.an4 import AN4, AN4_PHONEMES
from zoo.speech.recognition.data import TranscribedRecordings
from zoo.speech.recognition.streaming import StreamingModel

if TYPE_CHECKING:
    import keras
    from keras import KerasTensor

# States of the step: the last samples and the last features, in which the next windows begin.
SAMPLES, FRAMES = "last_samples", "last_frames"
LSTM = "lstm"
# Number of frames that the convolution of a block reads.
KERNEL_SIZE = 4

# Layers -------------------------------------------------------------------------------------------


class CausalStack:
    """Convolutions with strides, LSTM layers or residual blocks, and a dense layer.

    Args:
        config: config of the model.
        make: makes the layers.
    """

    def __init__(self, config: LSTMCTC, make: MakeLayer):
        from keras import layers

        from zoo.common.layers import recurrent

        factor, filters = config.subsampling_factor, config.conv_filters
        kernels = [((2 * factor - 1, 3), (factor, 2)), ((1, 3), (1, 2))]
        self.convolutions = [
            [
                make(layers.ZeroPadding2D, ((0, 0), (1, 1)), name=f"conv{i}_pad"),
                make(layers.Conv2D, filters, kernel, strides, activation="relu", name=f"conv{i}"),
            ]
            for i, (kernel, strides) in enumerate(kernels)
        ]
        bins = (config.features.mel_bins + 3) // 4
        self.stack = make(layers.Reshape, (-1, bins * filters), name="stack_channels")
        self.config = config
        # The recurrent layers, each after the layers that its inputs pass; and the layers after them.
        self.cells: list[tuple[Any, ...]] = []
        self.after: list[Any] = []
        size = config.hidden_size
        if config.cell == LSTM:
            for i in range(config.layers):
                norm = make(layers.LayerNormalization, name=f"norm{i}")
                dropout = make(layers.Dropout, config.dropout, name=f"dropout{i}")
                both = {"return_sequences": True, "return_state": True}
                self.cells.append(
                    (norm, dropout, make(recurrent.LSTM, size, **both, name=f"lstm{i}"))
                )
        else:
            layer = getattr(recurrent, BLOCKS[config.cell])
            for i in range(config.layers):
                before = (make(layers.Dense, size, name="embedding"),) if i == 0 else ()
                block = make(
                    recurrent.RecurrentBlock,
                    layer(size),
                    KERNEL_SIZE,
                    dropout=config.dropout,
                    return_state=True,
                    name=f"block{i}",
                )
                self.cells.append((*before, block))
            self.after.append(make(layers.LayerNormalization, name="norm"))
        self.after.append(make(layers.Dropout, config.dropout, name="dropout_top"))
        self.logits = make(layers.Dense, config.vocabulary_size, dtype="float32", name="logits")

    def __call__(
        self, features: KerasTensor, states: Mapping[str, KerasTensor] | None = None
    ) -> tuple[KerasTensor, dict[str, KerasTensor]]:
        """Return the logits and the states of the recurrent layers after them.

        Args:
            features: float32 [batch, subsampling_factor - 1 + frames, mel_bins], starting with the
                frames in which the first window of the convolution begins.
            states: the states of the recurrent layers by name; None at the start of a recording.
        """
        from keras import ops

        x = ops.expand_dims(features, -1)
        following: dict[str, KerasTensor] = {}
        for pad, convolution in self.convolutions:
            x = convolution(pad(x))
        x = self.stack(x)
        for i, (*before, cell) in enumerate(self.cells):
            for layer in before:
                x = layer(x)
            names = [spec.name for spec in self.config.cell_states(i)]
            initial = None if states is None else [states[name] for name in names]
            x, *last = cell(x, initial_state=initial)
            following |= dict(zip(names, last, strict=True))
        for layer in self.after:
            x = layer(x)
        return self.logits(x), following


# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LSTMCTC(StreamingModel):
    """Config of the model.

    Args:
        vocabulary_size: size of the output, including the blank.
        cell: "lstm" for LSTM layers; "mingru", "rglru" or "lru" for residual blocks around these layers.
        layers: number of LSTM layers or blocks.
        hidden_size: number of units of each layer, and of features of the blocks.
        conv_filters: number of filters of each of the two convolutions.
        subsampling_factor: number of feature frames per frame of the stack and of the logits.
        dropout: dropout rate of the inputs of each layer.
        end_frames: as in `StreamingModel`: maximum delay of a label after its sound.
        features: as in `AcousticModel`; the normalization must be "running".
    """

    vocabulary_size: int
    cell: str = LSTM
    layers: int = 3
    hidden_size: int = 256
    conv_filters: int = 32
    subsampling_factor: int = 3
    dropout: float = training_only(0.3)
    features: LogMel = field(
        default_factory=lambda: LogMel(normalization="running", prior_frames=100), kw_only=True
    )

    def __post_init__(self):
        check_choice("model.cell", self.cell, (LSTM, *BLOCKS))
        for name in ("layers", "hidden_size", "conv_filters"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.subsampling_factor", self.subsampling_factor, at_least=2)
        check_range("model.end_frames", self.end_frames, at_least=0)
        check_range("model.vocabulary_size", self.vocabulary_size, at_least=2)
        check_range("model.dropout", self.dropout, at_least=0, below=1)
        check_choice("model.features.normalization", self.features.normalization, ("running",))
        overlap = "model.features.window - model.features.hop"
        check_range(overlap, self.features.overlap_samples, at_least=1)

    @property
    def chunk_samples(self) -> int:
        return self.features.hop_samples * self.subsampling_factor

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """The samples and features in which the next windows begin, and further states.

        They are the statistics of the normalization, and those of `cell_states`.
        """
        return (
            StateSpec(SAMPLES, (self.features.overlap_samples,)),
            *self.features.states,
            StateSpec(FRAMES, (self.subsampling_factor - 1, self.features.mel_bins)),
            *(spec for i in range(self.layers) for spec in self.cell_states(i)),
        )

    def cell_states(self, i: int) -> tuple[StateSpec, ...]:
        """Return the states of a layer i, such as the output `h<i>` and the cell `c<i>` of an LSTM."""
        size = self.hidden_size
        if self.cell == LSTM:
            return state_specs(cell_states("LSTM", size), f"{i}")
        return state_specs(block_states(BLOCKS[self.cell], size, size, KERNEL_SIZE), f"{i}")

    def build(self) -> keras.Model:
        return build_lstm_ctc(self)

    def graphs(self, model: keras.Model) -> dict[str, keras.Model]:
        """Return the model and the graph of `build_step`."""
        return {MODEL: model, STEP: build_step(self, model)}


# Functional model ---------------------------------------------------------------------------------


def build_lstm_ctc(config: LSTMCTC) -> keras.Model:
    """Return the functional model, from waveforms to logits.

    Args:
        config: config of the model.

    Returns:
        A model with the inputs and outputs of `AcousticModel` for CTC.
    """
    import keras
    from keras import layers, ops

    waveform = keras.Input((None,), name="waveform", dtype="float32")
    lengths = keras.Input((), name="lengths", dtype="int32")
    # Zeros before the recording are those before the first step; zeros after it complete the last chunk,
    # and add some chunks.
    chunk, overlap = config.chunk_samples, config.features.overlap_samples
    signal = ops.expand_dims(waveform, -1)
    signal = signal * ops.cast(ops.expand_dims(frame_mask(signal, lengths), -1), "float32")
    silence = (overlap, chunk - 1 + config.end_frames * chunk)
    signal = layers.ZeroPadding1D(silence, name="silence")(signal)
    chunks = (lengths + (chunk - 1)) // chunk + config.end_frames
    features, frames = config.features(signal[:, :, 0], chunks * chunk + overlap)

    before = (config.subsampling_factor - 1, 0)
    padded = layers.ZeroPadding1D(before, name="frames_before")(features)
    logits, _ = CausalStack(config, new_layer)(padded)
    logit_lengths = layers.Identity(name="logit_lengths")(frames // config.subsampling_factor)
    outputs = {"logits": logits, "logit_lengths": logit_lengths}
    return keras.Model({"waveform": waveform, "lengths": lengths}, outputs, name="lstm_ctc")


def build_step(config: LSTMCTC, model: keras.Model) -> keras.Model:
    """Return the graph that processes the next chunks of recordings.

    Args:
        config: config of the model.
        model: the model, whose layers are shared.

    Returns:
        A model with the inputs and outputs of the graph `step` of `StreamingModel`.
    """
    import keras
    from keras import layers, ops

    make = layers_of(model)
    waveform = keras.Input((None,), name="waveform", dtype="float32")
    states = {
        spec.name: keras.Input(spec.shape, name=spec.name, dtype=spec.dtype)
        for spec in config.states
    }
    # Fails if the samples are not whole chunks: the states would lose the others.
    chunks = layers.Reshape((-1, config.chunk_samples), name="chunks")(waveform)
    signal = ops.concatenate([states[SAMPLES], waveform], axis=1)
    power = config.features.mel_power(signal, make)
    features, means = config.features.normalize_running(power, states)
    features = ops.concatenate([states[FRAMES], features], axis=1)
    logits, cells = CausalStack(config, make)(features, states)
    # Joined to the logits and cut off again, so that no runtime removes the check.
    logits = ops.concatenate([logits, chunks[:, :, :1]], axis=-1)[:, :, : config.vocabulary_size]
    following = {
        SAMPLES: signal[:, -config.features.overlap_samples :],
        FRAMES: features[:, 1 - config.subsampling_factor :],
        **means,
        **cells,
    }
    outputs = {
        name: layers.Identity(dtype="float32", name=name)(output)
        for name, output in as_outputs(following).items()
    }
    return keras.Model({"waveform": waveform, **states}, {"logits": logits, **outputs}, name=STEP)


# Recipes ------------------------------------------------------------------------------------------

# The phonemes of an4.phone, except SIL: the blank includes pauses between words.
PHONEMES = "AA AE AH AO AW AY B CH D EH ER EY F G HH IH IY JH K L M N OW P R S T TH UW V W Y Z"
PAPER = "Graves 2012, chapter 7; Sak, Senior, Rao & Beaufays 2015"


def an4_recipe(name: str, labels: Labels, task: CTC) -> Recipe:
    """Return a recipe of the model for AN4.

    Args:
        name: name of the recipe.
        labels: phonemes or words; empty for the words of the training data.
        task: measures the transcripts.
    """
    return Recipe(
        name=name,
        data=TranscribedRecordings(
            target="words",
            labels=labels,
            speed_perturbation=(0.9, 1.0, 1.1),
            augmentation=replace(USERS_CONDITIONS, silence=0.3, silence_seconds=(0.0, 1.5)),
            # Narrower than the paper's 27 bins and 100 frames: AN4's clips are short.
            spec_augment=SpecAugment(freq_width=18, time_width=16),
        ),
        model=LSTMCTC(
            vocabulary_size=max(2, len(labels.symbols) + 1),
            features=LogMel(normalization="running", prior_frames=100, dynamic_range=60.0),
        ),
        task=task,
        decoder=CTCSearch(),
        optimizer=AdamW(learning_rate=2e-3, warmup_epochs=2, weight_decay=1e-2),
        training=GradientDescent(epochs=55, batch_size=16, patience=55),
    )


def phoneme_recipe(name: str) -> Recipe:
    """Return the recipe of the model for the phonemes of AN4."""
    return an4_recipe(name, Labels(tuple(PHONEMES.split()), "word"), CTC(monitor="per"))


@register("speech/lstm-ctc-phoneme-an4", paper=PAPER, corpus=AN4_PHONEMES, metric="per")
def lstm_ctc_phoneme_an4(name: str) -> Recipe:
    """LSTM layers recognize phonemes while a person speaks.

    For short English utterances over a close microphone: letters, digits and numbers, dates, and the
    eleven control words of AN4. It answers while the recording is made (`zoo predict --stream`), and
    returns the time of each phoneme.

    It answers in phonemes, not in words, and only knows those of AN4's 105 words. The references are
    the first pronunciations in AN4's dictionary (for A, the letter's), not phonetic transcriptions of
    the recordings. The speakers are about eighty adults recorded in Pittsburgh in 1991; other accents
    and children were not measured. docs/robustness.md has figures for noise and rooms.
    """
    return phoneme_recipe(name)


@register(
    "speech/mingru-ctc-phoneme-an4", paper="Feng et al. 2024", corpus=AN4_PHONEMES, metric="per"
)
def mingru_ctc_phoneme_an4(name: str) -> Recipe:
    """Minimal GRUs recognize phonemes while a person speaks.

    It has as many weights as `speech/lstm-ctc-phoneme-an4`, with which it is compared, and the same
    uses: short English utterances over a close microphone, while the recording is made. Its gates do not
    depend on the state, so that all frames of a training example are computed in parallel.

    It answers in phonemes, not in words, and only knows those of AN4's 105 words. The references are
    the first pronunciations in AN4's dictionary (for A, the letter's), not phonetic transcriptions of
    the recordings. The speakers are about eighty adults recorded in Pittsburgh in 1991; other accents
    and children were not measured.
    """
    sizes = {"model.cell": "mingru", "model.layers": 4, "model.hidden_size": 224}
    return phoneme_recipe(name).override(sizes)


@register("speech/lstm-ctc-an4-streaming", paper=PAPER, corpus=AN4, metric="wer")
def lstm_ctc_an4_streaming(name: str) -> Recipe:
    """LSTM layers write the words of spelled names, numbers and control words while a person speaks.

    For short English utterances over a close microphone: letters, digits and numbers, dates, and the
    eleven control words of AN4. It answers while the recording is made (`zoo predict --stream`), and
    returns the time of each word. A label of the model is a word, so it makes no spelling errors.

    It only knows the 99 words of its training, of which 26 are letters: other words get no answer, or
    the most similar words. The speakers are about eighty adults recorded in Pittsburgh in 1991; other
    accents and children were not measured. docs/robustness.md has figures for noise and rooms.
    `speech/bilstm-ctc-an4`, which needs the whole recording, makes fewer errors.
    """
    return an4_recipe(name, Labels(unit="word"), CTC())
