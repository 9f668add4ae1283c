"""A modern time-delay network: dilated convolutions over time with residuals, and CTC on top.

Peddinti, Povey & Khudanpur, "A time delay neural network architecture for efficient modeling of long
temporal contexts" (2015), with wider temporal contexts in higher layers; residuals: He, Zhang, Ren &
Sun, "Deep residual learning for image recognition" (2016).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_range
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
from zoo.speech.features.spec_augment import SpecAugment
from zoo.speech.layers import ctc_outputs
from zoo.speech.recognition.corpora.an4 import AN4, AN4_LETTERS, AN4_PUBLISHED
from zoo.speech.recognition.data import TranscribedRecordings

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TDNNCTC(AcousticModel):
    """Config of the model.

    Args:
        vocabulary_size: size of the output, including the blank.
        channels: number of units of each layer.
        dilations: dilation of each layer above the first: the inputs of its units are the frames
            t - dilation, t and t + dilation of the layer below.
        subsampling_factor: number of feature frames per frame of the layers and of the logits.
        dropout: dropout rate of the outputs of each layer.
        features: as in `AcousticModel`.
    """

    vocabulary_size: int
    channels: int = 256
    dilations: tuple[int, ...] = (1, 1, 2, 2, 4, 4, 8, 8)
    subsampling_factor: int = 3
    dropout: float = training_only(0.2)

    def __post_init__(self):
        check_range("model.vocabulary_size", self.vocabulary_size, at_least=2)
        for name in ("channels", "subsampling_factor"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        for dilation in self.dilations:
            check_range("model.dilations", dilation, at_least=1)
        check_range("model.dropout", self.dropout, at_least=0, below=1)

    def build(self) -> keras.Model:
        return build_tdnn_ctc(self)


# Functional model ---------------------------------------------------------------------------------


def build_tdnn_ctc(config: TDNNCTC) -> keras.Model:
    """Return the functional model, from waveforms to logits.

        f(x)     = dropout(relu(norm(x))), 0 outside the recording
        h_0[t]   = f(W_0 x[s t - s + 1 .. s t + s - 1])                    s: subsampling factor
        h_i[t]   = h_{i-1}[t] + f(W_i h_{i-1}[t - d_i, t, t + d_i])        d_i: dilation
        logits   = W h_n + b

    `norm` is batch normalization over the frames of a batch without padding.

    Args:
        config: config of the model.

    Returns:
        A model with the inputs and outputs of `AcousticModel` for CTC.
    """
    import keras
    from keras import layers, ops

    waveform = keras.Input((None,), name="waveform", dtype="float32")
    lengths = keras.Input((), name="lengths", dtype="int32")
    x, frames = config.features(waveform, lengths)

    factor = config.subsampling_factor
    frames = (frames - 1) // factor + 1
    x = layers.ZeroPadding1D((factor - 1, factor - 1), name="pad")(x)
    x = layers.Conv1D(
        config.channels, 2 * factor - 1, strides=factor, use_bias=False, name="delay0"
    )(x)
    inside = frame_mask(x, frames)
    weight = ops.expand_dims(ops.cast(inside, x.dtype), -1)

    def activated(x, i):
        x = layers.BatchNormalization(momentum=0.9, name=f"norm{i}")(x, mask=inside)
        x = layers.Activation("relu", name=f"activation{i}")(x)
        return layers.Dropout(config.dropout, name=f"dropout{i}")(x) * weight

    x = activated(x, 0)
    for i, dilation in enumerate(config.dilations, start=1):
        delay = layers.Conv1D(
            config.channels,
            3,
            padding="same",
            dilation_rate=dilation,
            use_bias=False,
            name=f"delay{i}",
        )
        x = x + activated(delay(x), i)
    outputs = ctc_outputs(x, frames, config.vocabulary_size)
    return keras.Model({"waveform": waveform, "lengths": lengths}, outputs, name="tdnn_ctc")


# Recipes ------------------------------------------------------------------------------------------


@register(
    "speech/tdnn-ctc-an4",
    paper="Peddinti, Povey & Khudanpur 2015",
    corpus=AN4,
    metric="wer",
    published=AN4_PUBLISHED,
)
def tdnn_ctc_an4(name: str) -> Recipe:
    """Dilated convolutions over time recognize spelled names, numbers and control words.

    For short English utterances over a close microphone. It has no recurrent layer, so all frames are
    computed at once, and it is trained and answers faster than `speech/bilstm-ctc-an4`. The context of
    a frame is two seconds.

    It does not know words other than AN4's letters, digits, numbers, dates and eleven control words. The
    speakers are about eighty adults recorded in Pittsburgh in 1991; other accents, children, distant
    microphones and noise were not measured.

    Silence before and after the speech is trimmed: digital silence of at least 0.1 s, low noise of at
    least 0.45 s. A silent recording has no text.
    """
    return Recipe(
        name=name,
        data=TranscribedRecordings(
            labels=Labels(AN4_LETTERS),
            speed_perturbation=(0.9, 1.0, 1.1),
            spec_augment=SpecAugment(freq_width=18, time_width=16),
        ),
        model=TDNNCTC(vocabulary_size=28),
        task=CTC(),
        decoder=CTCSearch(),
        optimizer=AdamW(learning_rate=2e-3, warmup_epochs=3, weight_decay=1e-2),
        training=GradientDescent(epochs=80, batch_size=16, patience=80),
    )
