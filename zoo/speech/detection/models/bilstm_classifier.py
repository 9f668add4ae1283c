"""A bidirectional LSTM that reads a recording and answers with one class: many to one.

Graves & Schmidhuber, "Framewise phoneme classification with bidirectional LSTM and other neural network
architectures" (2005), with one target for the whole sequence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_choice, check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
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
from zoo.speech.features.spec_augment import SpecAugment
from zoo.speech.layers import mean_and_maximum

if TYPE_CHECKING:
    import keras

POOLINGS = ("ends", "mean_maximum")

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BiLSTMClassifier(AcousticModel):
    """Arguments of the network.

    num_classes: int. Units of the last layer.
    layers: int. Bidirectional layers, one upon another.
    hidden_size: int. Units of each direction.
    dropout: float. Share of the inputs of each layer above the first that is dropped in training.
    pooling: str. What of the last layer's outputs is read: "ends", those at which each direction has
        read the whole recording, or "mean_maximum", the mean and the maximum over time.
    features: see `AcousticModel`.
    """

    num_classes: int
    layers: int = 2
    hidden_size: int = 64
    dropout: float = 0.3
    pooling: str = "ends"

    def __post_init__(self):
        check_range("model.num_classes", self.num_classes, at_least=2)
        for name in ("layers", "hidden_size"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.dropout", self.dropout, at_least=0, below=1)
        check_choice("model.pooling", self.pooling, POOLINGS)

    def build(self) -> keras.Model:
        """See `build_bilstm_classifier`."""
        return build_bilstm_classifier(self)


# Functional model ---------------------------------------------------------------------------------


def build_bilstm_classifier(config: BiLSTMClassifier) -> keras.Model:
    """Build the functional model, waveform in and logits out.

        h_0      = the features
        h_i      = BiLSTM_i(h_{i-1}), for each layer
        logits   = W [forward h_n at the last frame; backward h_n at the first frame] + b    "ends"
                   W [mean of h_n over time; maximum of h_n over time] + b    "mean_maximum"

    Args:
        config: its arguments.

    Returns:
        A model with the inputs and outputs of `AcousticModel` for classes.
    """
    import keras
    from keras import layers

    from zoo.common.layers import recurrent

    waveform = keras.Input((None,), name="waveform", dtype="float32")
    lengths = keras.Input((), name="lengths", dtype="int32")
    x, frames = config.features(waveform, lengths)
    inside = frame_mask(x, frames)
    for i in range(config.layers):
        if i:
            x = layers.Dropout(config.dropout, name=f"dropout{i}")(x)
        sequences = config.pooling != "ends" or i < config.layers - 1
        lstm = recurrent.LSTM(config.hidden_size, return_sequences=sequences)
        x = recurrent.Bidirectional(lstm, name=f"lstm{i}")(x, mask=inside)
    if config.pooling == "mean_maximum":
        x = mean_and_maximum(x, inside)
    x = layers.Dropout(config.dropout, name="dropout_top")(x)
    logits = layers.Dense(config.num_classes, dtype="float32", name="logits")(x)
    inputs = {"waveform": waveform, "lengths": lengths}
    return keras.Model(inputs, {"logits": logits}, name="bilstm_classifier")


# Recipes ------------------------------------------------------------------------------------------


@register("speech/bilstm-fsdd", paper="Graves & Schmidhuber 2005", corpus=FSDD, metric="accuracy")
def bilstm_fsdd(name: str) -> Recipe:
    """A bidirectional LSTM reads a recording from both ends and names the digit in it.

    For one English digit in a recording, by a known speaker over a close microphone. An example of
    many-to-one recognition; `speech/tdnn-fsdd` answers the same with far fewer weights.

    The six speakers of the test split are those of the training split: other voices were not measured
    there, and anything that is not a digit is taken for one.
    """
    return Recipe(
        name=name,
        # Every speaker of the test split is in train, so dev is split off by utterance.
        data=LabelledRecordings(
            labels=Labels(tuple("0123456789"), "class"),
            split_by="utterance",
            speed_perturbation=(0.85, 0.92, 1.0, 1.08, 1.15),
            spec_augment=SpecAugment(freq_masks=2, freq_width=6, time_masks=1, time_width=10),
        ),
        model=BiLSTMClassifier(
            num_classes=10,
            dropout=0.4,
            pooling="mean_maximum",
            features=LogMel(sample_rate=8000, mel_bins=40, high_hz=3800.0, normalization="level"),
        ),
        task=Classification(),
        decoder=Classes(),
        optimizer=AdamW(learning_rate=3e-3, warmup_epochs=2, weight_decay=1e-2),
        training=GradientDescent(epochs=24, batch_size=32, patience=24),
    )
