"""A convolutional recurrent network: convolutions over a spectrogram, and a bidirectional LSTM.

Çakır, Parascandolo, Heittola, Huttunen & Virtanen, "Convolutional recurrent neural networks for
polyphonic sound event detection" (2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from zoo.common.core.errors import check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.core.settings import training_only
from zoo.common.data.labels import Labels
from zoo.common.decoding.decoders import Classes
from zoo.common.layers.pooling import mean_and_maximum
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.speech.detection.corpora.right_whale import CLASSES, RIGHT_WHALE
from zoo.speech.detection.corpora.watkins import WATKINS
from zoo.speech.detection.spectrograms import Spectrograms
from zoo.speech.detection.task import Detection
from zoo.speech.features.frontend import LogMel
from zoo.speech.features.spec_augment import SpecAugment

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CRNN(KerasModel):
    """Config of the model, a model of spectrograms; see `zoo.speech.detection.spectrograms`.

    Args:
        num_classes: number of units of the last layer.
        bands: number of bands of a frame.
        channels: number of filters of each convolution of 3 frames by 3 bands. Each convolution is
            followed by pooling over 2 bands, and the first two also over 2 frames.
        hidden_size: number of units of each direction of the LSTM.
        dropout: dropout rate of the inputs of the LSTM and of the last layer.
        top: highest value of a spectrogram.
        frame_outputs: whether the model has the outputs of `zoo.common.tasks.frames`. Examples with the
            times of events set it.
    """

    # Number of convolutions that are followed by pooling over frames.
    HALVED: ClassVar[int] = 2

    num_classes: int
    bands: int
    channels: tuple[int, ...] = (16, 32, 64)
    hidden_size: int = 64
    dropout: float = training_only(0.3)
    top: float = 63.0
    frame_outputs: bool = False

    def __post_init__(self):
        check_range("model.num_classes", self.num_classes, at_least=2)
        for channels in self.channels:
            check_range("model.channels", channels, at_least=1)
        check_range("model.bands", self.bands, at_least=2 ** len(self.channels))
        check_range("model.hidden_size", self.hidden_size, at_least=1)
        check_range("model.dropout", self.dropout, at_least=0, below=1)
        check_range("model.top", self.top, above=0)

    @property
    def subsampling_factor(self) -> int:
        """The number of frames of the input for each frame after all pooling layers."""
        return 2 ** min(self.HALVED, len(self.channels))

    @property
    def min_frames(self) -> int:
        """The minimum number of frames: one remains after all pooling layers."""
        return self.subsampling_factor

    def build(self) -> keras.Model:
        return build_crnn(self)


# Functional model ---------------------------------------------------------------------------------


def build_crnn(config: CRNN) -> keras.Model:
    """Return the functional model, from spectrograms to logits.

        x_0      = (s, s - the mean of its band over time), two channels, s = 4 spectrogram / top
        x_i      = relu(norm(maximum over 2 bands (and 2 frames) of conv_i(x_{i-1})))
        h[t]     = BiLSTM(x_n)[t]
        logits   = W [mean of h over time; maximum of h over time] + b
        frame_logits[t] = W [h[t]; h[t]] + b    with `frame_outputs`

    The logits of a frame are those of a clip that has only this frame, so the frames need no weights
    of their own, and a model that was trained on clips is a start for them.

    Args:
        config: config of the model.

    Returns:
        A model with the inputs and outputs stated in `zoo.speech.detection.spectrograms`.
    """
    import keras
    from keras import layers, ops

    from zoo.common.layers import recurrent
    from zoo.common.layers.masks import frame_mask

    spectrogram = keras.Input((None, config.bands), name="spectrogram", dtype="float32")
    lengths = keras.Input((), name="lengths", dtype="int32")

    def mask(sequence, frames):  # bool [batch, time] and float32 [batch, time, 1]
        inside = frame_mask(sequence, frames)
        return inside, ops.cast(ops.expand_dims(inside, -1), "float32")

    frames = lengths
    _, weight = mask(spectrogram, frames)
    scaled = spectrogram * (4 / config.top) * weight
    count = ops.cast(ops.expand_dims(frames, (-1, -2)), "float32")
    mean = ops.sum(scaled, axis=1, keepdims=True) / count
    # Steady noise is removed with the mean of its band.
    x = ops.concatenate(
        [ops.expand_dims(scaled, -1), ops.expand_dims((scaled - mean) * weight, -1)], axis=-1
    )
    for i, channels in enumerate(config.channels):
        halved = 2 if i < config.HALVED else 1
        x = layers.Conv2D(channels, 3, padding="same", use_bias=False, name=f"conv{i}")(x)
        x = layers.MaxPooling2D((halved, 2), name=f"pool{i}")(x)
        frames = frames // halved
        inside, weight = mask(x[:, :, 0], frames)
        x = layers.BatchNormalization(momentum=0.9, name=f"norm{i}")(
            x, mask=ops.expand_dims(inside, -1)
        )
        x = layers.Activation("relu", name=f"activation{i}")(x)
        x = x * ops.cast(ops.expand_dims(weight, -1), x.dtype)
    x = layers.Reshape((-1, x.shape[2] * x.shape[3]), name="stack_channels")(x)
    x = layers.Dropout(config.dropout, name="dropout_lstm")(x)
    x = recurrent.Bidirectional(
        recurrent.LSTM(config.hidden_size, return_sequences=True), name="lstm"
    )(x, mask=inside)
    dropout = layers.Dropout(config.dropout, name="dropout_top")
    dense = layers.Dense(config.num_classes, dtype="float32", name="logits")
    outputs = {"logits": dense(dropout(mean_and_maximum(x, inside)))}
    if config.frame_outputs:
        x = ops.cast(x, "float32")
        each = dense(dropout(ops.concatenate([x, x], axis=-1)))
        outputs["frame_logits"] = layers.Identity(dtype="float32", name="frame_logits")(each)
        outputs["frame_logit_lengths"] = layers.Identity(name="frame_logit_lengths")(frames)
    return keras.Model({"spectrogram": spectrogram, "lengths": lengths}, outputs, name="crnn")


# Recipes ------------------------------------------------------------------------------------------

# From the description of the corpus, which does not state the window.
UPCALL_MEL = LogMel(
    sample_rate=2000, window=0.128, hop=0.02, mel_bins=50, low_hz=0.0, high_hz=500.0
)


@register(
    "speech/crnn-right-whale",
    paper="Çakır, Parascandolo, Heittola, Huttunen & Virtanen 2017",
    corpus=RIGHT_WHALE,
    metric="auc",
)
def crnn_right_whale(name: str) -> Recipe:
    """A convolutional recurrent network detects the up-call of the North Atlantic right whale.

    For clips of about two seconds from buoys off New England. An up-call rises from about 50 to 200 Hz;
    these whales use it to keep in touch. The model is for a first selection of recordings, which a
    person then checks. Longer recordings are read in overlapping windows of two seconds.

    It was trained on spectrograms, since the original audio was not available. For recordings, the front
    end follows the description of these spectrograms (2 kHz, 50 mel bands up to 500 Hz, one frame per
    20 ms, each clip scaled separately). The description does not state the analysis window, so answers
    to audio may be worse than the figures. Other whales, other seas and other ships were not measured.
    """
    return Recipe(
        name=name,
        data=Spectrograms(
            labels=Labels(CLASSES, "class"),
            features=UPCALL_MEL,
            time_shift=15,
            spec_augment=SpecAugment(freq_masks=2, freq_width=10, time_masks=2, time_width=16),
        ),
        model=CRNN(num_classes=2, bands=50, dropout=0.4),
        task=Detection(monitor="auc", background="none"),
        decoder=Classes(),
        optimizer=AdamW(learning_rate=1.5e-3, weight_decay=1e-2, average_from=8),
        training=GradientDescent(epochs=24, batch_size=32, patience=24),
    )


# Up to 8 kHz, the limit of the fastest recorders of the corpus. The window is long enough for calls at
# 20 Hz.
WHALE_MEL = LogMel(
    sample_rate=16_000, window=0.064, hop=0.012, mel_bins=64, low_hz=10.0, high_hz=8000.0
)


@register(
    "speech/crnn-watkins",
    paper="Çakır, Parascandolo, Heittola, Huttunen & Virtanen 2017",
    corpus=WATKINS,
    metric="f1_macro",
)
def crnn_watkins(name: str) -> Recipe:
    """A convolutional recurrent network identifies the species of a calling whale, one of thirteen.

    An experiment with a small corpus: 629 cuts of 0.05 to 76 s, from one to fifteen tapes per species.
    The model is for a first guess about a short, clear cut with one calling whale, which a person who
    knows whales then checks. Longer recordings are read in windows of four seconds.

    No tape is in two splits, so the figures are for tapes that are not in train. There is only one tape
    of the melon-headed whale, in train: its recall is unknown. The minke and the southern right whale
    have two tapes each, so they are in test but not in dev. A species has 6 to 17 test clips: a figure
    may differ by a tenth on other tapes.

    The recorders depend on the species (600 Hz for fin whales, 16,000 Hz for dolphin-like whales), and a
    spectrogram is empty above half of the sample rate: the network may recognize the recorder. The
    sample rate alone would give a macro F1 of 0.35 on test. The network always answers with one of the
    thirteen species, for other sounds and other whales too.
    """
    return Recipe(
        name=name,
        data=Spectrograms(
            features=WHALE_MEL,
            time_shift=60,
            spec_augment=SpecAugment(freq_masks=2, freq_width=10, time_masks=2, time_width=20),
            window=4.0,
        ),
        model=CRNN(num_classes=13, bands=64, dropout=0.5),
        task=Detection(monitor="f1_macro", background="none"),
        decoder=Classes(),
        optimizer=AdamW(learning_rate=2e-3, weight_decay=2e-2),
        training=GradientDescent(epochs=20, batch_size=16, patience=20),
    )
