"""A time-delay neural network: convolutions over time, and a sum of evidence for each class.

Waibel, Hanazawa, Hinton, Shikano & Lang, "Phoneme recognition using time-delay neural networks" (1989).
The squares are those of Lang, Waibel & Hinton, "A time-delay neural network architecture for isolated
word recognition" (1990).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zoo.common.core.errors import ZooError, check_choice, check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.core.settings import training_only
from zoo.common.data.labels import Labels
from zoo.common.decoding.decoders import Classes
from zoo.common.layers.masks import frame_mask
from zoo.common.tasks.classification import Classification
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.speech.acoustic import AcousticModel
from zoo.speech.detection.corpora.fsdd import FSDD
from zoo.speech.detection.data import LabelledRecordings
from zoo.speech.features.frontend import LogMel
from zoo.speech.features.spec_augment import NO_MASKS

if TYPE_CHECKING:
    import keras

ACTIVATIONS = ("sigmoid", "tanh", "relu")

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TDNN(AcousticModel):
    """Config of the model. The defaults are those of the paper.

    Args:
        num_classes: number of units of the last layer.
        channels: number of units of each hidden layer.
        kernel_sizes: kernel size in frames of each hidden layer, and of the last layer.
        activation: activation of the hidden layers: "sigmoid", "tanh" or "relu".
        batch_norm: whether hidden layers have batch normalization over frames without padding.
        dropout: dropout rate of the outputs of each hidden layer.
        features: as in `AcousticModel`.
    """

    num_classes: int
    channels: tuple[int, ...] = (8,)
    kernel_sizes: tuple[int, ...] = (3, 5)
    activation: str = "sigmoid"
    batch_norm: bool = False
    dropout: float = training_only(0.0)

    def __post_init__(self):
        check_range("model.num_classes", self.num_classes, at_least=2)
        for name in ("channels", "kernel_sizes"):
            for value in getattr(self, name):
                check_range(f"model.{name}", value, at_least=1)
        if len(self.kernel_sizes) != len(self.channels) + 1:
            raise ZooError(
                "model.kernel_sizes must have one number for each of model.channels, and one for the "
                f"last layer. Received: {self.kernel_sizes} for {self.channels}."
            )
        check_choice("model.activation", self.activation, ACTIVATIONS)
        check_range("model.dropout", self.dropout, at_least=0, below=1)

    def build(self) -> keras.Model:
        return build_tdnn(self)


# Functional model ---------------------------------------------------------------------------------


def build_tdnn(config: TDNN) -> keras.Model:
    """Return the functional model, from waveforms to logits.

        h_0[t]   = the features of frame t, 0 outside the recording
        h_i[t]   = activation(W_i h_{i-1}[t - k .. t + k] + b_i)    for each hidden layer
        e[t]     = sigmoid(W h_n[t - k .. t + k] + b)^2             evidence for each class
        logits   = the sum of e[t] over the frames without padding

    Args:
        config: config of the model.

    Returns:
        A model with the inputs and outputs of `AcousticModel` for classes.
    """
    import keras
    from keras import layers, ops

    waveform = keras.Input((None,), name="waveform", dtype="float32")
    lengths = keras.Input((), name="lengths", dtype="int32")
    x, frames = config.features(waveform, lengths)
    inside = frame_mask(x, frames)
    weight = ops.expand_dims(ops.cast(inside, "float32"), -1)

    *widths, last_width = config.kernel_sizes
    for i, (channels, width) in enumerate(zip(config.channels, widths, strict=True)):
        x = layers.Conv1D(channels, width, padding="same", name=f"hidden{i}")(x)
        if config.batch_norm:
            x = layers.BatchNormalization(name=f"norm{i}")(x, mask=inside)
        x = layers.Activation(config.activation, name=f"activation{i}")(x)
        x = layers.Dropout(config.dropout, name=f"dropout{i}")(x)
        x = x * ops.cast(weight, x.dtype)  # padding is 0 in each layer
    x = layers.Conv1D(config.num_classes, last_width, padding="same", name="classes")(x)
    evidence = layers.Activation("sigmoid", dtype="float32", name="evidence")(x)
    logits = ops.sum(ops.square(evidence) * weight, axis=1)
    outputs = {"logits": layers.Identity(dtype="float32", name="logits")(logits)}
    return keras.Model({"waveform": waveform, "lengths": lengths}, outputs, name="tdnn")


# Recipes ------------------------------------------------------------------------------------------

PAPER = "Waibel, Hanazawa, Hinton, Shikano & Lang 1989"
# All speakers of the test split are in train, so dev is split off by utterance.
DIGITS = LabelledRecordings(
    labels=Labels(tuple("0123456789"), "class"),
    split_by="utterance",
    spec_augment=NO_MASKS,
)


@register("speech/tdnn-fsdd", paper=PAPER, corpus=FSDD, metric="accuracy")
def tdnn_fsdd(name: str) -> Recipe:
    """The time-delay network at its published size recognizes spoken digits.

    For one English digit in a recording, by a known speaker over a close microphone. It shows the
    results of 802 weights; `speech/tdnn-wide-fsdd` makes fewer errors.

    The paper has three classes, so three units in its second layer; here there are ten. The six speakers
    of the test split are those of the training split: other voices were not measured. Sounds that are
    not digits are classified as digits.
    """
    return Recipe(
        name=name,
        data=DIGITS,
        # As in the paper: 16 mel filters, 10 ms between frames, normalized by the mean level.
        model=TDNN(
            num_classes=10,
            features=LogMel(sample_rate=8000, mel_bins=16, high_hz=3800.0, normalization="level"),
        ),
        task=Classification(background="none"),
        decoder=Classes(),
        # A network of this size learns best with a high rate.
        optimizer=AdamW(learning_rate=2e-2),
        training=GradientDescent(epochs=60, batch_size=32, patience=60),
    )


@register("speech/tdnn-wide-fsdd", paper=PAPER, corpus=FSDD, metric="accuracy")
def tdnn_wide_fsdd(name: str) -> Recipe:
    """The time-delay network with more filters, units and layers recognizes spoken digits.

    For one English digit in a recording, by a known speaker over a close microphone; a starting point
    (`--init`) for other short commands.

    The six speakers of the test split are those of the training split: other voices were not measured.
    Sounds that are not digits are classified as digits.
    """
    return Recipe(
        name=name,
        data=replace(DIGITS, speed_perturbation=(0.9, 1.0, 1.1)),
        model=TDNN(
            num_classes=10,
            channels=(64, 64, 64),
            kernel_sizes=(5, 5, 5, 5),
            activation="relu",
            batch_norm=True,
            dropout=0.2,
            features=LogMel(sample_rate=8000, mel_bins=40, high_hz=3800.0, normalization="level"),
        ),
        task=Classification(background="none"),
        decoder=Classes(),
        optimizer=AdamW(learning_rate=5e-3, weight_decay=1e-2),
        training=GradientDescent(epochs=40, batch_size=32, patience=40),
    )
