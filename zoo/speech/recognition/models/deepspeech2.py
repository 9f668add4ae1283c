"""Deep Speech 2: convolutions over time and frequency, a deep bidirectional recurrent stack, CTC.

Amodei et al., "Deep Speech 2: end-to-end speech recognition in English and Mandarin" (2016), section 3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import ZooError, check_choice, check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.core.settings import training_only
from zoo.common.data.labels import Labels
from zoo.common.decoding.decoders import CTCSearch
from zoo.common.layers.masks import frame_mask
from zoo.common.tasks.ctc import CTC
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.speech.acoustic import AcousticModel
from zoo.speech.audio.augmentation import Augmentation
from zoo.speech.features.frontend import LogMel
from zoo.speech.features.spec_augment import SpecAugment
from zoo.speech.layers import RECURRENCES, birnn_stack, ctc_outputs, pad_odd
from zoo.speech.recognition.corpora.english import ENGLISH
from zoo.speech.recognition.corpora.librispeech import LIBRISPEECH_MINI
from zoo.speech.recognition.data import TranscribedRecordings

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DeepSpeech2(AcousticModel):
    """Config of the model.

    Args:
        vocabulary_size: size of the output, including the blank.
        channels: number of filters of each convolution.
        kernel_frames: kernel size of each convolution in frames; odd numbers.
        kernel_bands: kernel size of each convolution in bands; odd numbers.
        strides: stride of each convolution in frames. The stride in bands is 2.
        cell: "lstm" or "gru".
        layers: number of bidirectional layers.
        hidden_size: number of units of each direction.
        dropout: dropout rate of the inputs of each layer.
        features: as in `AcousticModel`.
    """

    vocabulary_size: int
    channels: tuple[int, ...] = (16, 32)
    kernel_frames: tuple[int, ...] = (7, 5)
    kernel_bands: tuple[int, ...] = (9, 5)
    strides: tuple[int, ...] = (2, 2)
    cell: str = "lstm"
    layers: int = 3
    hidden_size: int = 256
    dropout: float = training_only(0.1)

    def __post_init__(self):
        check_choice("model.cell", self.cell, RECURRENCES)
        for name in ("layers", "hidden_size"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.vocabulary_size", self.vocabulary_size, at_least=2)
        check_range("model.dropout", self.dropout, at_least=0, below=1)
        for name in ("kernel_frames", "kernel_bands", "strides"):
            values = getattr(self, name)
            if len(values) != len(self.channels):
                raise ZooError(
                    f"model.{name} must have one number for each of model.channels. "
                    f"Received: {values} for {self.channels}."
                )
        for name in ("channels", "kernel_frames", "kernel_bands", "strides"):
            for value in getattr(self, name):
                check_range(f"model.{name}", value, at_least=1)
        for value in (*self.kernel_frames, *self.kernel_bands):
            if value % 2 == 0:
                raise ZooError(
                    f"model.kernel_frames and model.kernel_bands must be odd. Received: {value}."
                )

    def build(self) -> keras.Model:
        return build_deepspeech2(self)

    @property
    def subsampling_factor(self) -> int:
        return math.prod(self.strides)


# Functional model ---------------------------------------------------------------------------------


def build_deepspeech2(config: DeepSpeech2) -> keras.Model:
    """Return the functional model, from waveforms to logits.

        x_0      = the features, an image of frames by bands with one channel
        x_i      = min(max(norm(conv_i(x_{i-1})), 0), 20)    for each convolution, 0 after the end
        h_0      = the bands and channels of x_n, concatenated
        h_i      = BiRNN_i(dropout(layer norm(h_{i-1})))     for each recurrent layer
        logits   = W dropout(h_m) + b

    The convolutions are normalized over the frames of a batch without padding. The recurrent layers are
    normalized over their channels, frame by frame, not over the batch as in the paper.

    Args:
        config: config of the model.

    Returns:
        A model with the inputs and outputs of `AcousticModel` for CTC.
    """
    import keras
    from keras import layers, ops

    waveform = keras.Input((None,), name="waveform", dtype="float32")
    lengths = keras.Input((), name="lengths", dtype="int32")
    features, frames = config.features(waveform, lengths)

    x = ops.expand_dims(features, -1)
    kernels = zip(config.kernel_frames, config.kernel_bands, strict=True)
    for i, (channels, kernel, stride) in enumerate(
        zip(config.channels, kernels, config.strides, strict=True)
    ):
        x = pad_odd(x, kernel, f"conv{i}_pad")
        x = layers.Conv2D(channels, kernel, strides=(stride, 2), use_bias=False, name=f"conv{i}")(x)
        frames = (frames - 1) // stride + 1
        inside = ops.expand_dims(frame_mask(x[:, :, 0], frames), -1)
        x = layers.BatchNormalization(momentum=0.9, name=f"conv{i}_norm")(x, mask=inside)
        x = ops.minimum(ops.relu(x), 20.0) * ops.cast(ops.expand_dims(inside, -1), x.dtype)
    x = layers.Reshape((-1, x.shape[2] * x.shape[3]), name="stack_channels")(x)
    x = birnn_stack(
        x,
        frame_mask(x, frames),
        config.cell,
        config.layers,
        config.hidden_size,
        config.dropout,
    )
    outputs = ctc_outputs(x, frames, config.vocabulary_size)
    return keras.Model({"waveform": waveform, "lengths": lengths}, outputs, name="deepspeech2")


# Recipes ------------------------------------------------------------------------------------------


@register(
    "speech/deepspeech2-librispeech-mini",
    paper="Amodei et al. 2016",
    corpus=LIBRISPEECH_MINI,
    metric="wer",
)
def deepspeech2_librispeech_mini(name: str) -> Recipe:
    """Convolutions and bidirectional LSTM layers transcribe read English, letter by letter.

    For clear read English over a close microphone. It was trained on four and a half hours of audio
    books. It spells words as they sound; a language model (`--lm`) corrects many of these errors.

    The training data is small: about a thousand hours are usual. Accents other than North American
    ones, spontaneous speech, distant microphones and noise were not measured. It writes no digits, and
    no punctuation except the apostrophe.

    Silence before and after the speech is trimmed: digital silence of at least 0.1 s, low noise of at
    least 0.45 s. A silent recording has no text.
    """
    return Recipe(
        name=name,
        data=TranscribedRecordings(
            labels=Labels(tuple(" 'ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
            speed_perturbation=(0.9, 1.0, 1.1),
            spec_augment=SpecAugment(freq_width=15, time_width=25),
        ),
        model=DeepSpeech2(vocabulary_size=29),
        task=CTC(),
        decoder=CTCSearch(),
        optimizer=AdamW(learning_rate=1.2e-3, warmup_epochs=1, weight_decay=1e-2),
        training=GradientDescent(epochs=20, batch_size=8, patience=20),
    )


@register(
    "speech/bilstm-ctc-english",
    paper="Amodei et al. 2016",
    corpus=ENGLISH,
    metric="wer",
)
def bilstm_ctc_english(name: str) -> Recipe:
    """Convolutions and bidirectional LSTM layers transcribe spelled, spoken and read English.

    For numbers, spelled names and control words, and for read English, at any level, in low noise, in
    a room, or over a telephone. It is a starting point (`--init`) for English speech of your own. It
    spells words as they sound; a language model (`--lm`) corrects many of these errors.

    The training data is small: five hours of about a hundred adults, mostly North American. Other
    accents, children, spontaneous speech and loud noise were not measured. It writes no digits, and no
    punctuation except the apostrophe.

    Silence before and after the speech is trimmed: digital silence of at least 0.1 s, low noise of at
    least 0.45 s. A silent recording has no text.
    """
    return Recipe(
        name=name,
        data=TranscribedRecordings(
            labels=Labels(tuple(" 'ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
            speed_perturbation=(0.9, 1.0, 1.1),
            augmentation=Augmentation(
                codec=0.2, reverberation=0.2, noise=0.5, noise_ratio=(8.0, 35.0), offset=0.1
            ),
            spec_augment=SpecAugment(freq_width=15, time_width=25),
        ),
        # A range in which the noise of AN4's recordings remains audible.
        model=DeepSpeech2(vocabulary_size=29, features=LogMel(dynamic_range=60.0)),
        task=CTC(),
        decoder=CTCSearch(),
        optimizer=AdamW(learning_rate=1.2e-3, warmup_epochs=1, weight_decay=1e-2),
        training=GradientDescent(epochs=20, batch_size=8, patience=20),
    )
