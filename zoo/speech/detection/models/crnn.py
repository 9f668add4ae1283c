"""A convolutional recurrent network: patterns in a spectrogram, and a bidirectional LSTM over them.

Çakır, Parascandolo, Heittola, Huttunen & Virtanen, "Convolutional recurrent neural networks for
polyphonic sound event detection" (2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from zoo.common.core.errors import check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.data.labels import Labels
from zoo.common.decoding.decoders import Classes
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.tasks.classification import Classification
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.speech.detection.corpora.right_whale import CLASSES, RIGHT_WHALE
from zoo.speech.detection.corpora.watkins import WATKINS
from zoo.speech.detection.spectrograms import Spectrograms
from zoo.speech.features.frontend import LogMel
from zoo.speech.features.spec_augment import SpecAugment
from zoo.speech.layers import mean_and_maximum

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CRNN(KerasModel):
    """Arguments of the network, a model of spectrograms: see `zoo.speech.detection.spectrograms`.

    num_classes: int. Units of the last layer.
    bands: int. Of a frame.
    channels: tuple of int. Filters of each convolution, of 3 frames by 3 bands; each halves the bands,
        the first two halve the frames.
    hidden_size: int. Units of each direction of the LSTM.
    dropout: float. Share of the inputs of the LSTM and of the last layer that is dropped in training.
    top: float. The highest value of a spectrogram.
    """

    # Convolutions after which the frames are halved, too.
    HALVED: ClassVar[int] = 2

    num_classes: int
    bands: int
    channels: tuple[int, ...] = (16, 32, 64)
    hidden_size: int = 64
    dropout: float = 0.3
    top: float = 63.0

    def __post_init__(self):
        check_range("model.num_classes", self.num_classes, at_least=2)
        for channels in self.channels:
            check_range("model.channels", channels, at_least=1)
        check_range("model.bands", self.bands, at_least=2 ** len(self.channels))
        check_range("model.hidden_size", self.hidden_size, at_least=1)
        check_range("model.dropout", self.dropout, at_least=0, below=1)
        check_range("model.top", self.top, above=0)

    @property
    def min_frames(self) -> int:
        """The fewest frames of which one is left after all halvings."""
        return 2 ** min(self.HALVED, len(self.channels))

    def build(self) -> keras.Model:
        """See `build_crnn`."""
        return build_crnn(self)


# Functional model ---------------------------------------------------------------------------------


def build_crnn(config: CRNN) -> keras.Model:
    """Build the functional model, spectrogram in and logits out.

        x_0      = (s, s - the mean of its band over time), two channels, s = 4 spectrogram / top
        x_i      = relu(norm(maximum over 2 bands (and 2 frames) of conv_i(x_{i-1})))
        h[t]     = BiLSTM(x_n)[t]
        logits   = W [mean of h over time; maximum of h over time] + b

    Args:
        config: its arguments.

    Returns:
        A model with the inputs and outputs that `zoo.speech.detection.spectrograms` lists.
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
    # A steady hum is in the mean of its band; a call is not.
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
    x = layers.Dropout(config.dropout, name="dropout_top")(mean_and_maximum(x, inside))
    logits = layers.Dense(config.num_classes, dtype="float32", name="logits")(x)
    return keras.Model(
        {"spectrogram": spectrogram, "lengths": lengths}, {"logits": logits}, name="crnn"
    )


# Recipes ------------------------------------------------------------------------------------------

# As the description of the corpus says; the window is not told there.
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

    For clips of about two seconds from buoys off New England: is there an up-call, the rise from about
    50 to 200 Hz by which these whales keep in touch? For a first sorting of recordings, which a person
    then looks at: longer ones are read in windows of two seconds that overlap.

    It was trained on spectrograms: the original audio was not at hand. A recording goes through a front
    end that follows their description (2 kHz, 50 mel bands to 500 Hz, a frame each 20 ms, each clip
    scaled by itself), but the window of the original one is not told, so answers to audio are less sure
    than the figures. Other whales, other seas and ships that differ from those of the corpus were not
    measured.
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
        task=Classification(monitor="auc", background="none"),
        decoder=Classes(),
        optimizer=AdamW(learning_rate=1.5e-3, weight_decay=1e-2, average_from=8),
        training=GradientDescent(epochs=24, batch_size=32, patience=24),
    )


# To 8 kHz, which the fastest recorders of the corpus reach; windows long enough for calls at 20 Hz.
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
    """A convolutional recurrent network names the species of a whale that calls, of thirteen.

    An experiment with a small corpus: 629 cuts of 0.05 to 76 s, one to fifteen tapes a species. For a
    first guess about a short, clear cut with one calling whale, which a person who knows whales then
    checks. Longer recordings are read in windows of four seconds.

    No tape is in two of the splits, so the figures are of tapes that the network never heard. Of the
    melon-headed whale there is one tape alone, in train: how well it is found is not known. The minke
    and the southern right whale have two tapes each, so they are in test but not in dev. A species has
    6 to 17 test clips: a figure may differ by a tenth on other tapes.

    The recorders differ from species to species (fin whales at 600 samples a second, dolphin-like whales
    at 16,000), and what lies above half of that is empty in a spectrogram: part of what the network
    knows may be the recorder. The rate alone would give a macro F1 of 0.35 on test. It always answers
    with one of the thirteen: other sounds and other whales are taken for one of them.
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
        task=Classification(monitor="f1_macro"),
        decoder=Classes(),
        optimizer=AdamW(learning_rate=2e-3, weight_decay=2e-2),
        training=GradientDescent(epochs=20, batch_size=16, patience=20),
    )
